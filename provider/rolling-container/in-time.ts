import { formatDuration } from "../duration";
import { SlipwayError } from "../errors";
import { withTimeLimit } from "../health/time-limit";
import type { HostAccess } from "./host-access";
import type { Operation } from "./operation";

const MINUTE_MS = 60_000;
/** One look at the lock, or at a whole host. */
export const LOOK_MS = MINUTE_MS;

/** What stands where nothing has been begun yet, and the engine does not answer. */
export const UNTOUCHED = "Nothing was touched; what runs there goes on";

/**
 * Does work that waits for the engine, for at most `timeoutMs`: a daemon that hangs must not hold a rollout for ever. `left`:
 * what stands when it is late, for work that changes nothing.
 * @throws SlipwayError engine-unreachable when it is late: whether the work was done is not known then
 */
export async function inTime<T>(
  { session, clock, signal }: Pick<HostAccess, "session" | "clock" | "signal">,
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
    next: `Look at systemctl status docker there; ${left === undefined ? "the next pulumi up looks what was done, and goes on from there" : "when it answers again, run it again"}`,
  });
}

/** How long one operation may take. Copying a volume's first content, or removing a large container, takes its time. */
export function limitOf(operation: Operation, stopTimeoutMs = 10_000): number {
  switch (operation.kind) {
    case "create":
    case "start":
    case "remove":
    case "remove-volume":
    case "untag":
      return 3 * MINUTE_MS;
    // a change of a proxy waits for others' changes of it first, and for an exchange of the proxy itself
    case "write-route":
    case "remove-route":
    case "ready-server":
    case "drain-server":
    case "remove-server":
      return 8 * MINUTE_MS;
    case "await-drained":
      return operation.timeoutMs + MINUTE_MS;
    case "stop":
      return stopTimeoutMs + MINUTE_MS;
    case "gate":
    case "await-exit":
      return operation.deadlineMs + MINUTE_MS;
    default:
      return MINUTE_MS;
  }
}
