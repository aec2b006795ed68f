import { SlipwayError } from "../../errors";
import { changedKeys, type DaemonConfig, DAEMON_CONFIG_PATH, mergeDaemonConfig } from "../daemon/config";
import type { Desired } from "../wish/desired";
import { refuseOtherStore } from "./image-store";
import type { ObservedEngine } from "../look/observed";
import type { Operation } from "./operation";
import { comingVersion, liveRestoreFirst, planActivation, planLookAfter } from "./activation";
import { type Install, planInstall } from "./install";
import { logDriverToAsk } from "./log-driver";
import { planOtherSource } from "./source";
import type { Offer } from "../packages/version";
import type { EngineWish } from "../wish/wish";

/** Stale rules lead to where containers were. */
export const RULES_LEFT: Operation = { kind: "clear-restart-rules", cause: "it was cut off" };

/**
 * The way from what was observed to what is wanted. Without `offers` (nobody asked yet) packages stand without versions;
 * the plan is empty exactly when there is nothing to do.
 * @throws SlipwayError engine-version-unavailable, engine-store-changes, engine-masked, daemon-config-invalid, invalid-input
 */
export function planEngine(
  desired: Desired,
  observed: ObservedEngine,
  offers?: readonly Offer[],
  going?: readonly string[],
): readonly Operation[] {
  const { wish, former } = desired;
  const install = planInstall(desired, observed, offers, going);
  const before = currentConfig(observed);
  const after = mergeDaemonConfig(before, wishedConfig(wish, observed), former?.daemonConfig);
  const logDriver = logDriverToAsk(desired, observed, install);
  const change = { install, before, after, logDriver };
  const coming = comingVersion(desired, observed, change);
  if (coming !== undefined) refuseOtherStore(observed, coming, after);
  const activation = planActivation(desired, observed, change);
  const restarts = activation.some((operation) => operation.kind === "restart");
  const plan: Operation[] = observed.restartRules ? [RULES_LEFT] : [];
  // what an installation needs is there before it is planned
  if (install === undefined && observed.packages.interrupted !== "by us")
    plan.push(...planOtherSource(desired, observed));
  if (install !== undefined || restarts) plan.push(...liveRestoreFirst(observed, change));
  const snap = observed.foreign.find((engine) => engine.kind === "snap");
  if (install !== undefined && snap !== undefined) {
    if (snap.store === "movable")
      plan.push({ kind: "move-snap-store", cause: "adopt: true, nothing is lost" });
    plan.push({ kind: "remove-snap", cause: "adopt: true" });
  }
  if (install !== undefined) plan.push(install);
  else if (observed.packages.hasStaleMark) plan.push({ kind: "forget-change", cause: "it came to its end" });
  // whatever comes after may fail, and somebody's upgrade come in between
  plan.push(...planHolds(desired, observed, install));
  const written = plan.findLast((operation) => operation.kind === "write-config")?.config;
  const keys = changedKeys(written ?? before, after);
  if (keys.length > 0) {
    const cause = keys.some((key) => key in after) ? "the program sets it" : "the program sets it no more";
    plan.push({ kind: "write-config", config: after, keys, ...(written && { again: true }), cause });
  }
  plan.push(...activation);
  if (install !== undefined || activation.some((operation) => operation.kind !== "reload")) {
    plan.push(...planLookAfter(desired, observed, change));
  }
  return [...plan, ...planUsers(desired, observed)];
}

function currentConfig(observed: ObservedEngine): DaemonConfig {
  if (observed.daemonConfig !== undefined) return observed.daemonConfig;
  throw new SlipwayError({
    code: "daemon-config-invalid",
    what: `reading ${DAEMON_CONFIG_PATH}`,
    host: observed.target,
    why: "it is not a JSON object",
    left: "It was left as it is",
    next: "Put it right or remove it, then run pulumi up again",
  });
}

/**
 * A swarm cannot have live restore, and goes without. Where the program asks for it a running daemon would take it over without
 * a word, and not start the next time.
 */
function wishedConfig(wish: EngineWish, observed: ObservedEngine): DaemonConfig {
  if (observed.daemon?.swarm !== true || wish.daemonConfig["live-restore"] !== true) return wish.daemonConfig;
  if (wish.liveRestoreIsExplicit) {
    throw new SlipwayError({
      code: "invalid-input",
      what: "switching live restore on",
      host: observed.target,
      why: "its engine is in a swarm, and does not start with live restore",
      left: "Nothing was changed on the host",
      next: "Take liveRestore out of the program, or set it to false",
    });
  }
  return Object.fromEntries(Object.entries(wish.daemonConfig).filter(([key]) => key !== "live-restore"));
}

function planHolds(
  { wish, names, dependencies, followers, former }: Desired,
  observed: ObservedEngine,
  install: Install | undefined,
): readonly Operation[] {
  const { installed, held } = observed.packages;
  const mine = [...new Set([...names, ...dependencies, ...followers])].filter(
    (name) => !install?.remove.includes(name),
  );
  if (!wish.hold) {
    const packages = former?.hold === true ? mine.filter((name) => held.includes(name)) : [];
    return packages.length > 0 ? [{ kind: "unhold", packages, cause: "hold: false" }] : [];
  }
  const coming = install === undefined ? [] : [...install.packages.map(({ name }) => name), ...dependencies];
  const present = mine.filter((name) => name in installed || coming.includes(name));
  // apt takes the hold off a package that it changes
  const packages = present.filter((name) => !held.includes(name) || coming.includes(name));
  if (packages.length === 0) return [];
  return [
    {
      kind: "hold",
      packages,
      cause: install === undefined ? "the hold was lost" : "nobody else is to upgrade them",
    },
  ];
}

function planUsers({ wish, former }: Desired, observed: ObservedEngine): readonly Operation[] {
  const missing = wish.dockerUsers.filter((user) => observed.users[user] === "missing");
  if (missing.length > 0) {
    throw new SlipwayError({
      code: "invalid-input",
      what: "setting dockerUsers",
      host: observed.target,
      why: `the host has no user ${missing.join(", ")}`,
      left: "Nothing was changed on the host",
      next: "Create the user there first, or take the name out of dockerUsers",
    });
  }
  const added = wish.dockerUsers.filter((user) => observed.users[user] !== "member");
  const gone = (former?.dockerUsers ?? []).filter(
    (user) => !wish.dockerUsers.includes(user) && observed.users[user] === "member",
  );
  return [
    ...added.map((user): Operation => ({ kind: "add-user", user, cause: "dockerUsers names it" })),
    ...gone.map(
      (user): Operation => ({ kind: "remove-user", user, cause: "dockerUsers no longer names it" }),
    ),
  ];
}
