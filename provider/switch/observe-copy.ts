import { isIPv6 } from "node:net";
import type { ContainerCreateOptions } from "dockerode";
import type { ObservedContainer, ObservedPort } from "../container/observed";
import type { PortSpec } from "../container/spec";
import { SlipwayError } from "../errors";
import type { HostSession } from "../host/session";
import type { ObservedNetwork, ObservedSwitch } from "./observed-switch";
import { RULES_BY_COMMENT } from "./program/rules";
import type { CopyRelay, PublishedBinding, SwitchCopy } from "./switch-order";

type PortBindings = NonNullable<NonNullable<ContainerCreateOptions["HostConfig"]>["PortBindings"]>;

/** Where the copy has to be published: free ports of the loopback, of its network's gateway, and of the host's IPv6. */
export function copyBindings(
  ports: readonly PortSpec[],
  host: ObservedSwitch,
  network: ObservedNetwork,
): PortBindings {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of ports) {
    if (port.host === undefined) continue;
    const six = host.ipv6 && (port.hostIp === undefined || port.hostIp === "" || isIPv6(port.hostIp));
    const addresses = ["127.0.0.1", network.gateway, ...(six ? ["::1", host.host6] : [])];
    const all = (bindings[`${port.container}/${port.protocol}`] ??= []);
    for (const address of addresses) {
      if (address === undefined || all.some(({ HostIp }) => HostIp === address)) continue;
      all.push({ HostIp: address, HostPort: "" });
    }
  }
  return bindings;
}

/** The ports that a running container holds on the host, as a switch has to serve them. */
export function publishedBindings(old: ObservedContainer): readonly PublishedBinding[] {
  return old.ports.flatMap(({ container, host, hostIp, protocol }) =>
    protocol === "tcp" || protocol === "udp" ? [{ container, host, hostIp, protocol }] : [],
  );
}

/** `$1` protocol, `$2` the copy's port on 127.0.0.1, `$3` its port on the host's IPv6 address, if any. */
const LOOK = `${RULES_BY_COMMENT}
for backend in $(backends); do
  case $backend in ip6*) port=$3 ;; *) port=$2 ;; esac
  "$backend-save" -t nat 2>/dev/null | grep -e '^-A DOCKER ' | grep -e " -p $1 " | grep -e " --dport \${port:-none} "
done
for folder in /proc/[0-9]*; do
  { read -r name <"$folder/comm"; } 2>/dev/null || continue
  [ "$name" != docker-proxy ] || { tr '\\0' ' ' <"$folder/cmdline"; echo; } 2>/dev/null
done
exit 0
`;

/**
 * How the running copy is reached, by Docker's own rules for it; undefined when the engine made none, so that a bridged
 * switch is not possible.
 * @throws SlipwayError command-failed, connection-lost
 */
export async function observeCopy(
  session: HostSession,
  copy: ObservedContainer,
  host: ObservedSwitch,
  network: ObservedNetwork,
  signal?: AbortSignal,
): Promise<SwitchCopy | undefined> {
  const relays = relaysOf(copy.ports, host, network);
  const first = relays[0];
  if (first === undefined || network.gateway === undefined || network.subnet === undefined) return undefined;
  const options = { sudo: true, ...(signal ? { signal } : {}) };
  const args = [first.protocol, String(first.loopback), String(first.host6 ?? "")];
  const outcome = await session.script(LOOK, args, options);
  if (outcome.kind !== "exited") {
    throw new SlipwayError({
      code: "connection-lost",
      what: `looking at the copy "${copy.name}"`,
      host: session.target,
      why: "it did not come to its end",
    });
  }
  const seen = parseCopyLook(outcome.stdout, first.loopback);
  if (seen.address === undefined) return undefined;
  return {
    id: copy.id,
    address: seen.address,
    subnet: network.subnet,
    gateway: network.gateway,
    ...(host.host6 === undefined ? {} : { host6: host.host6 }),
    ...(seen.address6 === undefined ? {} : { address6: seen.address6 }),
    relays,
    proxy: seen.proxy,
    bridges: host.networks.flatMap(({ bridge }) => (bridge === undefined ? [] : [bridge])),
  };
}

/** What the look at a copy prints: Docker's rules for one of its ports, and the command lines of all docker-proxies. */
export function parseCopyLook(
  text: string,
  loopback: number,
): { readonly address: string | undefined; readonly address6: string | undefined; readonly proxy: boolean } {
  const targets = [...text.matchAll(/^-A DOCKER .*--to-destination (?:\[([^\]]+)\]|([0-9.]+)):\d+/gm)];
  return {
    address: targets.find((match) => match[2] !== undefined)?.[2],
    address6: targets.find((match) => match[1] !== undefined)?.[1],
    proxy: text
      .split("\n")
      .some((line) => line.includes("docker-proxy ") && line.includes(` -host-port ${loopback} `)),
  };
}

function relaysOf(
  ports: readonly ObservedPort[],
  host: ObservedSwitch,
  network: ObservedNetwork,
): readonly CopyRelay[] {
  const at = (like: ObservedPort, address: string | undefined): number | undefined =>
    ports.find(
      ({ container, protocol, hostIp }) =>
        container === like.container &&
        protocol === like.protocol &&
        address !== undefined &&
        sameIp(hostIp, address),
    )?.host;
  return ports.flatMap((port) => {
    const { container, host: loopback, hostIp, protocol } = port;
    const gateway = at(port, network.gateway);
    if (hostIp !== "127.0.0.1" || gateway === undefined || (protocol !== "tcp" && protocol !== "udp"))
      return [];
    const loopback6 = at(port, "::1");
    const host6 = at(port, host.host6);
    return [
      {
        protocol,
        container,
        loopback,
        gateway,
        ...(loopback6 === undefined ? {} : { loopback6 }),
        ...(host6 === undefined ? {} : { host6 }),
      },
    ];
  });
}

/** One address has many spellings; the URL parser knows the one of RFC 5952. */
function sameIp(a: string, b: string): boolean {
  return spelled(a) === spelled(b);
}

function spelled(address: string): string {
  return isIPv6(address) ? new URL(`http://[${address}]`).hostname : address;
}
