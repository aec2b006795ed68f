import { SlipwayError } from "../../errors";
import { changedKeys, type DaemonConfig, formatDaemonConfig, keysThatRestart } from "../daemon/config";
import { keysNotInForce } from "../daemon/settings";
import type { Desired } from "../wish/desired";
import { goingOn, type ObservedEngine } from "../look/observed";
import type { Fallback, Operation, RanBefore } from "./operation";
import type { Install } from "./install";
import { parseWanted, satisfies, upstreamOf } from "../packages/version";

/** What changes under the daemon: its packages, its daemon.json, or both. */
export interface EngineChange {
  readonly install: Install | undefined;
  readonly before: DaemonConfig;
  readonly after: DaemonConfig;
  /** One that the daemon to come has to have. */
  readonly logDriver?: string | undefined;
}

/**
 * How the daemon comes to run what is installed and written: one start, restart or reload at most (a start of one that
 * runs has it start at boot).
 * @throws SlipwayError engine-masked
 */
export function planActivation(
  desired: Desired,
  observed: ObservedEngine,
  change: EngineChange,
): readonly Operation[] {
  const operation = activation(desired, observed, change);
  if (operation === undefined) return [];
  if (operation.kind !== "reload") refuseMasked(observed);
  const fallback = fallbackOf(operation, observed, change);
  if (operation.kind === "start") return [{ ...operation, ...fallback }];
  const outlived = containersOutlive(observed, change);
  if (operation.kind === "reload") {
    const restart: Operation = {
      ...{ kind: "restart", outlived, ...fallback },
      cause: "a reload was not enough",
    };
    const otherwise = [restart, ...planLookAfter(desired, observed, change)];
    // a mask forbids the start that a restart is; and those who are to go on end with one before live restore is on
    const mayRestart =
      desired.wish.allowDaemonRestart && observed.masked.length === 0 && !needLiveRestore(observed, change);
    const reload: Operation = { ...operation, ...fallback, ...(mayRestart ? { otherwise } : {}) };
    // it runs already: a start has it start at boot, too
    return observed.enabled || observed.masked.length > 0 ? [reload] : [reload, AT_BOOT];
  }
  const runtime = exchangesRuntime(change.install, observed);
  return [{ ...operation, runtime, outlived, ...fallback }];
}

/** What is looked at when a daemon was started: its version, and who ran before. */
export function planLookAfter(
  { wish }: Desired,
  observed: ObservedEngine,
  change: Pick<EngineChange, "after">,
): readonly Operation[] {
  const cause = "a package's version is not the daemon's";
  const verify: Operation = { kind: "verify", wanted: wish.dockerVersion, cause };
  const ranBefore = whoRan(observed, change);
  return ranBefore === undefined
    ? [verify]
    : [verify, { kind: "revive", ...ranBefore, cause: "they ran before" }];
}

function whoRan(observed: ObservedEngine, change: Pick<EngineChange, "after">): RanBefore | undefined {
  const { running = [], healthy = [] } = observed.daemon ?? {};
  if (running.length === 0) return undefined;
  return { containers: running, healthy, outlived: containersOutlive(observed, change) };
}

/** Containers that outlive the daemon's end are ended by one that starts without live restore: what it was set on by stays. */
function fallbackOf({ kind }: Activation, observed: ObservedEngine, change: EngineChange): Fallback {
  const { before, after, install, logDriver } = change;
  if (changedKeys(before, after).length === 0) return {};
  const isFirst = kind === "restart" || install !== undefined;
  const first = isFirst ? liveRestoreFirst(observed, change) : [];
  const written = first.find((operation) => operation.kind === "write-config");
  const ranBefore = whoRan(observed, change);
  return {
    configBefore: written === undefined ? observed.daemonConfigText : formatDaemonConfig(written.config),
    ...(ranBefore !== undefined && { ranBefore }),
    ...(logDriver !== undefined && { logDriver }),
  };
}

/** The containerd that runs, and a socket whose package was replaced, are those of before until somebody restarts them. */
function exchangesRuntime(install: Install | undefined, { packages, daemon }: ObservedEngine): boolean {
  const coming = install?.packages.find(({ name }) => name === "containerd.io");
  const present = packages.installed["containerd.io"];
  const isOther = coming?.version !== undefined && present !== undefined && coming.version !== present;
  const isReplaced = install !== undefined && install.remove.length > 0;
  // of one that was there without an engine, too
  return isReplaced || (daemon !== undefined && isOther);
}

