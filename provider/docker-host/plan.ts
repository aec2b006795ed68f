import { SlipwayError } from "../errors";
import {
  changedKeys,
  type DaemonConfig,
  DAEMON_CONFIG_PATH,
  keysThatRestart,
  mergeDaemonConfig,
} from "./daemon-config";
import type { Desired } from "./desired";
import type { ObservedEngine } from "./observed";
import type { Operation } from "./operation";
import { type Install, planInstall } from "./plan-install";
import { type Offer, satisfies, upstreamOf } from "./version";
import type { EngineWish } from "./wish";

/**
 * The way from what was observed to what is wanted. Without `offers` (nobody asked yet) packages stand without versions;
 * the plan is empty exactly when there is nothing to do.
 * @throws SlipwayError engine-version-unavailable, daemon-config-invalid, invalid-input
 */
export function planEngine(
  desired: Desired,
  observed: ObservedEngine,
  offers?: readonly Offer[],
): readonly Operation[] {
  const { wish, former } = desired;
  const install = planInstall(desired, observed, offers);
  const before = currentConfig(observed);
  const after = mergeDaemonConfig(before, wishedConfig(wish, observed), former?.daemonConfig);
  const keys = changedKeys(before, after);
  const first = install === undefined ? undefined : liveRestoreFirst(observed, before, after);
  const activation = planActivation(desired, observed, install, keys).map((operation) =>
    withFallback(operation, observed, keys),
  );
  const plan: Operation[] = [...(first ?? [])];
  const snap = observed.foreign.find((engine) => engine.kind === "snap");
  if (install !== undefined && snap !== undefined) {
    if (snap.store === "movable")
      plan.push({ kind: "move-snap-store", cause: "adopt: true, nothing is lost" });
    plan.push({ kind: "remove-snap", cause: "adopt: true" });
  }
  if (install !== undefined) plan.push(install);
  if (keys.length > 0) plan.push({ kind: "write-config", config: after, keys, cause: "the program sets it" });
  plan.push(...activation);
  if (install !== undefined || activation.some((operation) => operation.kind !== "reload")) {
    plan.push({
      kind: "verify",
      wanted: wish.dockerVersion,
      cause: "a package's version is not the daemon's",
    });
    const containers = observed.daemon?.running ?? [];
    if (containers.length > 0) plan.push({ kind: "revive", containers, cause: "they ran before" });
  }
  return [...plan, ...planHolds(desired, observed, install), ...planUsers(desired, observed)];
}

/** Containers outlive the restart only when live restore is on before it. */
function liveRestoreFirst(
  observed: ObservedEngine,
  before: DaemonConfig,
  after: DaemonConfig,
): readonly Operation[] {
  const wanted = after["live-restore"] === true && observed.daemon?.summary.liveRestore === false;
  if (!wanted || observed.daemon.running.length === 0) return [];
  const config = { ...before, "live-restore": true };
  const cause = "the running containers are to outlive the restart";
  return [
    { kind: "write-config", config, keys: ["live-restore"], cause },
    { kind: "reload", cause },
  ];
}

function planActivation(
  { wish }: Desired,
  { daemon, enabled }: ObservedEngine,
  install: Install | undefined,
  keys: readonly string[],
): readonly Operation[] {
  if (daemon === undefined) {
    if (install !== undefined) return [{ kind: "restart", cause: "its first start with this configuration" }];
    return [{ kind: "start", cause: "it is not running" }];
  }
  if (install !== undefined && !satisfies(daemon.version, wish.dockerVersion)) {
    return [
      {
        kind: "restart",
        cause: `${upstreamOf(daemon.version) ?? daemon.version} goes on running until then`,
      },
    ];
  }
  if (!satisfies(daemon.version, wish.dockerVersion)) {
    return [
      {
        kind: "restart",
        cause: `${upstreamOf(daemon.version) ?? daemon.version} runs, another version is installed`,
      },
    ];
  }
  const hard = keysThatRestart(keys);
  if (hard.length > 0) return [{ kind: "restart", cause: `${hard.join(", ")} changed` }];
  if (keys.length > 0) return [{ kind: "reload", cause: `${keys.join(", ")} changed` }];
  return enabled ? [] : [{ kind: "start", cause: "it does not start at boot" }];
}

function withFallback(operation: Operation, observed: ObservedEngine, keys: readonly string[]): Operation {
  const isStart = operation.kind === "start" || operation.kind === "restart";
  return isStart && keys.length > 0 ? { ...operation, configBefore: observed.daemonConfigText } : operation;
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

/** A swarm cannot have live restore: it goes without, unless the program asks for it. */
function wishedConfig(wish: EngineWish, observed: ObservedEngine): DaemonConfig {
  if (wish.liveRestoreIsExplicit || observed.daemon?.swarm !== true) return wish.daemonConfig;
  return Object.fromEntries(Object.entries(wish.daemonConfig).filter(([key]) => key !== "live-restore"));
}

function planHolds(
  { wish, names, dependencies, former }: Desired,
  observed: ObservedEngine,
  install: Install | undefined,
): readonly Operation[] {
  const { installed, held } = observed.packages;
  const mine = [...names, ...dependencies].filter((name) => !install?.remove.includes(name));
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
