import type { PackageAnswer } from "./package-family";
import { readSigningKeys } from "./signing-key";
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

/**
 * apt-get waits for the lock of dpkg, but gives up at once when another one (a fresh machine's apt-daily) has that of the
 * package lists. `$1` seconds to wait for that, then the command.
 */
export const REFRESH = `
left=$1; shift
held() { [ -n "$(find /proc/[0-9]*/fd -lname /var/lib/apt/lists/lock -print -quit 2>/dev/null)" ]; }
while :; do
  while [ "$left" -gt 0 ] && held; do sleep 1; left=$((left - 1)); done
  "$@" </dev/null && exit 0
  code=$?
  [ "$left" -gt 0 ] && held || exit "$code"
done
`;

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

/**
 * Everything about Docker on a Debian machine in one round trip, one `key value` a line, file contents in base64.
 * `$1` source file, `$2` key file, `$3` wished repository address (or empty), then the users.
 */
export const LOOK = `
source=$1 key=$2 url=$3; shift 3
dpkg-query -W -f '\${Package} \${Version} \${db:Status-Status}\\n' ${DOCKER_PACKAGE_NAMES.join(" ")} 2>/dev/null |
  while read -r name version status; do [ "$status" = not-installed ] || echo "package $name $version $status"; done
apt-mark showhold | while read -r name; do echo "held $name"; done
[ -z "$(dpkg --audit 2>/dev/null)" ] && [ -z "$(ls /var/lib/dpkg/updates 2>/dev/null)" ] || echo "interrupted yes"
command -v curl >/dev/null || command -v wget >/dev/null || echo "missing curl"
[ -s /etc/ssl/certs/ca-certificates.crt ] || echo "missing ca-certificates"
[ ! -r "$source" ] || echo "source $(base64 -w0 <"$source")"
[ ! -r "$key" ] || echo "key $(base64 -w0 <"$key")"
if [ -n "$url" ]; then
  grep -rlsF --include='*.list' --include='*.sources' -- "$url" /etc/apt/sources.list /etc/apt/sources.list.d |
    while read -r file; do [ "$file" = "$source" ] || echo "other $file"; done
fi
[ ! -r /etc/docker/daemon.json ] || echo "config $(base64 -w0 </etc/docker/daemon.json)"
if systemctl is-active --quiet docker.service; then echo "active yes"; fi
if systemctl is-enabled --quiet docker.service 2>/dev/null; then echo "enabled yes"; fi
if command -v snap >/dev/null && snap list docker >/dev/null 2>&1; then echo "snap yes"; fi
dockerd=$(command -v dockerd) && case $dockerd in
  /snap/*) ;;
  *) dpkg-query -S "$(readlink -f "$dockerd")" >/dev/null 2>&1 || dpkg-query -S "$dockerd" >/dev/null 2>&1 || echo "unpackaged $dockerd" ;;
esac
for user; do
  if ! id -- "$user" >/dev/null 2>&1; then echo "user $user missing"
  elif id -nG -- "$user" | tr ' ' '\\n' | grep -qx docker; then echo "user $user member"
  else echo "user $user not"; fi
done
echo "end yes"
`;

/** The answer of {@link LOOK}; undefined when it was cut off. */
export function parseLook(text: string): PackageAnswer | undefined {
  const lines = text.split("\n").map((line) => line.split(" "));
  const all = (key: string): readonly (readonly string[])[] =>
    lines.filter((line) => line[0] === key).map((line) => line.slice(1));
  const one = (key: string): string | undefined => all(key)[0]?.join(" ");
  if (one("end") === undefined) return undefined;
  const rows = all("package");
  const source = one("source");
  const key = one("key");
  return {
    packages: {
      installed: Object.fromEntries(
        rows.filter((row) => row[2] === "installed").map(([name = "", version = ""]) => [name, version]),
      ),
      held: all("held").map(([name = ""]) => name),
      interrupted:
        one("interrupted") !== undefined ||
        rows.some(([, , status = ""]) => /^(half|unpacked|trig)/.test(status)),
      missingTools: all("missing").map(([name = ""]) => name),
      sourceFile: source === undefined ? undefined : decode(source).toString("utf8"),
      keyFingerprints: key === undefined ? [] : readSigningKeys(decode(key)),
      otherSourceFiles: all("other").map((words) => words.join(" ")),
    },
    daemonConfig: decode(one("config") ?? "").toString("utf8"),
    active: one("active") !== undefined,
    enabled: one("enabled") !== undefined,
    snap: one("snap") !== undefined,
    unpackaged: one("unpackaged"),
    users: Object.fromEntries(
      all("user").map(([name = "", state]) => [name, state === "not" ? "not a member" : memberOr(state)]),
    ),
  };
}

function memberOr(state: string | undefined): "member" | "missing" {
  return state === "member" ? "member" : "missing";
}

function decode(base64: string): Buffer {
  return Buffer.from(base64, "base64");
}
