/** Gives a channel back; calling it twice is harmless. */
export type Release = () => void;

/**
 * Long: a stream that lives as long as something runs. Half of the places are never given to such, but where the server
 * allows one place only (MaxSessions 1): there a followed log over dial-stdio holds up every command until it ends.
 */
export type ChannelUse = "brief" | "long";

interface Waiter {
  readonly use: ChannelUse;
  readonly give: (release: Release) => void;
}

/**
 * Hands out session channels of one connection. sshd allows ten by default (MaxSessions); when it refuses one while
 * others are open, the limit falls to what it was seen to allow.
 */
export class ChannelQueue {
  private limit: number;
  private inUse = 0;
  private longInUse = 0;
  /** So many were open at once. */
  private proved = 1;
  private readonly open = new Set<Release>();
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
  async take(signal?: AbortSignal, use: ChannelUse = "brief"): Promise<Release> {
    signal?.throwIfAborted();
    if (this.inUse < this.limit && this.mayHave(use)) return this.hold(use);
    const { promise, resolve, reject } = withResolvers<Release>();
    const waiter: Waiter = { use, give: resolve };
    const abort = (): void => {
      const at = this.waiting.indexOf(waiter);
      if (at === -1) return; // it was given a channel just before, and gives it back itself
      this.waiting.splice(at, 1);
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

  /** The server opened the channel that `take` gave. */
  opened(release: Release): void {
    this.open.add(release);
    this.proved = Math.max(this.proved, this.open.size);
  }

  /** True when the server has had more open than there are beside a refused one: one that was closed may still be ending there. */
  get mayLinger(): boolean {
    return this.inUse - 1 < this.proved;
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

  private mayHave(use: ChannelUse): boolean {
    return use === "brief" || this.longInUse < Math.max(1, Math.floor(this.limit / 2));
  }

  private hold(use: ChannelUse): Release {
    this.inUse++;
    if (use === "long") this.longInUse++;
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      this.open.delete(release);
      this.inUse--;
      if (use === "long") this.longInUse--;
      this.wake();
    };
    return release;
  }

  private wake(): void {
    while (this.inUse < this.limit) {
      const next = this.waiting.findIndex(({ use }) => this.mayHave(use));
      const [waiter] = next === -1 ? [] : this.waiting.splice(next, 1);
      if (waiter === undefined) return;
      waiter.give(this.hold(waiter.use));
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
