import type { Seen } from "../look/observe";
import { planSource } from "../plan/source";
import { execute } from "./execute";
import type { ExecuteContext } from "./execute-context";

/**
 * Brings about what has to be there before the package source can be asked; returns the machine as the rest is to be planned on.
 * After a repair that is what a new look says: what was half done is installed now, or gone.
 */
export async function prepareSource(
  seen: Seen,
  around: ExecuteContext,
  look: () => Promise<Seen>,
): Promise<Seen> {
  const plan = planSource(seen.desired, seen.observed);
  await execute(plan, around);
  return plan.some(({ kind }) => kind === "repair-packages") ? look() : seen;
}
