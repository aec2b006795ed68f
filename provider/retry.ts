import type { Clock } from "./clock";

/** How often and how long to try again; the pause doubles from `firstPauseMs` up to `longestPauseMs`. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

/** What `retry` needs from outside. `random` gives [0, 1): the pause is jittered between half and the whole. */
export interface RetryContext {
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal?: AbortSignal | undefined;
  /** True for errors worth another try; everything else is thrown at once. */
  readonly isTransient: (error: unknown) => boolean;
  readonly onRetry?: (error: unknown, attempt: number, pauseMs: number) => void;
}

/** Runs `attempt` until it succeeds; throws its last error. */
export async function retry<T>(
  policy: RetryPolicy,
  context: RetryContext,
  attempt: (n: number) => Promise<T>,
): Promise<T> {
  for (let n = 1; ; n++) {
    context.signal?.throwIfAborted();
    try {
      return await attempt(n);
    } catch (error) {
      if (n >= policy.attempts || !context.isTransient(error)) throw error;
      const pauseMs = jittered(policy, n, context.random);
      context.onRetry?.(error, n, pauseMs);
      await context.clock.sleep(pauseMs, context.signal);
    }
  }
}

function jittered(policy: RetryPolicy, n: number, random: () => number): number {
  const full = Math.min(policy.longestPauseMs, policy.firstPauseMs * 2 ** (n - 1));
  return full / 2 + (full / 2) * random();
}
