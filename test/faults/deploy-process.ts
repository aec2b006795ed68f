import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Properties } from "../../provider/handler";
import type { DeployEvent, DeployJob } from "./deploy-job";

/** How a deployer came to its end. */
export type DeployEnd =
  | { readonly kind: "ended"; readonly outputs: Properties }
  | { readonly kind: "failed"; readonly message: string; readonly outputs?: Properties }
  | { readonly kind: "killed" };

const END_MS = 240_000;
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) killGroup(child);
});

/** A deployer in a process, and a process group, of its own. */
export class DeployProcess {
  /** Every line that it logged, as `level text`. */
  readonly lines: string[] = [];
  /** The points that it went through. */
  readonly ended: Promise<DeployEnd>;
  private readonly child: ChildProcess;
  private readonly halts = new Map<string, () => void>();
  private readonly reached = new Set<string>();

  constructor(job: DeployJob) {
    const program = path.join(__dirname, "deploy-program.ts");
    this.child = spawn(process.execPath, ["--import=tsx", program, JSON.stringify(job)], {
      detached: true,
      stdio: ["pipe", "pipe", "inherit"],
    });
    running.add(this.child);
    this.ended = this.follow();
  }

  /** Resolves when it stands still after `cut`; rejects when it ends without coming there. */
  async halted(cut: string): Promise<void> {
    if (this.reached.has(cut)) return;
    const there = new Promise<"there">((resolve) => this.halts.set(cut, () => resolve("there")));
    const first = await Promise.race([there, this.ended]);
    if (first === "there" || this.reached.has(cut)) return;
    const how = first.kind === "failed" ? `failed: ${first.message}` : first.kind;
    throw new Error(`the deployer never came to "${cut}": it ${how}`);
  }

  /** Lets it go on. */
  resume(): void {
    this.child.stdin?.write("\n");
  }

  /** Ctrl-C. */
  interrupt(): void {
    if (this.child.pid !== undefined) process.kill(this.child.pid, "SIGINT");
  }

  /** SIGKILL for its whole process group. */
  async kill(): Promise<void> {
    killGroup(this.child);
    await this.ended;
  }

  private async follow(): Promise<DeployEnd> {
    let end: DeployEnd = { kind: "killed" };
    const { stdout } = this.child;
    if (stdout === null) return end;
    const timer = setTimeout(() => killGroup(this.child), END_MS);
    const closed = once(this.child, "close");
    const reader = createInterface({ input: stdout });
    reader.on("line", (line) => {
      const event = parseEvent(line);
      if (event === undefined) this.lines.push(`printed ${line}`);
      else if (event.kind === "line") this.lines.push(`${event.level} ${event.text}`);
      else if (event.kind === "halted") {
        this.reached.add(event.cut);
        this.halts.get(event.cut)?.();
      } else end = event;
    });
    await Promise.all([closed, once(reader, "close")]);
    clearTimeout(timer);
    running.delete(this.child);
    return end;
  }
}

function parseEvent(line: string): DeployEvent | undefined {
  try {
    return JSON.parse(line) as DeployEvent;
  } catch {
    return undefined; // a warning of Node's own
  }
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // it has ended already
  }
}
