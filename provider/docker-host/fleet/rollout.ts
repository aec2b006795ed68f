import { SlipwayError } from "../../errors";

/**
 * Whom a host waits for: all of those before it but the last `parallelism - 1`. A fleet in which each host names all before it
 * has at most `parallelism` in change at any moment.
 * @throws SlipwayError invalid-input
 */
export function waitsFor<T>(after: readonly T[], parallelism = 1): readonly T[] {
  if (!Number.isInteger(parallelism) || parallelism < 1) {
    throw new SlipwayError({
      code: "invalid-input",
      what: "reading rollout.parallelism",
      why: `it is ${String(parallelism)}, and must be a whole number from 1 on`,
    });
  }
  return after.slice(0, Math.max(0, after.length - parallelism + 1));
}
