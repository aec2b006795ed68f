import { SlipwayError } from "../../errors";
import type { Desired } from "../wish/desired";
import type { ObservedEngine } from "../look/observed";
import type { Operation } from "./operation";
import type { PackageChoice } from "../packages/package-family";
import { type PackageFile, withoutEpoch } from "../packages/package-file";
import {
  compareVersions,
  directionOf,
  listOffers,
  majorOf,
  type Offer,
  parseWanted,
  resolveOffer,
  satisfies,
  upstreamOf,
} from "../packages/version";

/** The one installation of a plan. */
export type Install = Extract<Operation, { kind: "install" }>;

/**
 * Which packages have to come or change; undefined when none. A version that is right is left alone. `going` are
 * parts of an engine that cannot stay beside what comes.
 * @throws SlipwayError engine-version-unavailable
 */
export function planInstall(
  desired: Desired,
  observed: ObservedEngine,
  offers: readonly Offer[] | undefined,
  going: readonly string[] = [],
): Install | undefined {
  const { names, wish } = desired;
  const engine = names[0] ?? "";
  const cause = installCause(desired, observed);
  if (cause === undefined) return undefined;
  const installed = observed.packages.installed[engine];
  const remove = [...new Set([...namesToRemove(desired, observed), ...going])].sort();
  const present = presentVersions(observed, engine);
  if (offers === undefined) {
    const downgrade = present.some((version) => directionOf(version, wish.dockerVersion) === "down");
    const packages = names.map((name) => ({ name }));
    return { kind: "install", packages, remove, downgrade, lowers: downgrade, cause };
  }
  const isKept = installed !== undefined && satisfies(installed, wish.dockerVersion);
  const chosen = isKept
    ? (offers.find(({ name, version }) => name === engine && version === installed) ?? {
        name: engine,
        version: installed,
      })
    : resolved(desired, observed, offers);
  const downgrade = present.some((version) => compareVersions(chosen.version, version) < 0);
  const isComing = (name: string): boolean =>
    observed.packages.installed[name] !== undefined || chosen.needs?.[name] !== undefined;
  const others = [...names.slice(1), ...desired.followers.filter(isComing)].flatMap((name) =>
    companion(name, chosen, { present: observed.packages.installed[name], isKept }, offers),
  );
  const parts = [{ name: engine, version: chosen.version }, ...others];
  const files = comingFiles(desired, observed, parts);
  const packages = files === undefined ? parts : [...parts, ...files.filter(isBeside(names))];
  const lowers = packages.some(({ name, version }) => {
    const there = observed.packages.installed[name];
    return there !== undefined && version !== undefined && compareVersions(version, there) < 0;
  });
  const sent = files === undefined ? {} : { files };
  return { kind: "install", packages: packages.map(choiceOf), remove, downgrade, lowers, cause, ...sent };
}

/** Of the uploaded files those that change something, with what is no part of the engine; undefined for another source. */
function comingFiles(
  { wish: { source }, names }: Desired,
  { packages: { installed } }: ObservedEngine,
  parts: readonly PackageChoice[],
): readonly PackageFile[] | undefined {
  if (source.kind !== "files") return undefined;
  const isSame = (a: string | undefined, b: string): boolean => a !== undefined && withoutEpoch(a) === b;
  return source.files.filter(({ name, version }) => {
    if (!names.includes(name)) return true;
    const choice = parts.find((part) => part.name === name);
    return isSame(choice?.version, version) && !isSame(installed[name], version);
  });
}

function isBeside(names: readonly string[]): (file: PackageFile) => boolean {
  return ({ name }) => !names.includes(name);
}

function choiceOf({ name, version }: PackageChoice): PackageChoice {
  return version === undefined ? { name } : { name, version };
}

/** The versions whose files may be there: of the engine that runs, of what is installed, and of engines of another source. */
export function presentVersions(
  { daemon, packages, foreign }: ObservedEngine,
  engine: string,
): readonly string[] {
  // podman's own version says nothing of Docker's files
  const others = foreign.flatMap((each) => (each.kind === "packages" ? each.names : []));
  const names = [engine, ...others.filter((name) => name !== "podman-docker")];
  return [daemon?.version, ...names.map((name) => packages.installed[name])].filter(
    (version) => version !== undefined,
  );
}

function installCause({ names, wish, former }: Desired, observed: ObservedEngine): string | undefined {
  const installed = observed.packages.installed[names[0] ?? ""];
  const running = observed.daemon?.version;
  if (installed === undefined) {
    if (observed.packages.half.includes(names[0] ?? "")) return "it is half installed, for it was cut off";
    return observed.foreign.length > 0 ? "it replaces the engine that is there" : "no engine is installed";
  }
  if (running !== undefined && satisfies(running, wish.dockerVersion)) {
    const isExact = parseWanted(wish.dockerVersion) === "exact";
    if (isExact && !satisfies(installed, wish.dockerVersion)) {
      return `${upstreamOf(installed) ?? installed} is installed and would run after the next restart`;
    }
  } else if (!satisfies(installed, wish.dockerVersion)) {
    return `${upstreamOf(installed) ?? installed} is installed, ${wish.dockerVersion} is wanted`;
  }
  if (observed.facts.dockerCli === undefined) return "the docker command is missing";
  return companionCause(names.slice(1), installed, observed.packages.installed, former?.packages ?? []);
}

