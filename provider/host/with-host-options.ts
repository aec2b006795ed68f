import type { Clock } from "../clock";
import type { Log } from "../log";
import type { KeepaliveRhythm } from "./keepalive";

/** What a borrower of a connection brings along. */
export interface WithHostOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Fingerprint recorded for this target by an earlier run (`hostKeys`); another one is refused. */
  readonly recordedHostKey?: string | undefined;
  /** How a silent machine is found out. @default every 10 s, three times */
  readonly keepalive?: KeepaliveRhythm | undefined;
}
