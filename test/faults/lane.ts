import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { FaultCase } from "./fault-case";
import type { LaneOrder, LaneReport } from "./lane-message";
import type { Verdict } from "./matrix";

/** How long the start of a host may take, and a case on it. */
export const HOST_MS = 600_000;
export const CASE_MS = 480_000;
/** How long a lane may take to remove its hosts when it has to end. */
const END_MS = 30_000;

/** What became of a case in a lane. */
export interface LaneResult {
  readonly verdict: Verdict;
  /** What was logged last, when it broke. */
  readonly log: string;
}

/** One of the processes that run cases at the same time. One that hangs or dies is replaced, and its hosts with it. */
export class Lane {
  private child: ChildProcess | undefined;

  /** Runs a case; whatever happens to it is a verdict. */
  async run({ name, did }: FaultCase): Promise<LaneResult> {
    const child = (this.child ??= start());
    const failed = (seen: string): LaneResult => ({ verdict: { name, did, holds: false, seen }, log: "" });
    return new Promise((resolve) => {
      const finish = (result: LaneResult): void => {
        clearTimeout(timer);
        child.removeAllListeners("message").removeAllListeners("exit");
        resolve(result);
      };
      const giveUp = (seen: string): void => {
        child.removeAllListeners("exit");
        void this.end("now").then(() => finish(failed(seen)));
      };
      let timer = setTimeout(() => giveUp(`its host did not stand within ${HOST_MS / 1_000} s`), HOST_MS);
      child.on("message", (report: LaneReport) => {
        if (report.kind === "verdict") return finish(report);
        clearTimeout(timer);
        timer = setTimeout(() => giveUp(`it did not end within ${CASE_MS / 1_000} s`), CASE_MS);
      });
      child.once("exit", (code, signal) => {
        if (this.child === child) this.child = undefined;
        finish(failed(`the process that ran it ended with ${code ?? signal ?? "nothing"}`));
      });
      tell(child, { kind: "run", name });
    });
  }

  /** Ends it with its hosts; `now`: in the middle of a case. */
  async end(when: "in order" | "now"): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    if (when === "in order") tell(child, { kind: "end" });
    else child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
    await gone;
    clearTimeout(timer);
  }
}

function start(): ChildProcess {
  const program = path.join(__dirname, "lane-program.ts");
  return fork(program, { execArgv: ["--import=tsx"], stdio: ["ignore", "inherit", "inherit", "ipc"] });
}

function tell(child: ChildProcess, order: LaneOrder): void {
  child.send(order);
}
