import type { Properties } from "../handler";
import { isObject } from "../values";

/** When the policy restarted containers, by container id: milliseconds of the calendar, oldest first. */
export type Ledger = Readonly<Record<string, readonly number[]>>;

/** How often, and how soon after one another, one container may be restarted. */
export interface Budget {
  readonly maxRestarts: number;
  readonly windowMs: number;
  readonly backoffMs: number;
}

/** What was restarted before, and what time it is: all that a plan has to know beside the look. */
export interface Spent {
  readonly ledger: Ledger;
  /** Of the calendar. */
  readonly nowMs: number;
}

/** Those of a container's restarts that count: within the window. One of the future is of a clock that was put back since. */
export function restartsWithin(
  times: readonly number[] | undefined,
  { windowMs }: Budget,
  nowMs: number,
): readonly number[] {
  return (times ?? []).filter((at) => at > nowMs - windowMs && at < nowMs + windowMs);
}

/** The pause after so many restarts: it doubles, but no longer than that all of them find room in the window. */
export function pauseAfterMs(restarts: number, { maxRestarts, windowMs, backoffMs }: Budget): number {
  if (restarts === 0) return 0;
  return Math.min(backoffMs * 2 ** (restarts - 1), Math.max(backoffMs, windowMs / maxRestarts));
}

/** What is left of that pause, when the last restart was at the end of `times`. */
export function pauseLeftMs(times: readonly number[], budget: Budget, nowMs: number): number {
  const last = times.at(-1);
  if (last === undefined) return 0;
  const wholeMs = pauseAfterMs(times.length, budget);
  return Math.min(wholeMs, Math.max(0, last + wholeMs - nowMs));
}

/** The ledger after a run: what counts no more is forgotten. */
export function addToLedger(
  { ledger, nowMs }: Spent,
  made: readonly { readonly id: string; readonly restartedAt: readonly number[] }[],
  budget: Budget,
): Ledger {
  const ids = new Set([...Object.keys(ledger), ...made.map(({ id }) => id)]);
  const entries = [...ids].sort().map((id): readonly [string, readonly number[]] => {
    const added = made.filter((each) => each.id === id).flatMap(({ restartedAt }) => restartedAt);
    return [id, restartsWithin([...(ledger[id] ?? []), ...added], budget, nowMs)];
  });
  return Object.fromEntries(entries.filter(([, times]) => times.length > 0));
}

/** The key of the outputs that keeps the ledger from one run to the next. */
export const LEDGER_KEY = "__restarts";

/** The ledger that outputs have recorded; an empty one where they have none. */
export function recordedLedger(outputs: Properties): Ledger {
  const recorded = outputs[LEDGER_KEY];
  if (!isObject(recorded)) return {};
  const entries = Object.entries(recorded).map(([id, times]): readonly [string, readonly number[]] => {
    const list: readonly unknown[] = Array.isArray(times) ? times : [];
    return [id, list.filter((at): at is number => typeof at === "number")];
  });
  return Object.fromEntries(entries);
}
