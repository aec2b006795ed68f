import type { Clock } from "../../clock";
import type { Log } from "../../log";
import { AttemptFailed } from "./attempt-failed";
import type { Connection } from "../connection";
import type { KeepaliveRhythm } from "./keepalive";

const DEFAULT_DIAL_SECONDS = 15;

/** What connecting needs from outside. */
export interface DialContext {
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** How a silent machine is found out. @default every 10 s, three times */
  readonly keepalive?: KeepaliveRhythm | undefined;
}

/** One dial takes too long; `within` is the limit, for messages. */
export class DialTimeUp extends AttemptFailed {
  readonly within: string;

  constructor(seconds: number) {
    const within = `within ${seconds}s`;
    super("transport", `there was no answer ${within}`);
    this.within = within;
  }
}

/**
 * Runs one dial, whose signal is aborted when `signal` is, or, with a {@link DialTimeUp}, when the time for it is over.
 */
export async function withinDialTime<T>(
  { perDialTimeout: seconds = DEFAULT_DIAL_SECONDS }: Connection,
  signal: AbortSignal,
  work: (ended: AbortSignal) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const pass = (): void => ended.abort(signal.reason);
  signal.addEventListener("abort", pass, { once: true });
  // as in @pulumi/command: 0 means no limit
  const timer =
    seconds > 0 ? setTimeout(() => ended.abort(new DialTimeUp(seconds)), seconds * 1_000) : undefined;
  try {
    return await work(ended.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", pass);
  }
}
