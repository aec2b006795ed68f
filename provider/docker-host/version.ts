import semver from "semver";

/** One version of a package that the host's package source offers. */
export interface Offer {
  readonly name: string;
  /** The whole version as the package manager writes it: `5:28.5.2-1~debian.13~trixie`. */
  readonly version: string;
  /** What it needs of packages that count for themselves: name to the lowest version (`containerd.io`: `1.7.27`). */
  readonly needs?: Readonly<Record<string, string>>;
}

/** A wanted version: `28.5.2`, or a range such as `28.x`. `undefined` when the text is neither. */
export function parseWanted(text: string): "exact" | "range" | undefined {
  if (text.trim() === "") return undefined;
  if (semver.valid(text, { loose: true }) !== null) return "exact";
  return semver.validRange(text, { loose: true }) === null ? undefined : "range";
}

/**
 * The upstream version of a package or a daemon, without epoch, revision, distribution suffix and build part:
 * `5:28.5.2-1~debian.13~trixie` and `28.5.2+dfsg1` are both `28.5.2`, `5:29.0.0~rc.1-1` is `29.0.0-rc.1`.
 */
export function upstreamOf(version: string): string | undefined {
  const match = /^(?:\d+:)?(\d+\.\d+\.\d+)(?:[~-](alpha|beta|rc)\.?(\d+))?(?![\d.])/.exec(version);
  if (match?.[1] === undefined) return undefined;
  const text = match[2] === undefined ? match[1] : `${match[1]}-${match[2]}.${match[3] ?? ""}`;
  return semver.valid(text, { loose: true }) ?? undefined;
}

/** True when `version` (a daemon's or a package's, build parts and all) is what was wanted. */
export function satisfies(version: string, wanted: string): boolean {
  const upstream = upstreamOf(version);
  return upstream !== undefined && semver.satisfies(upstream, wanted, { loose: true });
}

/** The highest offer of `name` that is what was wanted; of several builds of one version the first listed. */
export function resolveOffer(offers: readonly Offer[], name: string, wanted: string): Offer | undefined {
  const fitting = offers.filter((offer) => offer.name === name && satisfies(offer.version, wanted));
  return [...fitting].sort((a, b) => compareVersions(b.version, a.version))[0];
}

/** Negative when `a` is older than `b`, by upstream versions; what is no version counts as oldest. */
export function compareVersions(a: string, b: string): number {
  return semver.compare(upstreamOf(a) ?? "0.0.0", upstreamOf(b) ?? "0.0.0");
}

/** The major version; 0 for what is no version. */
export function majorOf(version: string): number {
  return semver.major(upstreamOf(version) ?? "0.0.0");
}

/**
 * Where the wanted version certainly lies, seen from `version`: `same` when `version` is what is wanted, `between` when a
 * range has versions on both sides of it.
 */
export function directionOf(version: string, wanted: string): "same" | "up" | "down" | "between" {
  const upstream = upstreamOf(version);
  if (upstream === undefined || satisfies(version, wanted)) return "same";
  if (semver.gtr(upstream, wanted, { loose: true })) return "down";
  return semver.ltr(upstream, wanted, { loose: true }) ? "up" : "between";
}

/** The upstream versions on offer, highest first, each once; for messages. */
export function listOffers(offers: readonly Offer[], name: string): readonly string[] {
  const upstream = offers.filter((offer) => offer.name === name).map((offer) => upstreamOf(offer.version));
  const known = [...new Set(upstream)].filter((version) => version !== undefined);
  return known.sort((a, b) => semver.rcompare(a, b));
}
