import type { Clock } from "../clock";
import { formatDuration } from "../duration";
import { SlipwayError } from "../errors";
import { withTimeLimit } from "../health/time-limit";
import { LOOK_AT_DAEMON } from "../host/daemon-log";
import type { HostSession } from "../host/session";

/** One look at a lock, or at a whole host. */
export const LOOK_MS = 60_000;

/** What stands where nothing has been begun yet, and the engine does not answer. */
export const UNTOUCHED = "Nothing was touched; what runs there goes on";

/** Whose engine is waited for, and by whose time. */
export interface InTimeAccess {
  readonly session: Pick<HostSession, "target">;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Does work that waits for the engine, for at most `timeoutMs`: a daemon that hangs must not hold a run for ever. `left`:
 * what stands when it is late, for work that changes nothing.
 * @throws SlipwayError engine-unreachable when it is late: whether the work was done is not known then
 */
export async function inTime<T>(
  { session, clock, signal }: InTimeAccess,
  what: string,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
  left?: string,
): Promise<T> {
  if (!Number.isFinite(timeoutMs)) return work(signal);
  const end = await withTimeLimit({ timeoutMs, signal, clock }, work);
  if (end.kind === "done") return end.value;
  throw new SlipwayError({
    code: "engine-unreachable",
    what,
    host: session.target,
    why: `the engine did not answer${left === undefined ? ", and whether it was done is not known" : ""}`,
    after: `waited ${formatDuration(timeoutMs)}`,
    ...(left === undefined ? {} : { left }),
    next: `${LOOK_AT_DAEMON}; ${left === undefined ? "the next pulumi up looks what was done, and goes on from there" : "when it answers again, run it again"}`,
  });
}
