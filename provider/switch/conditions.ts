import { isIPv6 } from "node:net";
import type { PortSpec } from "../container/spec";
import type { ObservedNetwork, ObservedSwitch } from "./observed-switch";

/** What the service asks of a switch. */
export interface SwitchWish {
  /** As the container's HostConfig says it: `default`, `bridge`, a network's name, `host`, `none`, `container:…`. */
  readonly networkMode: string;
  readonly ports: readonly PortSpec[];
  /** Two of it would write to one place. */
  readonly sharesWritableMount: boolean;
  /** It takes what only one can have: devices, for one. */
  readonly exclusive?: string;
}

/** Which way can be taken; `cautions` are what is not without a gap even so, in words for the preview. */
export type SwitchChoice =
  | { readonly kind: "bridged"; readonly network: ObservedNetwork; readonly cautions: readonly string[] }
  | { readonly kind: "plain"; readonly why: string };

/** Whether the host and the service allow a bridged switch, else why not. */
export function bridgedConditions(host: ObservedSwitch, wish: SwitchWish): SwitchChoice {
  const published = wish.ports.filter((port) => port.host !== undefined);
  const network = networkOf(host, wish.networkMode);
  const why =
    whyNotService(wish, published) ??
    whyNotHost(host) ??
    whyNotNetwork(network, wish) ??
    whyNot6(host, published);
  if (why !== undefined || network === undefined)
    return { kind: "plain", why: why ?? "its network is not known" };
  return { kind: "bridged", network, cautions: cautionsOf(host, published) };
}

/** Why the program cannot run on the host at all, so that a plain switch has to be done step by step from here. */
export function whyNoProgram(host: ObservedSwitch): string | undefined {
  if (!host.root) return "without root's rights on the host";
  if (!host.dockerCli) return "there is no docker command on the host";
  return host.rootless ? "the engine is rootless" : undefined;
}

function whyNotService(wish: SwitchWish, published: readonly PortSpec[]): string | undefined {
  if (published.length === 0) return "it publishes no port of the host";
  if (published.some(({ protocol }) => protocol === "sctp")) return "it publishes an sctp port";
  if (wish.sharesWritableMount) return "two of it would write to one mount";
  return wish.exclusive;
}

function whyNotHost(host: ObservedSwitch): string | undefined {
  const noProgram = whyNoProgram(host);
  if (noProgram !== undefined) return noProgram;
  if (!host.iptables) return "there is no iptables-save and iptables-restore on the host";
  return host.dockerRules ? undefined : "the engine keeps no port rules in iptables";
}

function whyNotNetwork(
  network: ObservedNetwork | undefined,
  { networkMode }: SwitchWish,
): string | undefined {
  if (/^(host|none|container:.*)$/.test(networkMode)) return `its network is ${networkMode}`;
  // a network that is yet to be made is a plain bridge: seen again when it is there
  if (network === undefined) return `its network ${networkMode} is not there yet`;
  if (network.driver !== "bridge") return `its network is of the driver ${network.driver}`;
  if (network.internal) return "its network is internal";
  if (network.gatewayMode !== "nat") return `its network's gateway mode is ${network.gatewayMode}`;
  return network.gateway === undefined ? "its network has no IPv4 gateway" : undefined;
}

function whyNot6(host: ObservedSwitch, published: readonly PortSpec[]): string | undefined {
  if (!host.ipv6 || host.ip6tables || !published.some(({ hostIp = "" }) => hostIp === "" || isIPv6(hostIp)))
    return undefined;
  return "there is no ip6tables-save and ip6tables-restore on the host, which speaks IPv6";
}

function cautionsOf(host: ObservedSwitch, published: readonly PortSpec[]): readonly string[] {
  const udp = published.some(({ protocol }) => protocol === "udp") && !host.conntrack;
  return [
    ...(udp
      ? ["there is no conntrack on the host: a UDP flow that goes on moves only when the old one stops"]
      : []),
    ...(host.liveRestore
      ? []
      : ["without live-restore a restart of dockerd within the switch stops all containers"]),
  ];
}

function networkOf(host: ObservedSwitch, mode: string): ObservedNetwork | undefined {
  const name = mode === "default" || mode === "" ? "bridge" : mode;
  return host.networks.find((network) => network.name === name || network.id === name);
}