/** What belongs to the engine and was taken away or moved by somebody since. */
function companionCause(
  companions: readonly string[],
  engine: string,
  installed: Readonly<Record<string, string>>,
  former: readonly string[],
): string | undefined {
  const gone = companions.filter((name) => former.includes(name) && installed[name] === undefined);
  if (gone.length > 0) return `${gone.join(", ")} ${gone.length === 1 ? "is" : "are"} gone`;
  const [moved] = companions.filter(
    (name) => name.endsWith("-cli") && compareVersions(installed[name] ?? engine, engine) !== 0,
  );
  return moved === undefined
    ? undefined
    : `${moved} is at ${upstreamOf(installed[moved] ?? "") ?? "another version"}, the engine at ${upstreamOf(engine) ?? engine}`;
}

/**
 * A companion goes with the engine's version where it is offered at it; of one that counts for itself, one that fits. Beside an
 * engine that stays, what fits stays too: nothing would restart the containerd under it.
 */
function companion(
  name: string,
  engine: Offer,
  { present, isKept }: { readonly present: string | undefined; readonly isKept: boolean },
  offers: readonly Offer[],
): readonly PackageChoice[] {
  const own = offers.filter((offer) => offer.name === name);
  const same =
    own.find((offer) => offer.version === engine.version) ??
    own.find((offer) => compareVersions(offer.version, engine.version) === 0);
  const least = engine.needs?.[name];
  const stays = isKept && present !== undefined && fits(present, least);
  const version = same?.version ?? (stays ? present : fittingVersion(own, least, present));
  return version === undefined ? [] : [{ name, version }];
}

/**
 * The highest of the major version that the engine names, which is the one it was made with; where nobody offers that, the
 * highest that the engine takes. One that is there and fits is never lowered.
 */
function fittingVersion(
  offers: readonly Offer[],
  least: string | undefined,
  installed: string | undefined,
): string | undefined {
  const isMade = (version: string): boolean => least === undefined || majorOf(version) === majorOf(least);
  const fitting = offers.map(({ version }) => version).filter((version) => fits(version, least));
  const made = fitting.filter(isMade);
  const best = [...(made.length > 0 ? made : fitting)].sort((a, b) => compareVersions(b, a))[0];
  if (installed === undefined || !fits(installed, least) || best === undefined) return best;
  const difference = compareVersions(installed, best);
  if (difference !== 0) return difference > 0 ? installed : best;
  // of one upstream version the later build, which is listed first; one that is offered no more stays
  return fitting.slice(fitting.indexOf(best)).includes(installed) ? best : installed;
}

function fits(version: string, least: string | undefined): boolean {
  return least === undefined || compareVersions(version, least) >= 0;
}

/** Packages of another source that cannot stay beside ours. */
function namesToRemove(
  { names, dependencies, followers }: Desired,
  observed: ObservedEngine,
): readonly string[] {
  const isForeign = observed.foreign.some((engine) => engine.kind === "packages");
  const installed = Object.keys(observed.packages.installed);
  return isForeign
    ? installed.filter((name) => ![...names, ...dependencies, ...followers].includes(name)).sort()
    : [];
}

/** @throws SlipwayError engine-version-unavailable, with what there is */
function resolved(desired: Desired, observed: ObservedEngine, offers: readonly Offer[]): Offer {
  const { names, wish } = desired;
  const resolution = resolveOffer(offers, names[0] ?? "", wish.dockerVersion);
  switch (resolution.kind) {
    case "found":
      return resolution.offer;
    case "none":
      throw unavailable(desired, observed, offers);
    case "several":
      throw ambiguous(desired, observed, resolution.versions);
  }
}

function ambiguous(
  { wish, names }: Desired,
  observed: ObservedEngine,
  versions: readonly string[],
): SlipwayError {
  return new SlipwayError({
    code: "engine-version-unavailable",
    what: `looking up Docker ${wish.dockerVersion}`,
    host: observed.target,
    why: `the host's package sources have ${names[0] ?? ""} for several distributions: ${versions.join(", ")}`,
    left: goesOn(observed),
    next: "Take the source that is not this machine's own off the host",
  });
}

function unavailable(
  { wish, names }: Desired,
  observed: ObservedEngine,
  offers: readonly Offer[],
): SlipwayError {
  const engine = names[0] ?? "";
  const offered = listOffers(offers, engine);
  const where = {
    distro: "the distribution",
    docker: "Docker's repository",
    custom: "the package source",
    files: "the list of files",
  }[wish.source.kind];
  return new SlipwayError({
    code: "engine-version-unavailable",
    what: `looking up Docker ${wish.dockerVersion}`,
    host: observed.target,
    why: `${where} has no such version of ${engine}${offered.length === 0 ? ", nor any other" : `; it offers ${offered.join(", ")}`}`,
    left: goesOn(observed),
    next:
      offered.length === 0
        ? "Set another source"
        : "Set dockerVersion to one of these, or set another source",
  });
}

/** Which engine goes on when nothing is done to it, as a sentence. */
export function goesOn({ daemon }: ObservedEngine): string {
  if (daemon === undefined) return "No engine runs there";
  return `Docker ${upstreamOf(daemon.version) ?? daemon.version} goes on running`;
}
