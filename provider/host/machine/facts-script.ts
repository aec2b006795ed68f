import type { HostFacts } from "../facts";

/**
 * The nearest ancestor of our shell that is an sshd, else the shell's parent. Fields of /proc/PID/stat are counted after the
 * last `)`, since a name may hold anything.
 */
export const SESSION_PROCESS = `
pid=$PPID
found=
while [ "$pid" -gt 1 ] 2>/dev/null; do
  stat=$(cat "/proc/$pid/stat" 2>/dev/null) || break
  read -r name < "/proc/$pid/comm" || break
  set -- \${stat##*) }
  parent=$2
  shift 19
  [ -n "$found" ] || found="$pid $1"
  case $name in
    sshd*|dropbear*) found="$pid $1"; break ;;
  esac
  pid=$parent
done
echo "$found"
`;

/** The facts that need nobody's rights; each field starts with a line `== name`. Never fails: a missing field is empty. */
export const FACT_FIELDS = `
field() { printf '\\n== %s\\n' "$1"; }
field os; cat /etc/os-release 2>/dev/null || cat /usr/lib/os-release 2>/dev/null
field architecture; uname -m
field init; if [ -d /run/openrc ]; then echo openrc; else cat /proc/1/comm 2>/dev/null; fi
field user; id -un
field uid; id -u
field groups; id -Gn
field machine-id; cat /etc/machine-id 2>/dev/null
field boot-id; cat /proc/sys/kernel/random/boot_id 2>/dev/null
field session-process
( ${SESSION_PROCESS} ) 2>/dev/null
field docker-cli; command -v docker
field docker-socket; [ -S /var/run/docker.sock ] && echo yes
`;

/**
 * Reads every fact in one go. sudo is asked with `-k`: a password that it remembers from a while ago is no permission to
 * go without.
 */
export const FACTS_SCRIPT = `${FACT_FIELDS}
field sudo
if [ "$(id -u)" = 0 ]; then echo root
elif sudo -n -k -- /bin/sh -c : >/dev/null 2>&1; then echo passwordless
else echo none; fi
exit 0
`;

/** Parses what FACTS_SCRIPT printed; FACT_FIELDS alone do not know of root's rights (`none`). */
export function parseFacts(text: string): HostFacts {
  const fields = splitFields(text);
  const line = (name: string): string => (fields.get(name) ?? "").trim();
  const os = parseOsRelease(fields.get("os") ?? "");
  const sudo = line("sudo");
  return {
    os: {
      id: os.get("ID") ?? "",
      idLike: words(os.get("ID_LIKE") ?? ""),
      versionId: os.get("VERSION_ID") ?? "",
      codename: os.get("VERSION_CODENAME") ?? "",
      prettyName: os.get("PRETTY_NAME") ?? "",
      ubuntuCodename: os.get("UBUNTU_CODENAME") ?? "",
      debianCodename: os.get("DEBIAN_CODENAME") ?? "",
    },
    architecture: line("architecture"),
    init: line("init"),
    user: { name: line("user"), uid: Number(line("uid") || Number.NaN), groups: words(line("groups")) },
    sudo: sudo === "root" || sudo === "passwordless" ? sudo : "none",
    machineId: line("machine-id"),
    bootId: line("boot-id"),
    sessionProcess: line("session-process"),
    dockerCli: line("docker-cli") || undefined,
    dockerSocket: line("docker-socket") === "yes",
  };
}

/** os-release is a file of sh assignments: values may stand in single or double quotes, with backslash escapes. */
export function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\s*([A-Z][A-Z0-9_]*)=(.*?)\s*$/.exec(line);
    if (match?.[1] !== undefined) values.set(match[1], unquote(match[2] ?? ""));
  }
  return values;
}

function unquote(value: string): string {
  const quoted = /^(["'])(.*)\1$/.exec(value);
  if (quoted?.[1] === "'") return quoted[2] ?? "";
  return (quoted?.[2] ?? value).replace(/\\(["$`\\'])/g, "$1");
}

function splitFields(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const part of text.split(/^== /m).slice(1)) {
    const end = part.indexOf("\n");
    if (end !== -1) fields.set(part.slice(0, end), part.slice(end + 1));
  }
  return fields;
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
