import type { Clock } from "../clock";

/** What every way of probing gets. */
export interface ProbeOptions {
  /** After so many milliseconds without an answer the probe has failed, `hung`. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}
