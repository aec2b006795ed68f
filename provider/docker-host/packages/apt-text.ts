import { APT_KEY_PATH, APT_SOURCE_PATH } from "./apt-source";
import type { Offer } from "../version";

/** Packages of Docker that any source brings: looked at, held, and listed in the outputs. */
const DOCKER_PACKAGE_NAMES: readonly string[] = [
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

/** What each version of a package needs at least, by its version, of the stanzas of apt-cache show. */
export function parseNeeds(text: string): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const found = new Map<string, Readonly<Record<string, string>>>();
  for (const stanza of text.split(/\n\s*\n/)) {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(stanza)?.[1] ?? "";
    const needs = [...field("Depends").matchAll(/([a-z0-9][a-z0-9.+-]+) \(>= ([^)]+)\)/g)];
    found.set(field("Version"), Object.fromEntries(needs.map(([, name = "", least = ""]) => [name, least])));
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
dpkg-query -W -f '\${Package} \${Version} \${db:Status-Status}\\n' ${DOCKER_PACKAGE_NAMES.join(" ")} 2>/dev/null |
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
