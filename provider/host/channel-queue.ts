/** Gives a channel back; calling it twice is harmless. */
export type Release = () => void;

interface Waiter {
  readonly give: (release: Release) => void;
}

/**
 * Hands out session channels of one connection. sshd allows ten by default (MaxSessions); when it refuses one while
 * others are open, the limit falls to what it was seen to allow.
 */
export class ChannelQueue {
  private limit: number;
  private inUse = 0;
  private readonly waiting: Waiter[] = [];
  private readonly onPressure: () => void;

  /** `onPressure` is called when somebody has to wait: idle holders should give their channels back. */
  constructor(limit: number, onPressure: () => void = () => {}) {
    this.limit = limit;
    this.onPressure = onPressure;
  }

  /** True when somebody waits for a channel. */
  get wanted(): boolean {
    return this.waiting.length > 0;
  }

  /** Waits for a free channel. */
  async take(signal?: AbortSignal): Promise<Release> {
    signal?.throwIfAborted();
    if (this.inUse < this.limit) return this.hold();
    const { promise, resolve, reject } = withResolvers<Release>();
    const waiter: Waiter = { give: resolve };
    const abort = (): void => {
      this.waiting.splice(this.waiting.indexOf(waiter), 1);
      reject(signal?.reason as Error);
    };
    this.waiting.push(waiter);
    this.onPressure();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /**
   * The server refused the channel that `take` gave. Gives it back and says whether waiting for another one to end makes
   * sense; when no other is open, the server allows none at all.
   */
  refused(release: Release): boolean {
    const others = this.inUse - 1;
    if (others > 0) this.limit = Math.max(1, Math.min(this.limit, others));
    release();
    return others > 0;
  }

  private hold(): Release {
    this.inUse++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.inUse--;
      this.wake();
    };
  }

  private wake(): void {
    while (this.inUse < this.limit) {
      const next = this.waiting.shift();
      if (next === undefined) return;
      next.give(this.hold());
    }
  }
}

function withResolvers<T>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: Error) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
