import type { PackageChoice } from "./package-family";
import { HOLDER } from "./lock-wait";
import { ANY_VERSION, type Offer } from "./version";

/** Our own files on the host. */
export const DNF_REPO_ID = "slipway-docker";
export const DNF_SOURCE_PATH = `/etc/yum.repos.d/${DNF_REPO_ID}.repo`;
export const DNF_KEY_PATH = "/etc/pki/rpm-gpg/RPM-GPG-KEY-slipway-docker";

/** Packages of Docker that any source brings: looked at, held, and listed in the outputs. */
export const RPM_NAMES: readonly string[] = [
  "docker",
  "docker-ce",
  "docker-ce-cli",
  "docker-ce-rootless-extras",
  "docker-buildx-plugin",
  "docker-compose-plugin",
  "docker-cli",
  "docker-buildx",
  "docker-compose",
  "moby-engine",
  "containerd",
  "containerd.io",
  "runc",
  "podman-docker",
];

/** While one of these is held, packages change: by rpm, whoever runs it, and dnf 4 and dnf 5 themselves. */
const CHANGE_LOCKS: readonly string[] = [
  "/var/lib/rpm/.rpm.lock",
  "/usr/lib/sysimage/rpm/.rpm.lock",
  "/var/lib/dnf/rpmdb_lock.pid",
  "/run/dnf/rpmtransaction.lock",
];

/** All that dnf waits for, the lists' too. */
export const DNF_LOCKS: readonly string[] = [
  ...CHANGE_LOCKS,
  "/var/cache/dnf/metadata_lock.pid",
  "/var/cache/dnf/download_lock.pid",
];

const NAMES = RPM_NAMES.join(" ");

/**
 * Prints `held NAME EPOCH:VERSION-RELEASE` a lock. They are read from their files, for `dnf versionlock list` takes a second: dnf 4
 * has `NAME-EPOCH:VERSION-RELEASE.*` a line and heeds it with its plugin alone, dnf 5 a TOML file without an epoch of 0.
 */
export const DNF_HELD = `
case $(readlink -f "$(command -v dnf)") in
  */dnf5)
    [ ! -r /etc/dnf/versionlock.toml ] || awk -F'"' '
      /^\\[\\[packages]]/ { name = ""; key = ""; comparator = "" }
      /^name/ { name = $2 }
      /^key/ { key = $2 }
      /^comparator/ { comparator = $2 }
      /^value/ && key == "evr" && comparator == "=" { print "held", name, ($2 ~ /:/ ? "" : "0:") $2 }
    ' /etc/dnf/versionlock.toml ;;
  *)
    if grep -q '^enabled *= *[1Tty]' /etc/dnf/plugins/versionlock.conf 2>/dev/null; then
      sed -n 's/^\\([^#!].*\\)-\\([0-9]*:[^-]*-[^-]*\\)\\.\\*$/held \\1 \\2/p' /etc/dnf/plugins/versionlock.list 2>/dev/null
    fi ;;
esac
`;

/**
 * dnf's part of the look at a machine. A package that stands there twice is what an update leaves that was cut off between the
 * new one and the removal of the old.
 */
export const DNF_LOOK = `
source=${DNF_SOURCE_PATH} key=${DNF_KEY_PATH}
rpm -qa --qf 'package %{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE} installed\\n' ${NAMES}
[ -z "$(rpm -qa --qf '%{NAME}\\n' ${NAMES} | sort | uniq -d)" ] || echo "interrupted yes"
${HOLDER}
locks="${CHANGE_LOCKS.join(" ")}"
[ -z "$(holder)" ] || echo "busy yes"
${DNF_HELD}command -v curl >/dev/null || command -v wget >/dev/null || echo "missing curl"
[ -s /etc/pki/tls/certs/ca-bundle.crt ] || [ -s /etc/ssl/certs/ca-certificates.crt ] || echo "missing ca-certificates"
[ ! -r "$source" ] || echo "source $(base64 <"$source" | tr -d '\\n')"
[ ! -r "$key" ] || echo "key $(base64 <"$key" | tr -d '\\n')"
if [ -n "$url" ]; then
  # what dnf takes for no, of a section that names it
  for file in /etc/yum.repos.d/*.repo; do
    [ "$file" != "$source" ] && [ -r "$file" ] || continue
    awk -v url="$url" '
      function tell() { if (named && on) found = 1; named = 0; on = 1 }
      /^[[:space:]]*[#;]/ { next }
      /^\\[/ { tell() }
      index($0, url) { named = 1 }
      tolower($0) ~ /^enabled[[:space:]]*=[[:space:]]*(0|no|false|off)[[:space:]]*$/ { on = 0 }
      END { tell(); exit !found }
    ' "$file" && echo "other $file"
  done
fi
[ -z "$dockerd" ] || rpm -qf "$(readlink -f "$dockerd")" >/dev/null 2>&1 || echo "unpackaged $dockerd"
`;

/** What there is in all versions, with what each needs, in words that dnf 4 and dnf 5 share. */
export function dnfQuestion(names: readonly string[]): readonly string[] {
  const format = "offer %{name} %{epoch}:%{version}-%{release} %{arch} %{requires}\\n";
  return ["-q", "repoquery", "--qf", format, ...names];
}

/** Asks for that the lists that are there: they were just refreshed. */
export function dnfOffers(names: readonly string[]): readonly string[] {
  return ["dnf", "-C", ...dnfQuestion(names)];
}

/**
 * The answer to dnfQuestion, oldest first: `offer NAME EPOCH:VERSION-RELEASE ARCH` with a requirement behind it, and one on each line
 * up to the next. Best first.
 */
