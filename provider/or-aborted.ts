import type { Duplex } from "node:stream";

/** Waits for `promise`, which goes on for others when `signal` ends this wait. @throws the signal's reason */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  promise.catch(() => {}); // whoever still waits hears of it; a failure that nobody waits for must not end the process
  signal.throwIfAborted();
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Waits for a stream that nobody else wants: one that opens after this wait was ended is closed. @throws as `orAborted` */
export async function streamOrAborted<T extends Duplex>(
  opening: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  try {
    return await orAborted(opening, signal);
  } catch (error) {
    opening.then(
      (stream) => stream.destroy(),
      () => {}, // nothing opened: nothing to close
    );
    throw error;
  }
}
