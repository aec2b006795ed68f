import type { Clock } from "../clock";

/** What came of a piece of work under a time limit. */
export type Limited<T> = { readonly kind: "done"; readonly value: T } | { readonly kind: "late" };

/** One for all: nobody sees it, and a new one each time would capture a stack for each call of an engine. */
const OVER = new Error("what it was for is over");

/**
 * Runs `work` for at most `timeoutMs`. Its signal is aborted when the limit passes or the caller's signal fires, and then
 * nothing waits for it any more: `late` for the limit, the caller's reason thrown for the caller's signal.
 */
export async function withTimeLimit<T>(
  options: { readonly timeoutMs: number; readonly signal: AbortSignal; readonly clock: Clock },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Limited<T>> {
  options.signal.throwIfAborted();
  const inner = new AbortController();
  const asleep = new AbortController();
  const signal = AbortSignal.any([options.signal, inner.signal]);
  const limit = options.clock
    .sleep(options.timeoutMs, AbortSignal.any([options.signal, asleep.signal]))
    .then((): Limited<T> => ({ kind: "late" }));
  const done = work(signal).then((value): Limited<T> => ({ kind: "done", value }));
  try {
    return await Promise.race([done, limit]);
  } finally {
    inner.abort(OVER);
    asleep.abort(OVER);
    // the loser's end is of no interest: both are rejected by the aborts above
    void Promise.allSettled([done, limit]);
  }
}
