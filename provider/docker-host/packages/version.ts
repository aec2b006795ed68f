import semver from "semver";

/** One version of a package that the host's package source offers. */
export interface Offer {
  readonly name: string;
  /** The whole version as the package manager writes it: `5:28.5.2-1~debian.13~trixie`. */
  readonly version: string;
  /** What it needs of packages that count for themselves: name to the lowest version (`containerd.io`: `1.7.27`). */
  readonly needs?: Readonly<Record<string, string>>;
  /** Packages that it cannot stand beside, in whatever version; known of what a machine does not know yet. */
  readonly conflicts?: readonly string[];
  /** Packages in whose place it stands, known likewise. */
  readonly provides?: readonly string[];
}

/** For what is needed in whatever version. */
export const ANY_VERSION = "0";

const LOOSE = { loose: true };

/**
 * Epoch, three numbers, the `ce` of 17.03 to 18.06, and a prerelease: `~rc.1` and `~rc1` of packages, `-rc.1` of a daemon, `_rc1`
 * of Alpine, and `~2.3.rc3` or `-2.1.rc1` of Docker's test channel up to 19.03. What comes then is revision and build.
 */
const VERSION =
  /^(?:\d+:)?(\d+\.\d+\.\d+)(?!\d|\.\d)(?:[~.-]ce(?![a-z]))?(?:[~_.-](?:\d+\.\d+\.)?(alpha|beta|pre|rc|tp)[.-]?(\d+))?/;

/** Which release of which distribution a package was built for, in the forms of Docker's apt and of all rpm packages. */
const BUILT_FOR = /~((?:debian|raspbian|ubuntu)[.-][a-z0-9.]+(?:~[a-z]+)?)$|\.((?:el|fc|amzn)\d+)(?:[._]|$)/;

/** A wanted version: `28.5.2`, or a range such as `28.x`. `undefined` when the text is neither. */
export function parseWanted(text: string): "exact" | "range" | undefined {
  if (text.trim() === "") return undefined;
  if (semver.valid(text, LOOSE) !== null) return "exact";
  return semver.validRange(text, LOOSE) === null ? undefined : "range";
}

/**
 * The upstream version of a package or a daemon, without epoch, revision, distribution suffix and build part:
 * `5:28.5.2-1~debian.13~trixie` and `28.5.2+dfsg1` are both `28.5.2`, `5:29.0.0~rc.1-1` is `29.0.0-rc.1`.
 */
export function upstreamOf(version: string): string | undefined {
  const match = VERSION.exec(version);
  if (match?.[1] === undefined) return undefined;
  return match[2] === undefined ? match[1] : `${match[1]}-${match[2]}.${match[3] ?? ""}`;
}

/** True when `version` (a daemon's or a package's, build parts and all) is what was wanted. */
export function satisfies(version: string, wanted: string): boolean {
  const upstream = upstreamOf(version);
  return upstream !== undefined && semver.satisfies(upstream, asRange(wanted), LOOSE);
}

/** What a wanted version comes to on the offers of a host. */
export type Resolution =
  | { readonly kind: "found"; readonly offer: Offer }
  | { readonly kind: "none" }
  /** Builds of one version for several distributions: which one fits is not ours to guess. */
  | { readonly kind: "several"; readonly versions: readonly string[] };

/** The highest offer of `name` that is what was wanted; of several revisions for one distribution the first listed. */
export function resolveOffer(offers: readonly Offer[], name: string, wanted: string): Resolution {
  const fitting = offers.filter((offer) => offer.name === name && satisfies(offer.version, wanted));
  const [best] = [...fitting].sort((a, b) => compareVersions(b.version, a.version));
  if (best === undefined) return { kind: "none" };
  const builds = fitting
    .map(({ version }) => version)
    .filter((version) => compareVersions(version, best.version) === 0);
  const isOne = builds.every((version) => builtFor(version) === builtFor(best.version));
  return isOne ? { kind: "found", offer: best } : { kind: "several", versions: builds };
}

/** `debian.13~trixie`, `ubuntu-focal`, `el9`; empty text where the version does not say. */
export function builtFor(version: string): string {
  const match = BUILT_FOR.exec(version);
  return match?.[1] ?? match?.[2] ?? "";
}

/** Negative when `a` is older than `b`, by upstream versions; what is no version counts as oldest. */
export function compareVersions(a: string, b: string): number {
  return semver.compare(upstreamOf(a) ?? "0.0.0", upstreamOf(b) ?? "0.0.0", LOOSE);
}

/** The major version; 0 for what is no version. */
export function majorOf(version: string): number {
  return semver.major(upstreamOf(version) ?? "0.0.0", LOOSE);
}

/**
 * Where the wanted version certainly lies, seen from `version`: `same` when `version` is what is wanted, `between` when a
 * range has versions on both sides of it.
 */
export function directionOf(version: string, wanted: string): "same" | "up" | "down" | "between" {
  const upstream = upstreamOf(version);
  if (upstream === undefined || satisfies(version, wanted)) return "same";
  if (semver.gtr(upstream, asRange(wanted), LOOSE)) return "down";
  return semver.ltr(upstream, asRange(wanted), LOOSE) ? "up" : "between";
}

/** The upstream versions on offer, highest first, each once; for messages. */
export function listOffers(offers: readonly Offer[], name: string): readonly string[] {
  const upstream = offers.filter((offer) => offer.name === name).map((offer) => upstreamOf(offer.version));
  const known = [...new Set(upstream)].filter((version) => version !== undefined);
  return known.sort((a, b) => semver.rcompare(a, b, LOOSE));
}

/** A daemon of 17.03 to 18.06 says `18.06.3-ce`, which would be a prerelease to semver. */
function asRange(wanted: string): string {
  return wanted.replaceAll(/(\d)-ce(?![a-z])/g, "$1");
}
