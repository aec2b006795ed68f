import type { BridgedOrder, SwitchCopy } from "../../provider/switch/switch-order";

const COPY: SwitchCopy = {
  id: "c".repeat(64),
  address: "172.18.0.3",
  subnet: "172.18.0.0/16",
  gateway: "172.18.0.1",
  relays: [{ protocol: "tcp", container: 3000, loopback: 32768, gateway: 32769 }],
  proxy: true,
  bridges: ["docker0", "br-0123456789ab"],
};

/** A bridged switch of "web" on port 80, with a copy of these properties. */
export function bridgedOrder(
  copy: Partial<SwitchCopy> = {},
  more: Partial<Omit<BridgedOrder, "way">> = {},
): BridgedOrder {
  const check = { test: { kind: "http" as const, port: 3000, path: "/ready" }, timeoutMs: 2_500 };
  return {
    service: "web",
    way: { kind: "bridged", copy: { ...COPY, ...copy } },
    old: { id: "a".repeat(64), check, minHealthyMs: 500, deadlineMs: 9_000, restart: "unless-stopped" },
    next: { id: "b".repeat(64), check, minHealthyMs: 1_000, deadlineMs: 8_000 },
    ports: [{ protocol: "tcp", hostIp: "0.0.0.0", host: 80, container: 3000 }],
    stopTimeoutMs: 10_000,
    drainMs: 30_000,
    deadlineMs: 120_000,
    backMs: 60_000,
    ...more,
  };
}
