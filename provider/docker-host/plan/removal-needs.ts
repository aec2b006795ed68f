import { SlipwayError } from "../../errors";
import type { ConsentNeed } from "./consent";
import type { Desired } from "../wish/desired";
import type { ObservedEngine } from "../look/observed";
import type { Operation } from "./operation";
import type { InstallOrder } from "../packages/package-family";

/** The installation of a plan, as a package manager is asked for what that would take along; undefined where nobody is asked. */
export function orderOf(plan: readonly Operation[]): InstallOrder | undefined {
  const install = plan.find((operation) => operation.kind === "install");
  // what cannot stay beside uploaded packages is seen when they are there
  if (install === undefined || install.files !== undefined) return undefined;
  const { packages, remove, downgrade, lowers } = install;
  return { install: packages, remove, allowDowngrade: downgrade || lowers };
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
