import type { Step } from "./operation";

/** What a run of steps is held to, and who has a word in it. */
export interface ExecuteOptions {
  /** From now, and without the waits that have a limit of their own; no step begins, and no gate waits, after it. */
  readonly deadlineMs: number;
  /** Called before each step: the lock is looked at there. */
  readonly beforeEach?: (step: Step) => Promise<void>;
  /** Called beside each operation that waits, and ended by the signal: the lock is kept in sight there. Never rejects. */
  readonly whileWaiting?: (signal: AbortSignal) => Promise<void>;
  /** Awaited, without a limit of its own, before the live one is touched; rejects when it must not be. */
  readonly beforeTouch?: () => Promise<void>;
}
