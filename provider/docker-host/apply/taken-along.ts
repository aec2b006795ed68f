import { SlipwayError } from "../../errors";
import type { HostSession } from "../../host/session";
import type { ConsentNeed } from "../plan/consent";
import type { Desired } from "../wish/desired";
import type { ObservedEngine } from "../look/observed";
import type { Operation } from "../plan/operation";
import type { PackageFamily } from "../packages/package-family";

/** What the installation of a plan would take off the machine beside what the plan names. Changes nothing. */
export async function removalsOf(
  plan: readonly Operation[],
  session: HostSession,
  family: PackageFamily,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const install = plan.find((operation) => operation.kind === "install");
  // what cannot stay beside uploaded packages is seen when they are there
  if (install === undefined || install.files !== undefined) return [];
  const { packages, remove, downgrade, lowers } = install;
  const order = { install: packages, remove, allowDowngrade: downgrade || lowers };
  return family.removals(session, order, signal);
}

/**
 * Parts of another engine go on consent; what is no part of an engine (kubelet, podman) never does.
 * @throws SlipwayError engine-foreign
 */
export function removalNeeds(
  going: readonly string[],
  { names, dependencies, followers }: Desired,
  observed: ObservedEngine,
): readonly ConsentNeed[] {
  const own = [...names, ...dependencies, ...followers];
  const parts = going.filter((name) => name in observed.packages.installed);
  const others = going.filter((name) => !parts.includes(name));
  if (others.length > 0) throw inUse(others, parts, names[0] ?? "", observed.target);
  const foreign = parts.filter((name) => !own.includes(name));
  if (foreign.length === 0) return [];
  const cause = `${foreign.join(", ")} cannot stay beside ${names[0] ?? "Docker"} and would be removed`;
  return [{ flag: "adopt", cause }];
}

function inUse(
  others: readonly string[],
  parts: readonly string[],
  engine: string,
  host: string,
): SlipwayError {
  const along = parts.length === 0 ? "" : `, which need ${parts.join(", ")}`;
  return new SlipwayError({
    code: "engine-foreign",
    what: `installing ${engine}`,
    host,
    why: `that would remove ${others.join(", ")}${along}`,
    left: "No package was changed",
    next: 'Remove them by hand, or set source: "distro", whose engine goes with them',
  });
}
