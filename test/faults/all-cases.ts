import { SWAP_CASES } from "./cases/swap";
import type { FaultCase } from "./fault-case";

/** The whole suite, in the order in which it is run; those with live-restore last, so that the engine is set up once. */
export const CASES: readonly FaultCase[] = [...SWAP_CASES].sort(
  (a, b) => Number(a.liveRestore === true) - Number(b.liveRestore === true),
);

const names = new Set(CASES.map(({ name }) => name));
if (names.size !== CASES.length) throw new Error("two cases have one name");
