/**
 * An engine starts containers one after another for the most part: told to start ten at once it has all of them up only in the
 * end. By turns the first is at its gate while the last is started, and where old ones stop, they do so in turns, too.
 */
const AT_ONCE = 2;

interface Turns {
  free: number;
  readonly waiting: (() => void)[];
}

const turnsOf = new Map<string, Turns>();

/** Runs `start` when fewer than two others run on the same machine, whichever resource they are of. */
export async function inStartTurn<T>(machineId: string, start: () => Promise<T>): Promise<T> {
  if (machineId === "") return start(); // which one it is nobody knows
  const turns = turnsOf.get(machineId) ?? { free: AT_ONCE, waiting: [] };
  turnsOf.set(machineId, turns);
  if (turns.free > 0) turns.free--;
  else await new Promise<void>((resolve) => turns.waiting.push(resolve));
  try {
    return await start();
  } finally {
    const next = turns.waiting.shift();
    if (next !== undefined) next();
    else if (++turns.free === AT_ONCE) turnsOf.delete(machineId);
  }
}
