import { Slots } from "../slots";

/** Exec probes cost about 60 ms of the host's CPU each: so many at once on one engine. */
const AT_ONCE = 4;

const slotsOf = new WeakMap<object, Slots>();

/** Runs `use` when fewer than four others run on the same engine (keyed by its API client). */
export function withExecSlot<T>(engine: object, use: () => Promise<T>): Promise<T> {
  const slots = slotsOf.get(engine) ?? new Slots(AT_ONCE);
  slotsOf.set(engine, slots);
  return slots.within(use);
}