export function parseRepoquery(text: string): readonly Offer[] {
  const offers = text.split(/^offer /m).flatMap((part): readonly Offer[] => {
    const [, name, version, arch, requirements] =
      /^(\S+) (\d+:\S+) (\S+)(?: ([^]*))?$/.exec(part.trim()) ?? [];
    if (name === undefined || version === undefined || arch === "src") return [];
    const needs = needsOf(requirements ?? "");
    return [Object.keys(needs).length === 0 ? { name, version } : { name, version, needs }];
  });
  const isFirst = (offer: Offer, index: number): boolean =>
    offers.findIndex((other) => other.name === offer.name && other.version === offer.version) === index;
  return offers.filter(isFirst).reverse();
}

function needsOf(requirements: string): Readonly<Record<string, string>> {
  const least = [...requirements.matchAll(/^([a-z0-9][a-z0-9.+-]+) >= (\S+)$/gm)];
  const bare = requirements.split("\n").filter((name) => RPM_NAMES.includes(name));
  return {
    ...Object.fromEntries(bare.map((name) => [name, ANY_VERSION])),
    ...Object.fromEntries(least.map(([, name = "", version = ""]) => [name, version])),
  };
}

/** Where PROTECT puts the names that dnf takes nothing of. */
const PROTECTED_PATH = "/run/slipway/protected.conf";

/** Takes out of the machine what is named, and nothing else: not what nobody needs any more, nor what PROTECT has named. */
const NOTHING_ELSE: readonly string[] = [
  "--setopt=clean_requirements_on_remove=False",
  `--setopt=protected_packages=glob:${PROTECTED_PATH}`,
];

const NO_MORE = "--setopt=install_weak_deps=False";

/**
 * Names for the next dnf all that is installed but `$@`: it ends where it would have to remove, or replace by another one, any of
 * them, whatever the reason.
 */
export const PROTECT = `
mkdir -p -m 0700 /run/slipway || exit 1
all=$(rpm -qa --qf '%{NAME}\\n') || exit 1
for name; do all=$(echo "$all" | grep -vxF -- "$name"); done
echo "$all" >${PROTECTED_PATH}
`;

/** What is to be there, exactly; older versions are taken without a word from us. dnf waits for another one's lock. */
export function dnfInstall(packages: readonly PackageChoice[], mayErase: boolean): readonly string[] {
  return ["dnf", "-y", ...NOTHING_ELSE, NO_MORE, "install", ...erasing(mayErase), ...dnfWords(packages)];
}

/** Says what that installation would do, by the lists that are there, and does nothing. Locks of dnf 4 do not count, which go before it. */
export function dnfTrial(packages: readonly PackageChoice[], mayErase: boolean): readonly string[] {
  const trial = ["-C", "--assumeno", "--disableplugin=versionlock"];
  return ["dnf", ...trial, NO_MORE, "install", ...erasing(mayErase), ...dnfWords(packages)];
}

/** Files on the machine, by themselves: what they need besides has to be installed. Their checksums vouch for them. */
export function dnfInstallFiles(paths: readonly string[], mayErase: boolean): readonly string[] {
  const alone = ["--disablerepo=*", "--setopt=localpkg_gpgcheck=0"];
  return ["dnf", "-y", ...alone, ...NOTHING_ELSE, NO_MORE, "install", ...erasing(mayErase), ...paths];
}

function erasing(mayErase: boolean): readonly string[] {
  return mayErase ? ["--allowerasing"] : [];
}

function dnfWords(packages: readonly PackageChoice[]): readonly string[] {
  return packages.map(({ name, version }) => (version === undefined ? name : `${name}-${version}`));
}

/** Of each file `NAME EPOCH:VERSION-RELEASE`, and whether a package of that name is installed. */
export const DESCRIBE_FILES = `
for file; do
  words=$(rpm -qp --nosignature --qf '%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE}' "$file") || exit 1
  there=no
  ! rpm -q --quiet "\${words%% *}" || there=yes
  echo "$words $there"
done
`;

/** Those that are not there are no error. What came with them, and others may use by now, stays. */
export function dnfRemove(names: readonly string[]): readonly string[] {
  return ["dnf", "-y", ...NOTHING_ELSE, "remove", ...names];
}

/** Reads the lists anew, of one repository or of all. */
export function dnfRefresh(repository?: string): readonly string[] {
  const only = repository === undefined ? [] : [`--repo=${repository}`];
  return ["dnf", "-q", ...only, "makecache", "--refresh"];
}

/**
 * Locks the packages at what is installed. No repository is asked: without one, a package that is not there is not locked,
 * where dnf would else lock it at everything on offer. A lock that is there is no reason for dnf 4 to add another, so they are
 * taken off first. dnf 4 has the command from a plugin, dnf 5 by itself.
 */
export const HOLD = `
dnf -q --disablerepo='*' versionlock list >/dev/null 2>&1 || dnf -q -y install 'dnf-command(versionlock)' || exit
dnf -q --disablerepo='*' versionlock delete "$@" >/dev/null && dnf -q --disablerepo='*' versionlock add "$@"
`;

/** Where there is no such command there is no lock. */
export const RELEASE = `
dnf -q --disablerepo='*' versionlock list >/dev/null 2>&1 || exit 0
dnf -q --disablerepo='*' versionlock delete "$@"
`;

/** Of a package that stands there twice the one that came last stays. */
export const REPAIR = `
for name; do
  rpm -q --quiet "$name" || continue
  rpm -q --last "$name" | sed 1d | while read -r old rest; do rpm -e --nodeps -- "$old" || exit; done || exit
done
`;
