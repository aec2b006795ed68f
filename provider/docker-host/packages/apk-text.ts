import { CHANGE_MARK } from "./change-mark";
import type { PackageChoice } from "./package-family";
import { HOLDER } from "./lock-wait";
import { LOCK_WAIT_S } from "./package-failure";
import type { Offer } from "./version";

/** Our own file on the host; a repository's key keeps its own name, for apk finds it by that. */
export const APK_SOURCE_PATH = "/etc/apk/repositories.d/slipway-docker.list";
export const APK_KEY_FOLDER = "/etc/apk/keys";
/** The line of our source file that says where its key is. */
export const APK_KEY_LINE = "# key ";
/** Whatever apk changes, and its lists. */
export const APK_LOCKS: readonly string[] = ["/lib/apk/db/lock"];

/** Packages of Docker that any source brings: looked at, held, and listed in the outputs. */
export const APK_NAMES: readonly string[] = [
  "docker",
  "docker-engine",
  "docker-cli",
  "docker-openrc",
  "docker-cli-buildx",
  "docker-cli-compose",
  "containerd",
  "runc",
  "podman-docker",
];

/**
 * apk's part of the look at a machine. A hold is a constraint in world: `apk upgrade` does not go past it. apk writes its
 * database last of all, so that an update that was cut off is known by our own mark alone, and a dockerd that no package
 * brought may be what it left.
 */
export const APK_LOOK = `
source=${APK_SOURCE_PATH}
key=$(sed -n 's/^${APK_KEY_LINE}//p' "$source" 2>/dev/null)
for name in ${APK_NAMES.join(" ")}; do
  found=$(apk info -e -v "$name" 2>/dev/null) || continue
  case $found in "$name"-[0-9]*) echo "package $name \${found#"$name"-} installed" ;; esac
done
sed -n 's/^\\([a-z][a-z0-9.+_-]*\\)=\\([^ ]*\\)$/held \\1 \\2/p' /etc/apk/world
command -v curl >/dev/null || command -v wget >/dev/null || echo "missing curl"
[ -s /etc/ssl/certs/ca-certificates.crt ] || echo "missing ca-certificates"
[ ! -e ${CHANGE_MARK} ] || echo "interrupted yes"
${HOLDER}
locks="${APK_LOCKS.join(" ")}"
[ -z "$(holder)" ] || echo "busy yes"
[ ! -r "$source" ] || echo "source $(base64 <"$source" | tr -d '\\n')"
[ -z "$key" ] || [ ! -r "$key" ] || echo "key $(base64 <"$key" | tr -d '\\n')"
for file in /etc/apk/repositories /etc/apk/repositories.d/*.list; do
  [ -r "$file" ] && [ "$file" != "$source" ] || continue
  if [ -n "$url" ]; then grep -v '^ *#' "$file" | grep -qF -- "$url" && echo "other $file"
  else grep -q '^[^#@]*/community/*$' "$file" && echo "other $file"; fi
done
[ -z "$dockerd" ] || apk info --who-owns "$(readlink -f "$dockerd")" >/dev/null 2>&1 || echo "unpackaged $dockerd"
`;

/** What the repositories have of these packages, and where. */
export function apkPolicy(names: readonly string[]): readonly string[] {
  return ["apk", "policy", ...names];
}

/** The same of one more repository, whose index is only looked at: it is kept nowhere, and needs no signature. Ends after seconds. */
export function apkPeek(url: string, names: readonly string[], limitS: number): readonly string[] {
  const peeking = ["--no-cache", "--allow-untrusted", "--repository", url];
  return ["timeout", String(limitS), "apk", ...peeking, "policy", ...names];
}

/** A version on offer, with the addresses that have it. */
export interface ApkOffer extends Offer {
  readonly repositories: readonly string[];
}

/**
 * `apk policy`'s answer, oldest first: `NAME policy:`, `  VERSION:`, and four blanks before where it is. What is only
 * installed, or in a tagged repository alone (`@edge ADDRESS`), is no offer. Best first.
 */
export function parsePolicy(text: string): readonly ApkOffer[] {
  const offers: { readonly name: string; readonly version: string; readonly repositories: string[] }[] = [];
  let name = "";
  for (const line of text.split("\n")) {
    const title = /^(\S+) policy:$/.exec(line)?.[1];
    const version = /^ {2}(\S+):$/.exec(line)?.[1];
    const place = /^ {4}(\S+)$/.exec(line)?.[1];
    if (title !== undefined) name = title;
    else if (version !== undefined) offers.push({ name, version, repositories: [] });
    // the installed ones' database is named without a slash before it
    else if (place !== undefined && /^(\/|[a-z]+:)/.test(place)) offers.at(-1)?.repositories.push(place);
  }
  return offers.filter(({ repositories }) => repositories.length > 0).reverse();
}

