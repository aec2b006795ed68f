import type { Clock } from "../../provider/clock";

/** A clock that stands still until something sleeps; then it jumps by just that. */
export class FakeClock implements Clock {
  /** Every sleep that was asked for, in milliseconds. */
  readonly sleeps: number[] = [];
  private timeMs: number;

  constructor(startMs = 0) {
    this.timeMs = startMs;
  }

  now(): number {
    return this.timeMs;
  }

  wall(): number {
    return this.timeMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    this.sleeps.push(ms);
    this.timeMs += ms;
    return Promise.resolve();
  }

  /** Time passes without anybody sleeping. */
  advance(ms: number): void {
    this.timeMs += ms;
  }
}
