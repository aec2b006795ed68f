import { portHex } from "../container/port-hex";
import { SlipwayError } from "../errors";
import { encodedPath } from "../health/probe-http";
import type { HealthTest } from "../health/policy";

/** A place on the host that the service is published on. */
export interface PublishedBinding {
  readonly protocol: "tcp" | "udp";
  /** Empty: every address of the host, of both families. `0.0.0.0` or `::`: every one of that family. */
  readonly hostIp: string;
  readonly host: number;
  readonly container: number;
}

/** How the program asks a container; undefined: that it runs is all that can be said. */
export interface SwitchCheck {
  readonly test: HealthTest;
  /** A probe that takes longer has failed the gate. */
  readonly timeoutMs: number;
}

/** The live container, or the one that takes its place. */
export interface SwitchContainer {
  /** The whole id: names change, and ids do not. */
  readonly id: string;
  readonly check: SwitchCheck | undefined;
  /** How long it must be healthy without a break. */
  readonly minHealthyMs: number;
  /** How long after its start the gate gives up. */
  readonly deadlineMs: number;
}

/** Where one port of the copy can be reached on the host besides its own address; docker-proxy listens there. */
export interface CopyRelay {
  readonly protocol: "tcp" | "udp";
  readonly container: number;
  /** The port on 127.0.0.1. */
  readonly loopback: number;
  /** The port on the gateway address. */
  readonly gateway: number;
  /** The port on ::1. */
  readonly loopback6?: number;
  /** The port on `host6`. */
  readonly host6?: number;
}

/** The running copy that serves while the live one is exchanged. */
export interface SwitchCopy {
  readonly id: string;
  /** The IPv4 address that Docker's own rules send its connections to. */
  readonly address: string;
  /** Its IPv6 address, where Docker's own ip6tables rules send connections to it. */
  readonly address6?: string;
  /** The subnet of `address`: needed where there is no docker-proxy. */
  readonly subnet: string;
  /** The host's address on the copy's network. */
  readonly gateway: string;
  /** A global IPv6 address of the host, for relaying where the copy has none. */
  readonly host6?: string;
  readonly relays: readonly CopyRelay[];
  /** Whether docker-proxy stands behind published ports (the daemon's `userland-proxy`). */
  readonly proxy: boolean;
  /** The names of all of Docker's bridges on the host, such as `docker0`. */
  readonly bridges: readonly string[];
}

/** Everything that the program on the host needs. Old runs, next is created and not started; a copy runs and has passed. */
export interface SwitchOrder {
  /** The live container's name: names the program, its folder and its rules. */
  readonly service: string;
  readonly way: { readonly kind: "plain" } | { readonly kind: "bridged"; readonly copy: SwitchCopy };
  /** `restart`: its own policy, given back to it when it stays. */
  readonly old: SwitchContainer & { readonly restart: string };
  readonly next: SwitchContainer;
  readonly ports: readonly PublishedBinding[];
  /** TCP ports that the old one listens on and the new one may not: they are drained, too. @default [] */
  readonly oldTcp?: readonly number[];
  /** How long a stop waits before the kill. */
  readonly stopTimeoutMs: number;
  /** How long open connections are waited for, of the old one and of the copy. */
  readonly drainMs: number;
  /** No step forward begins after it. */
  readonly deadlineMs: number;
  /** How long the way back may take after that. */
  readonly backMs: number;
  /** @default /var/run/docker.sock */
  readonly socket?: string;
  /** A file of root's that the program holds by flock while it is at work, for those who have to wait for it. */
  readonly lock?: string;
}

export type BridgedOrder = SwitchOrder & { readonly way: { readonly kind: "bridged" } };

/** The longest that the program takes to say how it ended. */
export function longestSwitchMs({
  deadlineMs,
  backMs,
  drainMs,
  stopTimeoutMs,
}: Pick<SwitchOrder, "deadlineMs" | "backMs" | "drainMs" | "stopTimeoutMs">): number {
  return deadlineMs + backMs + drainMs + stopTimeoutMs + STEP_MS;
}

/** What one call may take beyond its own time before the clock is looked at again. */
const STEP_MS = 30_000;

const SERVICE = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const ID = /^[0-9a-f]{12,64}$/;
const RESTART = /^[a-z-]+(:\d+)?$/;

