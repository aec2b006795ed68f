/** Why one that did its part has to take it back. */
export class OtherFailed extends Error {
  constructor() {
    super("it failed elsewhere, and the strategy is atomic");
    this.name = "OtherFailed";
  }
}

/** Where several wait for one another: nobody passes before all have come, and nobody passes once one has failed. */
export class Barrier {
  private missing: number;
  private readonly opened: Promise<void>;
  private open = (): void => {};
  private close: (error: Error) => void = () => {};

  constructor(count: number) {
    this.missing = count;
    this.opened = new Promise<void>((resolve, reject) => {
      this.open = resolve;
      this.close = reject;
    });
    // whoever failed need not wait for it
    this.opened.catch(() => {});
  }

  /** Resolves when all have come. */
  arrive(): Promise<void> {
    this.missing -= 1;
    if (this.missing <= 0) this.open();
    return this.opened;
  }

  fail(): void {
    this.close(new OtherFailed());
  }
}
