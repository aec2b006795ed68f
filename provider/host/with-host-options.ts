import type { DialContext } from "./transport/dial-context";

/** What a borrower of a connection brings along. */
export interface WithHostOptions extends DialContext {
  /** Fingerprint recorded for this target by an earlier run (`hostKeys`); another one is refused. */
  readonly recordedHostKey?: string | undefined;
}
