import { setImmediate as turn } from "node:timers/promises";

/** So much is done at a stretch: about ten milliseconds. */
const MOST_BYTES = 4 << 20;
const MOST_PIECES = 200;

/**
 * What long work tells of each piece that it did: now and then that waits a moment, so that others get their turn.
 * @throws the signal's reason
 */
export function turnsUntil(signal: AbortSignal | undefined): (bytes: number) => Promise<void> {
  let done = 0;
  let pieces = 0;
  return async (bytes) => {
    done += bytes;
    pieces += 1;
    if (done < MOST_BYTES && pieces < MOST_PIECES) return;
    done = pieces = 0;
    await turn();
    signal?.throwIfAborted();
  };
}
