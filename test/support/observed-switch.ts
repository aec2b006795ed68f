import type { ObservedNetwork, ObservedSwitch } from "../../provider/switch/observed-switch";

const BRIDGE: ObservedNetwork = {
  id: "f".repeat(64),
  name: "bridge",
  driver: "bridge",
  internal: false,
  bridge: "docker0",
  subnet: "172.17.0.0/16",
  gateway: "172.17.0.1",
  ipv6: false,
  gatewayMode: "nat",
};

/** A host that can do every switch, and on which none is under way, but for what is given. */
export function observedSwitch(given: Partial<ObservedSwitch> = {}): ObservedSwitch {
  return {
    program: undefined,
    unfinished: undefined,
    files: false,
    rules: 0,
    copyAlive: undefined,
    root: true,
    dockerCli: true,
    iptables: true,
    ip6tables: true,
    conntrack: true,
    dockerRules: true,
    dockerRules6: true,
    rootless: false,
    liveRestore: true,
    ipv6: false,
    host6: undefined,
    networks: [BRIDGE],
    ...given,
  };
}
