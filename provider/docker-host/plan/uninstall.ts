import type { Desired } from "../wish/desired";
import { goingOn, type ObservedEngine } from "../look/observed";
import type { Operation } from "./operation";
import { RULES_LEFT } from "./plan";
import { purgeFolders } from "./purge-folders";

/**
 * What has to be finished, and the machine looked at anew, before its packages can be taken off: what the package manager left
 * half done is neither installed nor gone.
 */
export function planRepair(desired: Desired, { packages }: ObservedEngine): readonly Operation[] {
  const isNeeded = packages.interrupted === "by us" || presentOf(desired, packages).length > 0;
  if (packages.interrupted === "no" || !isNeeded) return [];
  return [{ kind: "repair-packages", cause: "an earlier run was cut off" }];
}

/**
 * What takes Docker off a machine, from however much of it is still there: a run that was cut off anywhere is gone on with by
 * the next one. `rootDirectory` is what the state knows of it, for an engine that does not run any more; `kept` are packages that others
 * need.
 */
export function planUninstall(
  desired: Desired,
  observed: ObservedEngine,
  rootDirectory: string | undefined,
  kept: readonly string[] = [],
): readonly Operation[] {
  const { wish } = desired;
  const { packages, daemon } = observed;
  const present = presentOf(desired, packages);
  const leaving = present.filter((name) => !kept.includes(name));
  const held = mineOf(desired).filter((name) => leaving.includes(name) || packages.held.includes(name));
  const plan: Operation[] = observed.restartRules ? [RULES_LEFT] : [];
  const cause = "uninstallOnDelete: true";
  const containers = daemon === undefined ? observed.outlived : goingOn(daemon);
  if (leaving.length > 0 && containers.length > 0) {
    const cause =
      daemon === undefined ? "they go on without an engine" : "they would go on without an engine";
    plan.push({ kind: "stop-containers", containers, byDaemon: daemon !== undefined, cause });
  }
  if (held.length > 0) plan.push({ kind: "unhold", packages: held, cause });
  if (leaving.length > 0) plan.push({ kind: "remove", packages: leaving, cause });
  if (packages.sourceFile !== undefined || packages.keyFingerprints.length > 0)
    plan.push({ kind: "remove-source", cause });
  if (wish.purge && observed.foreign.length === 0) {
    const folders = purgeFolders(daemon?.summary.rootDirectory ?? configuredRoot(observed) ?? rootDirectory);
    const own = folders.filter((folder) => !kept.some((name) => folder === `/var/lib/${name}`));
    plan.push({ kind: "purge", folders: own, cause: "purge: true" });
  }
  if (packages.hasStaleMark && leaving.length === 0)
    plan.push({ kind: "forget-change", cause: "it came to its end" });
  return plan;
}

/** Those of the engine's packages that are installed. */
export function presentOf(desired: Desired, { installed }: ObservedEngine["packages"]): readonly string[] {
  return mineOf(desired).filter((name) => name in installed);
}

function mineOf({ names, dependencies, followers }: Desired): readonly string[] {
  return [...new Set([...names, ...dependencies, ...followers])];
}

function configuredRoot({ daemonConfig }: ObservedEngine): string | undefined {
  const root = daemonConfig?.["data-root"];
  return typeof root === "string" ? root : undefined;
}
