import { inCrowd } from "../health/crowd";
import { orAborted } from "../or-aborted";
import { Slots } from "../slots";
import type { HostAccess } from "./host-access";

/**
 * An engine starts containers one after another for the most part: told to start ten at once it has all of them up only in the
 * end. By turns the first is at its gate while the last is started, and where old ones stop, they do so in turns, too. Two keep
 * an engine busy; the third is there by the time that word of an end has come from far away.
 */
const AT_ONCE = 3;

/** By machine-id: as many as this process has met. */
const slotsOf = new Map<string, Slots>();

/**
 * Runs `start` when fewer than three others run on the same machine, whichever resource they are of. `onQueued` is called when it has
 * to wait, with the number of starts before it.
 */
export function inStartTurn<T>(
  machineId: string,
  start: () => Promise<T>,
  onQueued?: (before: number) => void,
): Promise<T> {
  if (machineId === "") return start(); // which one it is nobody knows
  const slots = slotsOf.get(machineId) ?? new Slots(AT_ONCE);
  slotsOf.set(machineId, slots);
  return slots.within(start, (waiting) => onQueued?.(waiting + AT_ONCE));
}

/**
 * Starts in its turn, as one more that is under way on the host. When the run is stopped nobody waits for the turn: then it is
 * taken back, and must not be started after that.
 */
export function startInTurn<T>(
  { session, machineId, signal }: Pick<HostAccess, "session" | "machineId" | "signal">,
  start: () => Promise<T>,
  onQueued: (before: number) => void,
): Promise<T> {
  const inTurn = async (): Promise<T> => {
    signal.throwIfAborted();
    return start();
  };
  return orAborted(
    inCrowd(session.target, () => inStartTurn(machineId, inTurn, onQueued)),
    signal,
  );
}