/** Who forbade a service to start meant it. */
function refuseMasked({ target, masked, daemon }: ObservedEngine): void {
  if (masked.length === 0) return;
  throw new SlipwayError({
    code: "engine-masked",
    what: "starting the Docker daemon",
    host: target,
    why: `${masked.join(", ")} ${masked.length === 1 ? "is" : "are"} masked: somebody forbade the start`,
    left: daemon === undefined ? "No engine runs there" : "Nothing was changed on the host",
    next: `Run \`systemctl unmask ${masked.join(" ")}\` on the host, then pulumi up again`,
  });
}

const AT_BOOT = { kind: "start", cause: "it does not start at boot" } as const;

type Activation = Extract<Operation, { readonly kind: "start" | "restart" | "reload" }>;

function activation(
  { wish }: Desired,
  { daemon, enabled, foreign }: ObservedEngine,
  { install, before, after }: EngineChange,
): Activation | undefined {
  // a snap's daemon ends with the snap
  if (daemon === undefined || foreign.some((engine) => engine.kind === "snap")) {
    if (install !== undefined) return { kind: "restart", cause: "its first start with this configuration" };
    return { kind: "start", cause: "it is not running" };
  }
  const running = upstreamOf(daemon.version) ?? daemon.version;
  if (!satisfies(daemon.version, wish.dockerVersion)) {
    const cause =
      install === undefined
        ? `${running} runs, another version is installed`
        : `${running} goes on running until then`;
    return { kind: "restart", cause };
  }
  if (install !== undefined && install.remove.length > 0) {
    return { kind: "restart", cause: `that of ${install.remove.join(", ")} goes on running until then` };
  }
  const hard = keysThatRestart(before, after);
  if (hard.length > 0) return { kind: "restart", cause: `${hard.join(", ")} changed` };
  const soft = changedKeys(before, after);
  if (soft.length > 0)
    return { kind: "reload", expected: pick(after, soft), cause: `${soft.join(", ")} changed` };
  // a run that was cut off before its reload, or somebody's flag
  const idle = keysNotInForce(pick(after, Object.keys(wish.daemonConfig)), daemon.settings);
  if (idle.length > 0) {
    const cause = `${idle.join(", ")} of daemon.json ${idle.length === 1 ? "is" : "are"} not in force`;
    return { kind: "reload", expected: pick(after, idle), cause };
  }
  return enabled ? undefined : AT_BOOT;
}

function pick(config: DaemonConfig, keys: readonly string[]): DaemonConfig {
  return Object.fromEntries(keys.filter((key) => key in config).map((key) => [key, config[key]]));
}

/** The version of the daemon that this change starts, as far as it is known; undefined where it starts none. */
export function comingVersion(
  { wish, names }: Desired,
  { daemon, packages }: ObservedEngine,
  { install, before, after }: EngineChange,
): string | undefined {
  if (install !== undefined) {
    const isExact = parseWanted(wish.dockerVersion) === "exact";
    return install.packages[0]?.version ?? (isExact ? wish.dockerVersion : undefined);
  }
  const isOther = daemon !== undefined && !satisfies(daemon.version, wish.dockerVersion);
  const restarts = isOther || keysThatRestart(before, after).length > 0;
  return restarts ? packages.installed[names[0] ?? ""] : undefined;
}

/** Whether there are containers that go on while the daemon is restarted. */
function containersOutlive(
  { daemon, foreign }: ObservedEngine,
  { after }: Pick<EngineChange, "after">,
): boolean {
  // a snap's daemon reads another file, and its containers end with it
  const isSnap = foreign.some((engine) => engine.kind === "snap");
  return daemon !== undefined && goingOn(daemon).length > 0 && !isSnap && after["live-restore"] === true;
}

/** Containers outlive a restart only when live restore is on before it. */
function needLiveRestore(observed: ObservedEngine, change: EngineChange): boolean {
  return observed.daemon?.summary.liveRestore === false && containersOutlive(observed, change);
}

/** Switches it on where a restart needs that. */
export function liveRestoreFirst(observed: ObservedEngine, change: EngineChange): readonly Operation[] {
  if (!needLiveRestore(observed, change)) return [];
  const config = { ...change.before, "live-restore": true };
  const cause = "the running containers are to outlive the restart";
  return [
    { kind: "write-config", config, keys: ["live-restore"], cause },
    {
      kind: "reload",
      expected: { "live-restore": true },
      configBefore: observed.daemonConfigText,
      cause,
    },
  ];
}
