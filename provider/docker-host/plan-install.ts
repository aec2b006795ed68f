import { SlipwayError } from "../errors";
import type { Desired } from "./desired";
import type { ObservedEngine } from "./observed";
import type { Operation, PackageChoice } from "./operation";
import {
  compareVersions,
  directionOf,
  listOffers,
  type Offer,
  parseWanted,
  resolveOffer,
  satisfies,
  upstreamOf,
} from "./version";

/** The one installation of a plan. */
export type Install = Extract<Operation, { kind: "install" }>;

/**
 * Which packages have to come or change; undefined when none. A version that is right is left alone.
 * @throws SlipwayError engine-version-unavailable
 */
export function planInstall(
  desired: Desired,
  observed: ObservedEngine,
  offers: readonly Offer[] | undefined,
): Install | undefined {
  const { names, wish } = desired;
  const engine = names[0] ?? "";
  const cause = installCause(desired, observed);
  if (cause === undefined) return undefined;
  const installed = observed.packages.installed[engine];
  const remove = namesToRemove(desired, observed);
  const running = observed.daemon?.version;
  if (offers === undefined) {
    const downgrade = [installed, running].some(
      (version) => version !== undefined && directionOf(version, wish.dockerVersion) === "down",
    );
    return { kind: "install", packages: names.map((name) => ({ name })), remove, downgrade, cause };
  }
  const isKept = installed !== undefined && satisfies(installed, wish.dockerVersion);
  const chosen = isKept
    ? { name: engine, version: installed }
    : resolveOffer(offers, engine, wish.dockerVersion);
  if (chosen === undefined) throw unavailable(desired, observed, offers);
  const downgrade = [installed, running].some(
    (version) => version !== undefined && compareVersions(chosen.version, version) < 0,
  );
  const others = names.slice(1).flatMap((name) => companion(name, chosen.version, offers));
  return { kind: "install", packages: [chosen, ...others], remove, downgrade, cause };
}

function installCause({ names, wish }: Desired, observed: ObservedEngine): string | undefined {
  const installed = observed.packages.installed[names[0] ?? ""];
  const running = observed.daemon?.version;
  if (installed === undefined) {
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
  return observed.facts.dockerCli === undefined ? "the docker command is missing" : undefined;
}

/** A companion goes with the engine's version where it is offered at it; one that has its own numbers goes free. */
function companion(name: string, version: string, offers: readonly Offer[]): readonly PackageChoice[] {
  const own = offers.filter((offer) => offer.name === name);
  if (own.length === 0) return [];
  const same =
    own.find((offer) => offer.version === version) ??
    own.find((offer) => compareVersions(offer.version, version) === 0);
  return [same ?? { name }];
}

/** Packages of another source that cannot stay beside ours. */
function namesToRemove({ names, dependencies }: Desired, observed: ObservedEngine): readonly string[] {
  const isForeign = observed.foreign.some((engine) => engine.kind === "packages");
  const installed = Object.keys(observed.packages.installed);
  return isForeign
    ? installed.filter((name) => !names.includes(name) && !dependencies.includes(name)).sort()
    : [];
}

function unavailable(
  { wish, names }: Desired,
  observed: ObservedEngine,
  offers: readonly Offer[],
): SlipwayError {
  const engine = names[0] ?? "";
  const offered = listOffers(offers, engine);
  const where = { distro: "the distribution", docker: "Docker's repository", custom: "the package source" }[
    wish.source.kind
  ];
  return new SlipwayError({
    code: "engine-version-unavailable",
    what: `looking up Docker ${wish.dockerVersion}`,
    host: observed.target,
    why: `${where} has no such version of ${engine}${offered.length === 0 ? ", nor any other" : `; it offers ${offered.join(", ")}`}`,
    left:
      observed.daemon === undefined
        ? "No engine runs there"
        : `Docker ${upstreamOf(observed.daemon.version) ?? observed.daemon.version} goes on running`,
    next:
      offered.length === 0
        ? "Set another source"
        : "Set dockerVersion to one of these, or set another source",
  });
}