/**
 * The order as the program reads it: a name and a value a line. No value is ever read by a shell as program text.
 * @throws SlipwayError internal for what cannot stand in a line
 */
export function formatOrder(
  order: SwitchOrder,
  rules: { readonly count4: number; readonly count6: number },
): string {
  const { service, way, old, next, ports } = order;
  demand(SERVICE.test(service), `"${service}" names no container`);
  demand(RESTART.test(old.restart), `"${old.restart}" is no restart policy`);
  const copy = way.kind === "bridged" ? way.copy : undefined;
  for (const { id } of [old, next, ...(copy ? [copy] : [])])
    demand(ID.test(id), `"${id}" is no container id`);
  const published = ports.filter((port) => port.protocol === "tcp").map((port) => port.container);
  const tcp = new Set([...published, ...(order.oldTcp ?? [])]);
  const onHost = new Set(ports.filter((port) => port.protocol === "tcp").map(({ host }) => host));
  const relays = new Set(
    (copy?.relays ?? []).filter(({ protocol }) => protocol === "tcp").flatMap(relayPorts),
  );
  const udp = new Set(ports.filter((port) => port.protocol === "udp").map((port) => port.host));
  const lines: readonly (readonly [string, string | number])[] = [
    ["service", service],
    ["way", way.kind],
    ["socket", order.socket ?? "/var/run/docker.sock"],
    ...(order.lock === undefined ? [] : ([["lock", order.lock]] as const)),
    ["old", old.id],
    ["next", next.id],
    ...(copy
      ? ([
          ["copy", copy.id],
          ["copy_address", copy.address],
          ["copy_address6", copy.address6 ?? "-"],
          ["rules4", rules.count4],
          ["rules6", rules.count6],
        ] as const)
      : []),
    ["old_restart", old.restart],
    ["stop_s", Math.ceil(order.stopTimeoutMs / 1_000)],
    ["drain_ms", order.drainMs],
    ["deadline_ms", order.deadlineMs],
    ["back_ms", order.backMs],
    ...[...tcp].map((port) => ["tcp", portHex(port)] as const),
    ...[...onHost].map((port) => ["host_tcp", portHex(port)] as const),
    ...[...relays].map((port) => ["relay_tcp", portHex(port)] as const),
    ...[...udp].map((port) => ["udp", port] as const),
    ...containerLines("old", old),
    ...containerLines("next", next),
  ];
  return lines
    .map(([name, value]) => {
      demand(!/[\n\0]/.test(String(value)), `${name} has a line break`);
      return `${name} ${value}\n`;
    })
    .join("");
}

function relayPorts({ loopback, gateway, loopback6, host6 }: CopyRelay): readonly number[] {
  return [loopback, gateway, loopback6, host6].filter((port) => port !== undefined);
}

function containerLines(
  who: "old" | "next",
  container: SwitchContainer,
): readonly (readonly [string, string | number])[] {
  return [
    [`${who}_min_ms`, container.minHealthyMs],
    [`${who}_deadline_ms`, container.deadlineMs],
    ...checkLines(who, container.check),
  ];
}

function checkLines(
  who: "old" | "next",
  check: SwitchCheck | undefined,
): readonly (readonly [string, string | number])[] {
  if (check === undefined) return [[`${who}_check`, "none"]];
  const { test } = check;
  const seconds = Math.max(1, Math.ceil(check.timeoutMs / 1_000));
  switch (test.kind) {
    case "http":
      return [[`${who}_check`, `http ${seconds} ${test.port} ${test.status ?? "-"} ${encodedPath(test)}`]];
    case "tcp":
      return [[`${who}_check`, `tcp ${seconds} ${portHex(test.port)}`]];
    case "command":
      return [
        [`${who}_check`, `command ${seconds}`],
        ...test.argv.map((word) => [`${who}_arg`, escaped(word)] as const),
      ];
  }
}

/** A word on one line, as `printf %b` gives it back. */
function escaped(word: string): string {
  return [...Buffer.from(word)]
    .map((byte) =>
      byte > 0x20 && byte < 0x7f && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\0${byte.toString(8).padStart(3, "0")}`,
    )
    .join("");
}

function demand(holds: boolean, why: string): void {
  if (!holds) throw new SlipwayError({ code: "internal", what: "writing a switch's order", why });
}
