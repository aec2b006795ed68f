import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { until } from "../../lab/until";
import {
  type PulumiRun,
  type PulumiRunOptions,
  PulumiStack,
  ScratchProject,
} from "../../support/pulumi-project";
import type { FaultCase } from "../fault-case";
import { noSecret } from "../oracle";
import { CANARY, Service } from "../service";
import type { Site } from "../site";
import { BRIDGED, OVERLAP, type Way } from "../way";
import { withLines } from "../with-lines";

/** What is done to the CLI when the engine says that a container was started, renamed or created. */
interface Act {
  readonly name: string;
  readonly did: string;
  readonly way: Way;
  /** As `docker events` says it, the service being `web`. */
  readonly at: string;
  readonly strike: (cli: number) => Promise<void> | void;
  /** It befalls the first up; else a swap. */
  readonly first?: boolean;
  /** The CLI ends in order: what it began is done. */
  readonly finishes?: boolean;
}

const kill = (cli: number): void => killAll(cli);

const ACTS: readonly Act[] = [
  {
    name: "cli: killed in the gate",
    did: "the real CLI and its provider are killed after `web.next` was started",
    way: OVERLAP,
    at: "start web.next",
    strike: kill,
  },
  {
    name: "cli: killed in the rehearsal",
    did: "the real CLI and its provider are killed after the copy was started",
    way: BRIDGED,
    at: "start web.try",
    strike: kill,
  },
  {
    name: "cli: killed when the live one was stopped",
    did: "the real CLI and its provider are killed after `web` was stopped",
    way: BRIDGED,
    at: "die web",
    strike: kill,
  },
  {
    name: "cli: killed in the first up",
    did: "the real CLI and its provider are killed after the first container was started",
    way: OVERLAP,
    at: "start web.next",
    strike: kill,
    first: true,
  },
  {
    name: "cli: Ctrl-C once in the gate",
    did: "SIGINT for the real CLI after `web.next` was started",
    way: OVERLAP,
    at: "start web.next",
    strike: (cli) => {
      process.kill(cli, "SIGINT");
    },
    finishes: true,
  },
  {
    name: "cli: Ctrl-C twice in the gate",
    did: "SIGINT for the real CLI after `web.next` was started, and once more",
    way: OVERLAP,
    at: "start web.next",
    strike: twice,
  },
  {
    name: "cli: Ctrl-C twice when the live one was stopped",
    did: "SIGINT for the real CLI after `web` was stopped, and once more",
    way: BRIDGED,
    at: "die web",
    strike: twice,
  },
  {
    name: "cli: Ctrl-C twice in the first up",
    did: "SIGINT for the real CLI after the first container was started, and once more",
    way: BRIDGED,
    at: "start web.next",
    strike: twice,
    first: true,
  },
];

/** With the real CLI, its state and its lock. */
export const CLI_CASES: readonly FaultCase[] = ACTS.map((act) => {
  return { name: act.name, did: act.did, run: (site: Site) => acted(site, act) };
});

async function acted(site: Site, { way, at, strike, first = false, finishes = false }: Act): Promise<string> {
  const service = new Service(site, way);
  const project = new ScratchProject("faults");
  const stack = new PulumiStack(project.folder, `faults-${randomBytes(3).toString("hex")}`);
  const call = async (args: readonly string[], options: PulumiRunOptions = {}): Promise<PulumiRun> => {
    const run = await stack.run([...args, "--stack", stack.name], options);
    service.lines.push(...run.output.split("\n").map((line) => `cli ${line}`));
    return run;
  };
  const must = async (...args: readonly string[]): Promise<void> => {
    const { code, output } = await call(args);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")} exited ${code}: ${output.slice(-800)}`);
  };
  try {
    await stack.init();
    if (!first) {
      project.write(program(service, "v1"));
      await must("up", "--yes", "--skip-preview");
    }
    project.write(program(service, "v2"));
    const happened = watch(site, at.replace("web", service.name));
    let cli: number | undefined;
    const onStart = (pid: number): void => {
      cli = pid;
    };
    const running = call(["up", "--yes", "--skip-preview"], { onStart, env: { SLIPWAY_DEBUG: "1" } });
    await Promise.race([
      happened,
      running.then(() => Promise.reject(new Error(`the up ended before "${at}"`))),
    ]);
    if (cli === undefined) throw new Error("the CLI has no process");
    await strike(cli);
    const ended = await running;
    const pages = first ? [] : await somebody(service);
    if (finishes && pages.join() !== "v2")
      throw new Error(`v2 should serve, and there serve ${pages.join() || "none"}`);
    await call(["cancel", "--yes"]);
    await must("up", "--yes", "--skip-preview");
    const after = (await service.served()).join();
    if (after !== "v2") throw new Error(`v2 should serve, and there serve ${after || "none"}`);
    await must("up", "--yes", "--skip-preview", "--expect-no-changes");
    noSecret("the state", await stack.exportState());
    await must("destroy", "--yes", "--skip-preview");
    noSecret("the CLI's output", service.lines.join("\n"));
    noSecret("labels, files or the journal of the host", await site.said(service.name));
    const left = await site.left(service.name);
    if (left.length > 0) throw new Error(`destroy left: ${left.join(", ")}`);
    const disturbed = await site.disturbed(false);
    if (disturbed !== undefined) throw new Error(disturbed);
    const served = first ? "" : `, ${[...new Set(pages)].sort().join(" and ")} served`;
    return `the CLI exited ${ended.code}${served}, the next up converged`;
  } catch (error) {
    throw withLines(error, service);
  } finally {
    await stack.dispose();
    project.remove();
  }
}

function program(service: Service, image: string): string {
  const inputs = Object.entries(service.inputs(image, { update: { minHealthyTime: "4s" } }));
  const open = Object.fromEntries(inputs.filter(([key]) => key !== "env" && !key.startsWith("__")));
  return `
const pulumi = require("@pulumi/pulumi");
const slipway = require("pulumi-slipway");
new slipway.RollingContainer("web", { ...${JSON.stringify(open)}, env: { TOKEN: pulumi.secret(${JSON.stringify(CANARY)}) } });
`;
}

async function somebody(service: Service): Promise<readonly string[]> {
  let pages: readonly string[] = [];
  await until(
    "somebody to serve",
    async () => {
      pages = await service.served();
      return pages.length > 0;
    },
    30_000,
  );
  return pages;
}

/** Resolves when the engine says `<action> <container>`; what it said since the call counts. */
async function watch(site: Site, event: string): Promise<void> {
  const since = await site.host.must(["date", "+%s"]);
  const follow = `grep -q -m1 -x "$1" < <(docker events --since "$2" --format '{{.Action}} {{.Actor.Attributes.name}}')`;
  await site.host.must(["timeout", "120", "bash", "-c", follow, "watch", event, since]);
}

async function twice(cli: number): Promise<void> {
  process.kill(cli, "SIGINT");
  // the second one within the same moment would be taken for the first
  await new Promise((resolve) => setTimeout(resolve, 500));
  process.kill(cli, "SIGINT");
}

/** The provider is in a process group of its own: all descendants by their ids, the CLI last. */
function killAll(cli: number): void {
  const table = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  const children = new Map<number, number[]>();
  for (const line of table.trim().split("\n")) {
    const [pid = 0, parent = 0] = line.trim().split(/\s+/).map(Number);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const all = (pid: number): readonly number[] => [...(children.get(pid) ?? []).flatMap(all), pid];
  for (const pid of [cli, ...all(cli)]) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it ended with the one before
    }
  }
}
