import type Docker from "dockerode";
import type { Clock } from "../clock";
import type { HostSession } from "../host/session";
import type { Log } from "../log";

/** One host, open for a run: what observing and executing need. */
export interface HostAccess {
  readonly session: HostSession;
  readonly docker: Docker;
  readonly clock: Clock;
  /** From 0 to 1, 1 excluded. */
  readonly random: () => number;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Empty text where the machine has none. */
  readonly machineId: string;
}
