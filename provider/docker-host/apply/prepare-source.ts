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
  return plan.some(({ kind }) => kind === "repair-packages") ? repaired(await look()) : seen;
}

/** What dpkg was cut off in while it unpacked only the installation mends: nobody is asked for a repair once more. */
function repaired({ desired, observed }: Seen): Seen {
  return { desired, observed: { ...observed, packages: { ...observed.packages, interrupted: "no" } } };
}
