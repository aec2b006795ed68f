/** So many may do something at once, and the others wait, each in its turn. */
export class Slots {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(atOnce: number) {
    this.free = atOnce;
  }

  /** Runs `use` when a slot is free. `onQueued` is called when none is: so many wait before it. */
  async within<T>(use: () => Promise<T>, onQueued?: (before: number) => void): Promise<T> {
    if (this.free > 0) this.free--;
    else {
      onQueued?.(this.waiting.length);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    try {
      return await use();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free++;
      else next();
    }
  }
}
