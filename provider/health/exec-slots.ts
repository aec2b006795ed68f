/** Exec probes cost about 60 ms of the host's CPU each: so many at once on one engine. */
const AT_ONCE = 4;

interface Slots {
  free: number;
  readonly waiting: (() => void)[];
}

const slotsOf = new WeakMap<object, Slots>();

/** Runs `use` when fewer than four others run on the same engine (keyed by its API client). */
export async function withExecSlot<T>(engine: object, use: () => Promise<T>): Promise<T> {
  const slots = slotsOf.get(engine) ?? { free: AT_ONCE, waiting: [] };
  slotsOf.set(engine, slots);
  if (slots.free > 0) slots.free--;
  else await new Promise<void>((resolve) => slots.waiting.push(resolve));
  try {
    return await use();
  } finally {
    const next = slots.waiting.shift();
    if (next === undefined) slots.free++;
    else next();
  }
}
