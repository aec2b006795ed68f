import type Docker from "dockerode";
import { SlipwayError } from "../errors";
import type { CommandOutcome, HostSession, ReadyScript } from "../host/session";
import { stripControl, tail } from "../secret";
import { isObject } from "../values";
import type { ObservedSwitch } from "./observed-switch";
import { parseNetwork } from "./parse-network";
import { RUNNING, switchFolder } from "./place";
import { RULES_BY_COMMENT } from "./program/rules";

/** `$1` service, `$2` its folder. One `name value` a line. */
const OBSERVE = `${RULES_BY_COMMENT}${RUNNING}
SERVICE=$1 folder=$2
tell() { printf '%s\\n' "$*"; }
has() { command -v "$1" >/dev/null 2>&1; }
phase=; { read -r phase <"$folder/phase"; } 2>/dev/null
if running "$folder"; then tell program "$pid" "\${phase:-begun}"
elif [ -n "$phase" ] && [ "$phase" != ended ]; then tell unfinished "$phase"
fi
[ ! -d "$folder" ] || tell files
rules=0
if has iptables-save; then
  for backend in $(backends); do
    ! saved "$backend" || rules=$((rules + $(mine -c)))
    case $backend in ip6*) word=docker-rules6 ;; *) word=docker-rules ;; esac
    case $ALL in *'-j DOCKER
'*) tell "$word" ;; esac
  done
fi
tell rules "$rules"
if { read -r copy began <"$folder/copy"; } 2>/dev/null; then
  stat=; { read -r stat <"/proc/$copy/stat"; } 2>/dev/null
  set -f; set -- "$1" \${stat##*) }; set +f
  if [ "\${21:-}" = "$began" ]; then tell copy alive; else tell copy dead; fi
fi
[ "$(id -u)" != 0 ] || tell root
has iptables-save && has iptables-restore && tell iptables
has ip6tables-save && has ip6tables-restore && tell ip6tables
has conntrack && tell conntrack
[ ! -r /proc/net/if_inet6 ] || while read -r address _ _ scope flags device; do
  tell address6 "$scope" "$flags" "$address" "$device"
done </proc/net/if_inet6
has docker && tell docker
exit 0
`;

/** What the engine says of itself and of its networks, as it comes. */
export interface EngineLook {
  readonly info: unknown;
  readonly networks: readonly unknown[];
}

const NO_LOOK: EngineLook = { info: undefined, networks: [] };

/** Asks the engine; `networks`: where somebody has asked for them already. */
export async function lookAtEngine(
  docker: Docker,
  networks: Promise<readonly unknown[]> = docker.listNetworks(),
): Promise<EngineLook> {
  const [info, all] = await Promise.all([docker.info() as Promise<unknown>, networks]);
  return { info, networks: all };
}

/** How long it may stay ready. */
const READY_MS = 600_000;

/** What a look may rest on that was begun before. */
export interface SwitchLooks {
  /** What the engine says. */
  readonly engine?: Promise<EngineLook>;
  /** What runs the look, see {@link readyToObserve}. */
  readonly ready?: Promise<ReadyScript> | undefined;
}

/** Makes ready on the host what looks there, while something else is waited for. */
export async function readyToObserve(
  session: HostSession,
  service: string,
  signal?: AbortSignal,
): Promise<ReadyScript> {
  const { sudo } = await session.facts(signal ? { signal } : {});
  return session.ready([service, switchFolder(service)], {
    sudo: sudo !== "none" && sudo !== "root",
    readyMs: READY_MS,
    ...(signal ? { signal } : {}),
  });
}

/**
 * Reads in one round trip what a host has of a switch of this service, and whether it can do one. Without root's rights
 * nothing is known but that.
 * @throws SlipwayError command-failed, connection-lost; what the engine refuses
 */
export async function observeSwitch(
  session: HostSession,
  service: string,
  signal?: AbortSignal,
  {
    ready = readyToObserve(session, service, signal),
    engine = session.docker(signal).then((docker) => lookAtEngine(docker)),
  }: SwitchLooks = {},
): Promise<ObservedSwitch> {
  const look = async (): Promise<CommandOutcome> => (await ready).run(OBSERVE);
  // the engine is asked over its own connection: three docker commands on the host would take a tenth of a second more
  const [outcome, seen] = await Promise.all([look(), engine]);
  if (outcome.kind === "exited" && outcome.code === 0) return parseObservedSwitch(outcome.stdout, seen);
  throw new SlipwayError({
    code: outcome.kind === "lost" ? "connection-lost" : "command-failed",
    what: `looking for a switch of "${service}"`,
    host: session.target,
    why: outcome.kind === "exited" ? `exit code ${outcome.code}` : "it did not come to its end",
    evidence: tail(session.redact(stripControl(outcome.stderr.trim()))),
  });
}

/** What the script prints, and what the engine says beside it. */
export function parseObservedSwitch(text: string, engine: EngineLook = NO_LOOK): ObservedSwitch {
  const lines = text.split("\n").map((line) => {
    const space = line.indexOf(" ");
    return space < 0
      ? { name: line, value: "" }
      : { name: line.slice(0, space), value: line.slice(space + 1) };
  });
  const has = (name: string): boolean => lines.some((line) => line.name === name);
  const value = (name: string): string | undefined => lines.find((line) => line.name === name)?.value;
  const program = /^(\d+) (\S+)$/.exec(value("program") ?? "");
  const copy = value("copy");
  const info = isObject(engine.info) ? engine.info : {};
  const security: readonly unknown[] = Array.isArray(info.SecurityOptions) ? info.SecurityOptions : [];
  const addresses = lines.filter(({ name }) => name === "address6").map((line) => line.value);
  return {
    program: program ? { pid: Number(program[1]), phase: program[2] ?? "" } : undefined,
    unfinished: value("unfinished"),
    files: has("files"),
    rules: Number(value("rules") ?? 0),
    copyAlive: copy === undefined ? undefined : copy === "alive",
    root: has("root"),
    dockerCli: has("docker"),
    iptables: has("iptables"),
    ip6tables: has("ip6tables"),
    conntrack: has("conntrack"),
    dockerRules: has("docker-rules"),
    dockerRules6: has("docker-rules6"),
    rootless: security.includes("name=rootless"),
    liveRestore: info.LiveRestoreEnabled === true,
    ipv6: addresses.length > 0,
    host6: globalAddress(addresses),
    networks: engine.networks.flatMap(parseNetwork),
  };
}

const DEPRECATED = 0x20;
const TENTATIVE = 0x40;
const TEMPORARY = 0x01;

/** `<scope> <flags> <32 hex digits> <device>`, as in /proc/net/if_inet6; a bridge of Docker's is no address to relay by. */
function globalAddress(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const [scope, flags = "", address = "", device = ""] = line.split(/\s+/);
    const unfit = Number.parseInt(flags, 16) & (DEPRECATED | TENTATIVE | TEMPORARY);
    if (scope !== "00" || unfit !== 0 || /^(docker|br-|veth)/.test(device)) continue;
    if (/^[0-9a-f]{32}$/.test(address)) return (address.match(/.{4}/g) ?? []).join(":");
  }
  return undefined;
}
