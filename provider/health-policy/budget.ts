import type { Properties } from "../handler";
import { isObject } from "../values";

/** When the policy restarted containers, by container id: milliseconds of the calendar, oldest first. */
export type Ledger = Readonly<Record<string, readonly number[]>>;

/** One that was made: of which container, and when, in milliseconds of the calendar. */
export interface Restart {
  readonly id: string;
  readonly at: number;
}

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
export function addToLedger({ ledger, nowMs }: Spent, made: readonly Restart[], budget: Budget): Ledger {
  const ids = new Set([...Object.keys(ledger), ...made.map(({ id }) => id)]);
  const entries = [...ids].sort().map((id): readonly [string, readonly number[]] => {
    const added = made.filter((each) => each.id === id).map(({ at }) => at);
    return [id, restartsWithin([...(ledger[id] ?? []), ...added], budget, nowMs)];
  });
  return Object.fromEntries(entries.filter(([, times]) => times.length > 0));
}

/** Two clocks that were compared at two times may differ by so much over the same moment. */
const SAME_MS = 3_000;

/** Both budgets as one. A restart that both know of counts once: `first` knows it better. */
export function mergeLedgers(first: Ledger, second: Ledger): Ledger {
  const ids = [...new Set([...Object.keys(first), ...Object.keys(second)])].sort();
  const times = (id: string): readonly number[] => {
    const known = first[id] ?? [];
    const more = (second[id] ?? []).filter((at) => !known.some((each) => Math.abs(each - at) <= SAME_MS));
    return [...known, ...more].sort((a, b) => a - b);
  };
  return Object.fromEntries(ids.map((id) => [id, times(id)]));
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
