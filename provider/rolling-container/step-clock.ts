import type { Clock } from "../clock";
import type { Operation } from "./operation";

/** What is waited for under a time limit of its own, which the user may have made as long as they like. */
const HAS_ITS_OWN: ReadonlySet<Operation["kind"]> = new Set([
  "await-exit",
  "await-drained",
  "stop",
  "switch",
  "follow-switch",
]);

/** The clock of a progressDeadline: it stands still during waits that have a limit of their own. */
export class StepClock {
  private readonly clock: Clock;
  private readonly limitMs: number;
  private readonly beganMs: number;
  private waits = 0;
  private standsSinceMs = 0;
  private stoodMs = 0;

  constructor(clock: Clock, limitMs: number) {
    this.clock = clock;
    this.limitMs = limitMs;
    this.beganMs = clock.now();
  }

  /** How long it stood still. */
  get waitedMs(): number {
    return this.stoodMs + (this.waits > 0 ? this.clock.now() - this.standsSinceMs : 0);
  }

  get leftMs(): number {
    return this.limitMs - (this.clock.now() - this.beganMs - this.waitedMs);
  }

  /** Does the work of an operation; of several at once each second counts once. */
  async during<T>({ kind }: Operation, work: () => Promise<T>): Promise<T> {
    if (!HAS_ITS_OWN.has(kind)) return work();
    if (this.waits === 0) this.standsSinceMs = this.clock.now();
    this.waits += 1;
    try {
      return await work();
    } finally {
      if (this.waits === 1) this.stoodMs = this.waitedMs;
      this.waits -= 1;
    }
  }
}
