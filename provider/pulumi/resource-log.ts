import type { Clock } from "../clock";
import type { Log } from "../log";
import type { Redact } from "../secret";
import type { SendMessage } from "./engine-log";

/** The log of one call. `flush` resolves when everything that is to stay has reached the display. */
export interface ResourceLog extends Log {
  flush(): Promise<void>;
}

export interface ResourceLogOptions {
  readonly urn: string;
  readonly send: SendMessage;
  readonly clock: Clock;
  /** A last redaction of what leaves the process. */
  readonly redact: Redact;
  /** Show debug lines (`SLIPWAY_DEBUG=1`); they stay after the run. */
  readonly debug: boolean;
}

/** At most five live lines a second and resource; the display draws no faster. */
const PROGRESS_INTERVAL_MS = 200;

/** The stream of live lines. What stays is in no stream: the display would run it together, and as short-lived. */
const LIVE = 1;
const NO_STREAM = 0;

/** Messages of one resource, in its row of the display and in the order in which they were written. */
export function resourceLog(options: ResourceLogOptions): ResourceLog {
  const { urn, clock, redact } = options;
  let queue: Promise<void> = Promise.resolve();
  const enqueue = (severity: "info" | "warning", text: string, ephemeral: boolean): void => {
    const streamId = ephemeral ? LIVE : NO_STREAM;
    const message = { severity, urn, text: redact(text), streamId, ephemeral };
    queue = queue.then(() => options.send(message));
  };
  const live = throttle(clock, (line) => enqueue("info", line, true));
  return {
    progress: live.say,
    keep: (text) => enqueue("info", text, false),
    warn: (text) => enqueue("warning", text, false),
    debug: (text) => {
      if (options.debug) enqueue("info", text, false);
    },
    async flush() {
      live.stop();
      await queue;
    },
  };
}

/** Passes a line on at once when the last is long enough ago, else the newest one when its time has come. */
function throttle(
  clock: Clock,
  pass: (line: string) => void,
): { readonly say: (line: string) => void; readonly stop: () => void } {
  const stopped = new AbortController();
  let last = Number.NEGATIVE_INFINITY;
  let waiting: string | undefined;
  const passOn = (line: string): void => {
    last = clock.now();
    pass(line);
  };
  const passWaiting = (): void => {
    if (waiting !== undefined) passOn(waiting);
    waiting = undefined;
  };
  return {
    say(line) {
      const early = last + PROGRESS_INTERVAL_MS - clock.now();
      if (stopped.signal.aborted) return;
      if (early <= 0) return passOn(line);
      const timed = waiting !== undefined;
      waiting = line;
      // a rejection is the end of the call, after which live lines are of no use
      if (!timed) clock.sleep(early, stopped.signal).then(passWaiting, () => {});
    },
    stop: () => stopped.abort(),
  };
}
