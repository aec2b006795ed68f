import type { AnyAuthMethod } from "ssh2";

/** One way to log in, tried once. */
export interface Credential {
  /** Its name in messages; holds no secret. */
  readonly label: string;
  /** Undefined for one that is there and cannot be tried; the label says why. */
  readonly method: AnyAuthMethod | undefined;
  /** What went wrong while it was tried, beyond a plain no. */
  readonly complaint?: () => string | undefined;
}
