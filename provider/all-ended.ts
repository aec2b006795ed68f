import { isSlipwayError, messageOf, SlipwayError } from "./errors";

/**
 * Waits until all of the work has ended, also when some of it failed: nothing goes on behind the back of the caller, who
 * may give locks and connections back. Gives the results in their order.
 * @throws what failed; where several failed one error with all of them, see {@link oneErrorOf}
 */
export async function allEnded<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  const ended = await Promise.allSettled(work);
  const failures = ended.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
  if (failures.length > 0) throw oneErrorOf(failures);
  return ended.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
}

/** The first failure, which says what happened and what to do, with the others as its evidence. */
export function oneErrorOf([first, ...others]: readonly unknown[]): Error {
  if (others.length === 0 && first instanceof Error) return first;
  const also = others.map(messageOf);
  if (!isSlipwayError(first)) return new Error([messageOf(first), ...also].join("\n"), { cause: first });
  const evidence = [first.parts.evidence, ...also].filter(Boolean).join("\n");
  return new SlipwayError({ ...first.parts, evidence });
}
