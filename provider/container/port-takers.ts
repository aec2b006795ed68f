import type Docker from "dockerode";
import { RESTART_DAEMON } from "../host/daemon-log";
import type { HostSession } from "../host/session";
import type { PublishedPort } from "./spec";

/** Who holds a port of the host. */
export interface PortTaker {
  readonly port: number;
  readonly protocol: string;
  /** Empty or 0.0.0.0 for every address. */
  readonly hostIp: string;
  /** In words: `container "db"`, `process nginx (pid 812)`. */
  readonly by: string;
  /** The id, where it is a container. */
  readonly containerId: string | undefined;
  /** A listener of the engine's own: of a container that runs, or of one that the engine has forgotten. */
  readonly proxyPid?: string;
}

/** What frees a port, for an error's next step. */
export function howToFree({ proxyPid }: PortTaker): string {
  return proxyPid === undefined
    ? "Stop it, or publish another port"
    : `Restart Docker on the host (${RESTART_DAEMON}), which frees it, then run pulumi up again`;
}

// the engine's own listeners stand for containers, which are asked for by name
const ENGINE_PROCESSES = new Set(["dockerd", "rootlessport", "rootlesskit"]);
/** One process a port: one without a container is what a loss of power leaves while the engine starts a container. */
const PROXY = "docker-proxy";
const NAMELESS = "a process";

/** Who holds any of these ports of the host: running containers, and processes where the host has `ss`. */
export async function observePortTakers(
  session: HostSession,
  docker: Docker,
  ports: readonly PublishedPort[],
  signal: AbortSignal,
): Promise<readonly PortTaker[]> {
  if (ports.length === 0) return [];
  const [containers, sockets] = await Promise.all([
    publishedPorts(docker),
    listeners(session, ports, signal),
  ]);
  const isWanted = (taker: PortTaker): boolean =>
    ports.some((port) => port.host === taker.port && port.protocol === taker.protocol);
  const takers = takersOf(containers, parseListeners(sockets)).filter(isWanted);
  const proxies = takers.flatMap(({ proxyPid }) => proxyPid ?? []);
  if (proxies.length === 0) return takers;
  const alive = await aliveLater(session, proxies, signal);
  const listening = takers.filter(
    ({ containerId, proxyPid }) =>
      containerId === undefined && (proxyPid === undefined || alive.has(proxyPid)),
  );
  return takersOf(await publishedPorts(docker), listening).filter(isWanted);
}

async function publishedPorts(docker: Docker): Promise<readonly PortTaker[]> {
  const containers = await docker.listContainers();
  return containers.flatMap(({ Id, Names, Ports }) =>
    // the types promise a public port and address; a port that is not published has neither
    Ports.map((port: Partial<(typeof Ports)[number]>) => ({
      port: port.PublicPort ?? 0,
      protocol: port.Type ?? "tcp",
      hostIp: port.IP ?? "",
      by: `the container "${(Names[0] ?? Id).replace(/^\//, "")}"`,
      containerId: Id,
    })),
  );
}

// a container that starts or stops has its listener for a moment while it is not said to run
const LATER = 'sleep 1; for pid in "$@"; do [ ! -d "/proc/$pid" ] || echo "$pid"; done';

/** Those of these processes that live a second later. */
async function aliveLater(
  session: HostSession,
  pids: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const outcome = await session.script(LATER, pids, { signal });
  return new Set(outcome.kind === "exited" ? outcome.stdout.split("\n") : []);
}

/**
 * Containers, and the processes that are not there for one: without root's rights the engine's own listener has no name, so
 * one without a name on a port that a container publishes is that container's.
 */
export function takersOf(
  published: readonly PortTaker[],
  listening: readonly PortTaker[],
): readonly PortTaker[] {
  const isContainers = (listener: PortTaker): boolean =>
    (listener.by === NAMELESS || listener.proxyPid !== undefined) &&
    published.some(
      ({ port, protocol, hostIp }) =>
        port === listener.port && protocol === listener.protocol && sameAddress(hostIp, listener.hostIp),
    );
  return [...published, ...listening.filter((listener) => !isContainers(listener))];
}

/** For hosts without `ss`: the same lines, of the ports in "$@" only, from the kernel's tables and the processes' open files. */
const WITHOUT_SS = `
for table in tcp tcp6 udp udp6; do
  [ -r "/proc/net/$table" ] || continue
  while read -r _ local _ state _ _ _ _ _ inode _; do
    case $state in 0A) ;; 07) [ "\${table%6}" = udp ] || continue ;; *) continue ;; esac
    port=$((0x\${local##*:}))
    for wanted in "$@"; do
      [ "$port" = "$wanted" ] || continue
      users=
      fd=$(find /proc/[0-9]*/fd -lname "socket:\\[$inode\\]" 2>/dev/null | head -n 1)
      pid=\${fd#/proc/}
      pid=\${pid%%/*}
      [ -n "$pid" ] && read -r name < "/proc/$pid/comm" && users="users:((\\"$name\\",pid=$pid,fd=0))"
      echo "\${table%6} LISTEN 0 0 *:$port *:* $users"
    done
  done < "/proc/net/$table"
done
`;

/** Listening sockets with their processes, as `ss` prints them. Where neither way works the engine's own refusal has to tell. */
async function listeners(
  session: HostSession,
  ports: readonly PublishedPort[],
  signal: AbortSignal,
): Promise<string> {
  const facts = await session.facts({ signal });
  const options = { sudo: facts.sudo !== "none" && facts.sudo !== "root", signal };
  const first = await session.exec(["ss", "-H", "-l", "-n", "-p", "-t", "-u"], options);
  if (first.kind === "exited" && first.code === 0) return first.stdout;
  const wanted = [...new Set(ports.map(({ host }) => String(host)))];
  const second = await session.script(WITHOUT_SS, wanted, options);
  return second.kind === "exited" && second.code === 0 ? second.stdout : "";
}

/** What `ss -Hlnptu` prints: `tcp LISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:(("nginx",pid=812,fd=6))`. */
export function parseListeners(text: string): readonly PortTaker[] {
  return text.split("\n").flatMap((line) => {
    const [protocol = "", , , , local = "", , users = ""] = line.trim().split(/\s+/);
    const address = /^\[?([^\]]*?)\]?(?:%[^:]+)?:(\d+)$/.exec(local);
    if (!address) return [];
    const owner = /\("([^"]*)",pid=(\d+)/.exec(users);
    if (owner && ENGINE_PROCESSES.has(owner[1] ?? "")) return [];
    const isProxy = owner?.[1] === PROXY;
    const name = isProxy ? "Docker for a container that it has forgotten" : `the process ${owner?.[1] ?? ""}`;
    const by = owner ? `${name} (pid ${owner[2] ?? ""})` : NAMELESS;
    return [
      {
        port: Number(address[2]),
        protocol,
        hostIp: address[1] === "*" ? "" : (address[1] ?? ""),
        by,
        containerId: undefined,
        ...(isProxy && owner[2] !== undefined ? { proxyPid: owner[2] } : {}),
      },
    ];
  });
}

/** True when two addresses of a host can collide: one of them means every address, or they are the same. */
export function sameAddress(a: string, b: string): boolean {
  const any = (address: string): boolean => address === "" || address === "0.0.0.0" || address === "::";
  return any(a) || any(b) || a === b;
}
