import { readSync, writeSync } from "node:fs";
import { systemClock } from "../../provider/clock";
import { type HandlerContext, PartialFailure, type Properties } from "../../provider/handler";
import { rollingContainerHandler as handler } from "../../provider/rolling-container/handler";
import { cutOf } from "./cut";
import type { DeployEvent, DeployJob } from "./deploy-job";

/**
 * "CLI and provider" in one process: one create, update or delete of a RollingContainer. It stands still, in the middle of
 * the call, after the operations that its job names, until a byte comes on its standard input.
 */
async function main(): Promise<void> {
  const job = JSON.parse(process.argv[2] ?? "") as DeployJob;
  const halts = new Set(job.halts);
  const stop = new AbortController();
  process.on("SIGINT", () => stop.abort(new Error("the run was stopped")));
  const say =
    (level: string) =>
    (text: string): void => {
      tell({ kind: "line", level, text });
      const cut = cutOf(level, text, job.service);
      if (cut === undefined || !halts.delete(cut)) return;
      tell({ kind: "halted", cut });
      readSync(0, Buffer.alloc(1));
    };
  const context: HandlerContext = {
    urn: "",
    name: job.service,
    log: { progress: say("progress"), keep: say("keep"), warn: say("warn"), debug: say("debug") },
    clock: systemClock,
    random: Math.random,
    signal: stop.signal,
    holder: job.holder,
    stack: job.stack,
  };
  try {
    tell({ kind: "ended", outputs: await call(job, context) });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    tell({ kind: "failed", message, ...(error instanceof PartialFailure ? { outputs: error.outputs } : {}) });
  }
  process.exit(0);
}

async function call({ service, olds, news }: DeployJob, context: HandlerContext): Promise<Properties> {
  if (news === undefined) {
    await handler.delete(service, olds ?? {}, context);
    return {};
  }
  const { inputs, failures } = await handler.check({}, news, context);
  if (failures.length > 0) throw new Error(JSON.stringify(failures));
  return olds === undefined
    ? (await handler.create(inputs, context)).outputs
    : handler.update(service, olds, inputs, context);
}

/** At once and whole: a line in a buffer would die with the process. */
function tell(event: DeployEvent): void {
  let rest = Buffer.from(`${JSON.stringify(event)}\n`);
  while (rest.length > 0) rest = rest.subarray(writeSync(1, rest));
}

void main();
