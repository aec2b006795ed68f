import type { Clock } from "../../provider/clock";

interface Sleeper {
  readonly due: number;
  readonly wake: () => void;
}

/** A clock that goes on only by `advance`; sleepers wake when their time has come. */
export class ManualClock implements Clock {
  private time = 0;
  private sleepers: readonly Sleeper[] = [];

  now(): number {
    return this.time;
  }

  wall(): number {
    return this.time;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.sleepers = [...this.sleepers, { due: this.time + ms, wake: resolve }];
      signal?.addEventListener("abort", () => reject(signal.reason as Error));
    });
  }

  /** Lets time pass, and what waited for it run. */
  async advance(ms: number): Promise<void> {
    this.time += ms;
    const due = this.sleepers.filter((sleeper) => sleeper.due <= this.time);
    this.sleepers = this.sleepers.filter((sleeper) => sleeper.due > this.time);
    for (const sleeper of due) sleeper.wake();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
