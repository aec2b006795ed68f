import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { PulumiStack, REPOSITORY } from "../support/pulumi-project";
import type { DemoHost } from "./demo-host";
import { labDemoHost } from "./lab-demo-host";
import { realDemoHost } from "./real-demo-host";
import { type Stage, STEPS } from "./steps";
import { type DemoStep, formatSteps } from "./table";

const print = (text: string): void => void process.stdout.write(text);

/** Plays the story on one host; every step is verified there. The rest is left out after the first that fails, but for destroy. */
async function play(host: DemoHost): Promise<readonly DemoStep[]> {
  const stack = new PulumiStack(REPOSITORY, `demo-${randomBytes(3).toString("hex")}`);
  const indent = (text: string): void => print(text.replace(/^(?=.)/gm, "    "));
  const stage: Stage = { host, stack, show: indent, containerId: "" };
  const steps: DemoStep[] = [];
  try {
    await stack.init();
    await stack.configure({ version: "v1", ...host.config });
    for (const step of STEPS) {
      if (steps.some((done) => !done.passed) && step.name !== "destroy") continue;
      print(`\n== ${step.name}\n`);
      const started = performance.now();
      const [passed, seen] = await step.run(stage).then(
        (text) => [true, text] as const,
        (error: unknown) => [false, error instanceof Error ? error.message : String(error)] as const,
      );
      steps.push({ name: step.name, seen, seconds: (performance.now() - started) / 1_000, passed });
      print(`   ${passed ? "ok" : "FAILED"}: ${seen}\n`);
    }
    return steps;
  } finally {
    await stack.dispose();
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { host: { type: "string" } } });
  print(values.host === undefined ? "lab: starting a bare host\n" : `host: ${values.host}\n`);
  const host =
    values.host === undefined ? await labDemoHost("bookworm", "root") : await realDemoHost(values.host);
  try {
    const steps = await play(host);
    print(`\nSlipway on ${host.label}\n\n${formatSteps(steps)}\n`);
    return steps.length === STEPS.length && steps.every((step) => step.passed) ? 0 : 1;
  } finally {
    await host.dispose();
  }
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
