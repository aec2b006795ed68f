import type { Clock } from "./clock";
import type { Log } from "./log";

/** Plain values as they come from Pulumi: inputs, or the outputs in the state. Parsed once, at the handler's edge. */
export type Properties = Readonly<Record<string, unknown>>;

/** A mistake in an argument, with its path (`ports[0].host`); check collects all of them. */
export interface Failure {
  readonly property: string;
  readonly reason: string;
}

export interface CheckResult {
  readonly inputs: Properties;
  readonly failures: readonly Failure[];
}

/**
 * What diff answers. `undefined` leaves the verdict and the display to Pulumi's own comparison of the inputs; drift that
 * the outputs show is `changes: true`.
 */
export interface DiffResult {
  readonly changes: boolean | undefined;
  /** Inputs whose change needs a new resource. */
  readonly replaces?: readonly string[];
}

export interface Created {
  readonly id: string;
  readonly outputs: Properties;
}

/** What every call of a handler gets. Handlers know nothing of Pulumi's protocols. */
export interface HandlerContext {
  /** The resource's URN; empty where the engine gave none. */
  readonly urn: string;
  /** The resource's name in the program. */
  readonly name: string;
  readonly log: Log;
  readonly clock: Clock;
  /** [0, 1), for jitter and ids. */
  readonly random: () => number;
  /** Aborted when the run is being stopped. */
  readonly signal: AbortSignal;
  /** Who runs this: stack, user and machine, for locks. */
  readonly holder: string;
  /** Stack and project, for labels (`project/stack`). */
  readonly stack: string;
  /**
   * This process has been told to change something, so it serves no preview. Nothing else tells a provider so: check and diff
   * come in both, in a process each.
   * @default false: it may be a preview
   */
  readonly isApplying?: boolean;
}

/**
 * One kind of resource. `check` and `diff` are pure but for reading local files; the others reach the host.
 * Unknown values never reach them as such: see pulumi/unknown.
 */
export interface Handler {
  /** `olds` are the old inputs, `{}` at first. Unknown values are the symbol-like string of values.ts. */
  check(olds: Properties, news: Properties, context: HandlerContext): Promise<CheckResult>;
  /** `olds` are the old outputs. Called only when they and the checked inputs differ or may show drift. */
  diff(id: string, olds: Properties, news: Properties, context: HandlerContext): Promise<DiffResult>;
  create(inputs: Properties, context: HandlerContext): Promise<Created>;
  /** `undefined`: it is proven gone. A host that does not answer throws. */
  read(id: string, outputs: Properties, context: HandlerContext): Promise<Created | undefined>;
  update(id: string, olds: Properties, news: Properties, context: HandlerContext): Promise<Properties>;
  delete(id: string, outputs: Properties, context: HandlerContext): Promise<void>;
}

/** Thrown by create or update when the new state is real but not what was asked for: it is saved, and the next up tries again. */
export class PartialFailure extends Error {
  readonly id: string;
  /** What really runs now, never the wish. */
  readonly outputs: Properties;

  constructor(id: string, outputs: Properties, error: Error) {
    super(error.message, { cause: error });
    this.name = "PartialFailure";
    this.id = id;
    this.outputs = outputs;
  }
}