const APK: readonly string[] = ["apk", "--wait", String(LOCK_WAIT_S), "--no-progress"];

/** What changes world alone: it asks no repository. */
const APK_WORLD: readonly string[] = [...APK, "--no-network", "add"];

/** Reads the lists anew. */
export const APK_REFRESH: readonly string[] = [...APK, "update"];

/**
 * Brings these packages in and takes others out in one step, in any direction: a constraint in world is obeyed downwards,
 * too. `!NAME` in world keeps a package out, and stays there until it is taken out of the file.
 */
export function apkInstall(
  packages: readonly PackageChoice[],
  remove: readonly string[] = [],
): readonly string[] {
  return [...APK, "add", ...apkWords(packages, remove)];
}

function apkWords(packages: readonly PackageChoice[], remove: readonly string[]): readonly string[] {
  const wanted = packages.map(({ name, version }) => (version === undefined ? name : `${name}=${version}`));
  return [...wanted, ...remove.map((name) => `!${name}`)];
}

/** Files on the machine, by themselves. Their checksums vouch for them. */
export function apkInstallFiles(paths: readonly string[], remove: readonly string[]): readonly string[] {
  const alone = ["--no-network", "--repositories-file", "/dev/null", "--allow-untrusted"];
  return [...APK, ...alone, "add", ...paths, ...remove.map((name) => `!${name}`)];
}

/** Says what an installation would do, and does nothing. */
export function apkTrial(packages: readonly PackageChoice[], remove: readonly string[]): readonly string[] {
  return ["apk", "--no-progress", "add", "--simulate", ...apkWords(packages, remove)];
}

/** The same of a removal. */
export function apkRemoveTrial(names: readonly string[]): readonly string[] {
  return ["apk", "--no-progress", "del", "--simulate", ...names];
}

/** What such a trial says would go: lines `(1/3) Purging NAME (VERSION)`. */
export function parsePurged(text: string): readonly string[] {
  return [...text.matchAll(/^\( *\d+\/\d+\) Purging (\S+) \(/gm)].map(([, name = ""]) => name).sort();
}

/**
 * Who needs packages that are asked to go, so that they stay, as the trial of a removal has it: `  NAME: NEEDER NEEDER`, and more of
 * them below those.
 */
export function parseKeepers(text: string): readonly string[] {
  const lines = [...text.matchAll(/^ {2}(?:\S+:| {2})(.*)$/gm)].map(([, needers = ""]) => needers);
  return [...new Set(lines.flatMap((needers) => needers.trim().split(" ")))].sort();
}

/** Of each file `NAME VERSION`, and whether a package of that name is installed. */
export const APK_DESCRIBE_FILES = `
for file; do
  said=$(tar -xzOf "$file" .PKGINFO 2>/dev/null) || exit 1
  name=$(echo "$said" | sed -n 's/^pkgname = //p') version=$(echo "$said" | sed -n 's/^pkgver = //p')
  there=no
  ! apk info -e "$name" >/dev/null 2>&1 || there=yes
  echo "$name $version $there"
done
`;

/** World without the lines `!NAME`; `$@` are the names. */
export const FORGET_CONFLICTS = `
for name; do sed -i "/^!$name\\$/d" /etc/apk/world || exit; done
`;

export function apkRemove(names: readonly string[]): readonly string[] {
  return [...APK, "del", ...names];
}

/** Prints the lines of world that pin one of `$@`: `NAME=VERSION`. */
export const APK_PINNED = `
for name; do grep "^$name=" /etc/apk/world; done
exit 0
`;

/** Takes the versions out of world; what is installed stays as it is. */
export function apkRelease(names: readonly string[]): readonly string[] {
  return [...APK_WORLD, ...names];
}

/** Puts the installed versions into world; who is not there is not pinned. */
export const APK_HOLD = `
pins=
for name; do
  found=$(apk info -e -v "$name") || continue
  pins="$pins $name=\${found#"$name"-}"
done
[ -z "$pins" ] || ${APK_WORLD.join(" ")} $pins
`;

/** Brings what is there but not whole back to what its package says. */
export const APK_REPAIR: readonly string[] = [...APK, "fix"];
