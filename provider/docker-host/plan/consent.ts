import { SlipwayError } from "../../errors";
import type { Properties } from "../../handler";
import { keysThatRestart } from "../daemon/config";
import { type ForeignEngine, goingOn, type ObservedEngine } from "../look/observed";
import type { Operation } from "./operation";
import { presentVersions } from "./install";
import { compareVersions, directionOf, upstreamOf } from "../packages/version";
import type { EngineWish } from "../wish/wish";

/** What the program has to have allowed before something is done. */
export interface ConsentNeed {
  readonly flag: "allowDaemonRestart" | "allowDowngrade" | "allowPackageRepair" | "adopt";
  /** Why, as a part of a sentence: `28.5.2 to 26.1.5 is a downgrade`. */
  readonly cause: string;
}

type Flags = Pick<EngineWish, ConsentNeed["flag"]>;

/** @throws SlipwayError engine-consent, naming every flag that is missing */
export function refuseWithoutConsent(
  host: string,
  flags: Flags,
  needs: readonly ConsentNeed[],
  left = "Nothing was changed on the host",
): void {
  const missing = needs.filter((need) => !flags[need.flag]);
  const set = missingFlags(flags, needs);
  if (set === undefined) return;
  throw new SlipwayError({
    code: missing.some((need) => need.flag === "adopt") ? "engine-foreign" : "engine-consent",
    what: "changing Docker",
    host,
    why: missing.map((need) => need.cause).join("; "),
    left,
    next: `Set ${set} on this DockerHost to allow it`,
  });
}

/** What is to be set before this is allowed: `adopt: true and allowDaemonRestart: true`; undefined when nothing is missing. */
export function missingFlags(flags: Flags, needs: readonly ConsentNeed[]): string | undefined {
  const missing = needs.filter((need) => !flags[need.flag]);
  return missing.length === 0
    ? undefined
    : [...new Set(missing.map(({ flag }) => `${flag}: true`))].join(" and ");
}

/** What these operations need. A daemon that was not running, or is new and empty, may be restarted freely. */
export function consentNeeds(
  plan: readonly Operation[],
  observed: ObservedEngine,
  managed: boolean,
  wanted: string,
): readonly ConsentNeed[] {
  const needs: ConsentNeed[] = [];
  const restart = plan.find((operation) => operation.kind === "restart");
  const install = plan.find((operation) => operation.kind === "install");
  if (install?.downgrade === true) {
    const now = newest(presentVersions(observed, install.packages[0]?.name ?? ""));
    const cause = `going from ${upstreamOf(now) ?? now} to ${wanted} is a downgrade`;
    needs.push({ flag: "allowDowngrade", cause });
  }
  const inUse = observed.daemon !== undefined && (managed || goingOn(observed.daemon).length > 0);
  const why = replacementCause(plan, install?.remove ?? []) ?? restart?.cause;
  if (why !== undefined && inUse) {
    const { running, halted } = observed.daemon;
    const idle = halted.length === 0 ? "" : `, ${halted.length} paused or restarting`;
    const cause = `the running daemon has to be restarted (${why}; ${running.length} running containers${idle})`;
    needs.push({ flag: "allowDaemonRestart", cause });
  }
  if (restart !== undefined && observed.unheard) {
    const cause = "a daemon is active whose API cannot be reached, and what runs under it is not known";
    needs.push({ flag: "allowDaemonRestart", cause });
  }
  return needs;
}

/** Another package's daemon ends with its package, whatever its version. */
function replacementCause(plan: readonly Operation[], removed: readonly string[]): string | undefined {
  if (plan.some((operation) => operation.kind === "remove-snap")) return "the docker snap is replaced";
  return removed.length > 0 ? `${removed.join(", ")} are replaced` : undefined;
}

/** What is installed may be newer than what runs: the higher of the two is what one goes down from. */
function newest(versions: readonly string[]): string {
  return versions.reduce((best, version) => (compareVersions(version, best) > 0 ? version : best), "");
}

/** The foreign engines as needs for `adopt`. */
export function adoptionNeeds(observed: ObservedEngine): readonly ConsentNeed[] {
  return observed.foreign.flatMap((engine): readonly ConsentNeed[] => {
    const what = foreignName(engine);
    return what === "" ? [] : [{ flag: "adopt", cause: `Docker came there another way (${what})` }];
  });
}

function foreignName(engine: ForeignEngine): string {
  switch (engine.kind) {
    case "snap":
      return "the docker snap";
    case "packages":
      return engine.names.join(", ");
    case "rootless":
      return `the rootless engine of ${engine.users.join(", ")}`;
    case "unpackaged":
      return "";
  }
}

/** What somebody else's package manager run left half done is finished on consent only: it configures their packages too. */
export function repairNeeds(
  plan: readonly Operation[],
  { packages }: ObservedEngine,
): readonly ConsentNeed[] {
  const isNeeded = plan.some(({ kind }) => kind === "install" || kind === "repair-packages");
  if (!isNeeded || packages.interrupted !== "by somebody") return [];
  const cause = "somebody's installation of packages was cut off and has to be finished first";
  return [{ flag: "allowPackageRepair", cause }];
}

/**
 * What an update needs for certain, seen from the state alone, so that preview says it. Nothing when neither the version
 * nor daemon.json changed in the program: then the state may be older than the host.
 */
export function certainNeeds(
  olds: Properties,
  wish: EngineWish,
  formerConfig: Properties,
): readonly ConsentNeed[] {
  const running = typeof olds.version === "string" ? olds.version : "";
  if (running === "") return [];
  const needs: ConsentNeed[] = [];
  if (olds.dockerVersion !== wish.dockerVersion) {
    const direction = directionOf(running, wish.dockerVersion);
    if (direction === "down") {
      needs.push({ flag: "allowDowngrade", cause: `${running} to ${wish.dockerVersion} is a downgrade` });
    }
    if (direction !== "same") {
      const cause = `going from ${running} to ${wish.dockerVersion} restarts the daemon`;
      needs.push({ flag: "allowDaemonRestart", cause });
    }
  }
  const keys = keysThatRestart(formerConfig, wish.daemonConfig);
  if (keys.length > 0) {
    const cause = `daemon.json's ${keys.join(", ")} is taken over only by a restart of the daemon`;
    needs.push({ flag: "allowDaemonRestart", cause });
  }
  return needs;
}
