import { SlipwayError } from "../../errors";
import type { HostSession } from "../../host/session";
import type { Seen } from "../look/observe";
import type { PackageFamily } from "../packages/package-family";
import { presentOf } from "../plan/uninstall";

/** Packages that stay when the engine goes, and what would go with them. */
export interface NeededByOthers {
  readonly packages: readonly string[];
  readonly others: readonly string[];
}

/**
 * What the engine brought along (containerd, runc) and others need by now, as the machine's own package manager has it. Changes
 * nothing.
 * @throws SlipwayError engine-foreign where others need the engine itself
 */
export async function neededByOthers(
  { desired, observed }: Seen,
  session: HostSession,
  family: PackageFamily,
  signal: AbortSignal,
): Promise<NeededByOthers> {
  const { installed } = observed.packages;
  const present = presentOf(desired, observed.packages);
  const goingWith = async (remove: readonly string[]): Promise<readonly string[]> => {
    const order = { install: [], remove, allowDowngrade: false };
    const going = remove.length === 0 ? [] : await family.removals(session, order, signal);
    return going.filter((name) => !(name in installed));
  };
  const others = await goingWith(present);
  if (others.length === 0) return { packages: [], others };
  const packages = present.filter((name) => desired.dependencies.includes(name));
  const lost = await goingWith(present.filter((name) => !packages.includes(name)));
  if (lost.length === 0) return { packages, others };
  throw new SlipwayError({
    code: "engine-foreign",
    what: "uninstalling Docker",
    host: session.target,
    why: `it cannot go without ${lost.join(", ")}, which need it`,
    left: "No package was changed",
    next: "Remove them by hand, then run pulumi destroy again; or set uninstallOnDelete: false, and Docker stays",
  });
}
