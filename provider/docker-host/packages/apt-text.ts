import { APT_KEY_PATH, APT_SOURCE_PATH } from "./apt-source";
import type { PackageChoice } from "./package-family";
import { ANY_VERSION, type Offer } from "./version";

/** Packages of Docker that any source brings: looked at, held, and listed in the outputs. */
export const DEB_NAMES: readonly string[] = [
  "docker.io",
  "docker-cli",
  "docker-ce",
  "docker-ce-cli",
  "docker-ce-rootless-extras",
  "docker-buildx-plugin",
  "docker-compose-plugin",
  "docker-buildx",
  "docker-compose",
  "containerd",
  "containerd.io",
  "runc",
  "podman-docker",
];

/** Of every run of apt-get. */
export const APT_OPTIONS: readonly string[] = [
  "-q",
  "-y",
  ...["-o", "Dpkg::Use-Pty=0"],
  ...["-o", "Dpkg::Options::=--force-confdef"],
  ...["-o", "Dpkg::Options::=--force-confold"],
];

/** What is changed besides what is named, and how. */
export interface AptChange {
  readonly remove: readonly string[];
  readonly allowDowngrade: boolean;
}

/**
 * `apt-get install` of these words: names, `name=version`, paths; nothing that is only recommended comes along. Where nothing is to
 * go nothing does: others may have installed something since the trial.
 */
export function aptInstall(
  wanted: readonly string[],
  change: AptChange,
  options: readonly string[] = [],
): readonly string[] {
  return install(wanted, change, change.remove.length === 0 ? [...options, "--no-remove"] : options);
}

/** Says what that would do, and does nothing. */
export function aptTrial(
  wanted: readonly string[],
  change: AptChange,
  options: readonly string[] = [],
): readonly string[] {
  return install(wanted, change, [...options, "-s"]);
}

function install(
  wanted: readonly string[],
  { remove, allowDowngrade }: AptChange,
  options: readonly string[],
): readonly string[] {
  const flags = ["--no-install-recommends", "--allow-change-held-packages"];
  if (allowDowngrade) flags.push("--allow-downgrades");
  // a package with "-" behind it is removed in the same step, so that no moment is without an engine
  const unwanted = remove.map((name) => `${name}-`);
  return ["apt-get", ...APT_OPTIONS, ...options, ...flags, "install", ...wanted, ...unwanted];
}

/** What `apt-get -s` says would go: lines `Remv NAME [VERSION] …`. */
export function parseRemovals(text: string): readonly string[] {
  return [...text.matchAll(/^Remv (\S+)/gm)].map(([, name = ""]) => name.replace(/:[a-z0-9]+$/, "")).sort();
}

/** `docker-ce=5:28.5.2-1`, or the name alone. */
export function aptWords(packages: readonly PackageChoice[]): readonly string[] {
  return packages.map(({ name, version }) => (version === undefined ? name : `${name}=${version}`));
}

/** What each version of a package needs at least (parts of an engine in any version, too), by its version, of the stanzas of apt-cache show. */
export function parseNeeds(text: string): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const found = new Map<string, Readonly<Record<string, string>>>();
  for (const stanza of text.split(/\n\s*\n/)) {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(stanza)?.[1] ?? "";
    const depends = field("Depends");
    const needs = [...depends.matchAll(/([a-z0-9][a-z0-9.+-]+) \(>= ([^)]+)\)/g)];
    const bare = depends.split(", ").filter((name) => DEB_NAMES.includes(name));
    found.set(field("Version"), {
      ...Object.fromEntries(bare.map((name) => [name, ANY_VERSION])),
      ...Object.fromEntries(needs.map(([, name = "", least = ""]) => [name, least])),
    });
  }
  return found;
}

/** `name | version | source` lines of apt-cache madison; a version that several mirrors have counts once. */
export function parseMadison(text: string): readonly Offer[] {
  const offers: Offer[] = [];
  for (const line of text.split("\n")) {
    const [name, version, source] = line.split("|").map((part) => part.trim());
    if (name === undefined || version === undefined || !source?.includes("Packages")) continue;
    if (offers.some((offer) => offer.name === name && offer.version === version)) continue;
    offers.push({ name, version });
  }
  return offers;
}

/** apt's part of the look at a machine (lookScript says what it may print). */
export const APT_LOOK = `
source=${APT_SOURCE_PATH} key=${APT_KEY_PATH}
dpkg-query -W -f '\${Package} \${Version} \${db:Status-Status}\\n' ${DEB_NAMES.join(" ")} 2>/dev/null |
  while read -r name version status; do [ "$status" = not-installed ] || echo "package $name $version $status"; done
apt-mark showhold | while read -r name; do echo "held $name"; done
lock=$(stat -c %i /var/lib/dpkg/lock-frontend 2>/dev/null)
if [ -n "$lock" ] && grep -q "POSIX .* WRITE .*:$lock " /proc/locks; then echo "busy yes"; fi
[ -z "$(dpkg --audit 2>/dev/null)" ] && [ -z "$(ls /var/lib/dpkg/updates 2>/dev/null)" ] || echo "interrupted yes"
command -v curl >/dev/null || command -v wget >/dev/null || echo "missing curl"
[ -s /etc/ssl/certs/ca-certificates.crt ] || echo "missing ca-certificates"
[ ! -r "$source" ] || echo "source $(base64 -w0 <"$source")"
[ ! -r "$key" ] || echo "key $(base64 -w0 <"$key")"
if [ -n "$url" ]; then
  # an upgrade of the distribution comments others' sources out, or says that they are not enabled
  grep -rHsF --include='*.list' --include='*.sources' -- "$url" /etc/apt/sources.list /etc/apt/sources.list.d |
    sed -n '/^[^:]*:[[:space:]]*#/!s/:.*//p' | sort -u | while read -r file; do
      [ "$file" != "$source" ] && ! grep -qiE '^Enabled:[[:space:]]*(no|false|0)' -- "$file" || continue
      echo "other $file"
    done
fi
[ -z "$dockerd" ] || dpkg-query -S "$(readlink -f "$dockerd")" >/dev/null 2>&1 ||
  dpkg-query -S "$dockerd" >/dev/null 2>&1 || echo "unpackaged $dockerd"
`;
