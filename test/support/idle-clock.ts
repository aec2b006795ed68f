import type { Clock } from "../../provider/clock";

interface Sleeper {
  readonly due: number;
  readonly wake: () => void;
}

/** A clock on which time passes only when nothing else is left to do: then it jumps to where the next sleeper wakes. */
export class IdleClock implements Clock {
  private timeMs = 0;
  private sleptMs = 0;
  private sleepers: readonly Sleeper[] = [];

  now(): number {
    return this.timeMs;
  }

  wall(): number {
    return this.timeMs + this.sleptMs;
  }

  /** The machine sleeps, which its own clock does not see. */
  sleepMachine(ms: number): void {
    this.sleptMs += ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.sleepers = this.sleepers.filter((each) => each !== sleeper);
        reject(signal?.reason as Error);
      };
      const wake = (): void => {
        signal?.removeEventListener("abort", abort);
        resolve();
      };
      const sleeper = { due: this.timeMs + ms, wake };
      this.sleepers = [...this.sleepers, sleeper];
      signal?.addEventListener("abort", abort, { once: true });
      setImmediate(() => this.jump());
    });
  }

  /** Time passes without anybody sleeping. */
  advance(ms: number): void {
    this.timeMs += ms;
  }

  private jump(): void {
    const due = Math.min(...this.sleepers.map((each) => each.due));
    const next = this.sleepers.find((each) => each.due === due);
    if (next === undefined) return;
    this.timeMs = Math.max(this.timeMs, due);
    this.sleepers = this.sleepers.filter((each) => each !== next);
    next.wake();
    if (this.sleepers.length > 0) setImmediate(() => this.jump());
  }
}
