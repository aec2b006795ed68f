import type { Clock } from "../clock";
import type { Log } from "../log";
import type { Connection } from "./connection";
import type { HostSession } from "./session";

export interface WithHostOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Fingerprint recorded for this target by an earlier run (`hostKeys`); another one is refused. */
  readonly recordedHostKey?: string | undefined;
}

/**
 * Gives `use` a session on the machine: the process's one connection to it, dialled when there is none yet.
 * @throws SlipwayError dial-failed, authentication-failed, host-key-unknown, host-key-mismatch
 */
export declare function withHost<T>(
  connection: Connection,
  options: WithHostOptions,
  use: (session: HostSession) => Promise<T>,
): Promise<T>;
