import type { ContainerCreateOptions } from "dockerode";
import type { PortSpec } from "../container/spec";
import { STOP_TIMEOUT_MS } from "../container/spec";
import { checkIn } from "./desired";
import type { Found } from "./found";
import type { Check, ContainerRef } from "./container-ref";
import type { GateOperation, Operation, Step } from "./operation";
import { refOf } from "./ref-of";
import type { ObservedNetwork, ObservedSwitch } from "../switch/observed-switch";
import { copyBindings, publishedBindings } from "../switch/observe-copy";
import type { PublishedBinding } from "../switch/switch-order";
import type { ProgramWay, SwitchOperation } from "./switch-operation";

/** What has served before, or was proved by a copy: a moment is enough to see that it does here. */
export const BACK_MS = 1_000;
const OLD_DEADLINE_MS = 60_000;
const SLACK_MS = 30_000;

/** Who changes places by the program on the host. */
export interface Exchange {
  /** The live name. */
  readonly service: string;
  /** Runs, and holds the ports. */
  readonly old: Found;
  /** Stands ready, and does not run. */
  readonly next: ContainerRef;
  readonly check: Check;
  readonly minHealthyMs: number;
  readonly deadlineMs: number;
  /** The ports of the one that is to serve. */
  readonly ports: readonly PortSpec[];
  readonly stopTimeoutMs: number;
  readonly cause: string;
}

/** The copy that serves meanwhile. */
export interface CopyPlan {
  readonly name: string;
  readonly options: ContainerCreateOptions;
  /** Beside the one that it is created in. */
  readonly networks: readonly string[];
  /** How long it has to be well before it counts. */
  readonly minHealthyMs: number;
}

/** The copy is proved, then the program takes over; where the host cannot do it after all, plainly. */
export function bridgedExchange(
  exchange: Exchange,
  { host, network }: { readonly host: ObservedSwitch; readonly network: ObservedNetwork },
  copy: CopyPlan,
): readonly Step[] {
  const ref: ContainerRef = { name: copy.name };
  const PortBindings: unknown = copyBindings(exchange.ports, host, network);
  const HostConfig = { ...copy.options.HostConfig, PortBindings };
  const options: ContainerCreateOptions = { ...copy.options, HostConfig };
  const way: ProgramWay = { kind: "bridged", copy: ref, host, network };
  const remove: Operation = { kind: "remove", container: ref, volumes: true };
  return [
    ...copySteps(exchange, { ...copy, options }, "a copy serves while the containers change places"),
    {
      ...exchangeStep({ ...exchange, minHealthyMs: Math.min(BACK_MS, exchange.minHealthyMs) }, way),
      otherwise: [{ operation: remove, cause: "nothing leads to it" }, ...plainExchange(exchange, true)],
    },
  ];
}

/** The old one is stopped, the next one started, or the old one again: by the host alone. */
export function plainExchange(exchange: Exchange, isProved: boolean): readonly Step[] {
  const { next, deadlineMs, check, cause } = exchange;
  const minHealthyMs = isProved ? Math.min(BACK_MS, exchange.minHealthyMs) : exchange.minHealthyMs;
  const gate: GateOperation = {
    kind: "gate",
    container: next,
    check,
    minHealthyMs,
    deadlineMs,
    serves: true,
  };
  const undo: Operation[] = [{ kind: "stop", container: next, interrupts: true }];
  return [
    {
      ...exchangeStep({ ...exchange, minHealthyMs }, { kind: "plain" }),
      otherwise: [
        { operation: { kind: "start", container: next }, cause: "nobody serves", undo },
        { operation: gate, cause },
      ],
    },
  ];
}

/** A version that is broken is found out here, while the live one serves on. */
export function copySteps(
  { check, deadlineMs }: Pick<Exchange, "check" | "deadlineMs">,
  { name, options, networks, minHealthyMs }: CopyPlan,
  cause: string,
): readonly Step[] {
  const copy: ContainerRef = { name };
  const undo: Operation[] = [{ kind: "remove", container: copy, volumes: true }];
  const gate: GateOperation = {
    kind: "gate",
    container: copy,
    check,
    minHealthyMs,
    deadlineMs,
    serves: false,
  };
  return [
    { operation: { kind: "create", container: copy, options }, cause, undo },
    ...networks.map((network): Step => {
      const operation = { kind: "connect", container: copy, network, aliases: [] } as const;
      return { operation, cause: "a network of its spec" };
    }),
    { operation: { kind: "start", container: copy }, cause: "rehearsal" },
    { operation: gate, cause: "rehearsal" },
  ];
}

/** How long the one that served may take to come back: a new one's time, where it boots as slowly. */
export function oldDeadlineMs(healthyDeadlineMs: number): number {
  return Math.max(OLD_DEADLINE_MS, healthyDeadlineMs);
}

/** The wait for a container that served before. */
export function gateBack(container: Found, deadlineMs: number): GateOperation {
  const check = checkIn(container);
  return {
    kind: "gate",
    container: refOf(container),
    check,
    minHealthyMs: BACK_MS,
    deadlineMs,
    serves: true,
  };
}

function exchangeStep(exchange: Exchange, way: ProgramWay): Step {
  const { old, next, cause } = exchange;
  const container = refOf(old);
  // for a later step: until it has switched, the program goes back by itself
  const undo: readonly Operation[] = [
    { kind: "stop", container: next, interrupts: true },
    { kind: "start", container },
    gateBack(old, oldDeadlineMs(exchange.deadlineMs)),
    { kind: "restart-policy", container, restart: old.limits.restart },
  ];
  return { operation: switchOperation(exchange, way), cause, touchesLive: true, undo };
}

function switchOperation(exchange: Exchange, way: ProgramWay): SwitchOperation {
  const { service, old, next, check, minHealthyMs, deadlineMs, stopTimeoutMs } = exchange;
  const longestStopMs = Math.max(stopTimeoutMs, old.stopTimeoutMs ?? STOP_TIMEOUT_MS);
  const held = publishedBindings(old);
  const member = { container: refOf(old), check: checkIn(old) };
  return {
    kind: "switch",
    service,
    container: next,
    old: {
      ...member,
      minHealthyMs: BACK_MS,
      deadlineMs: oldDeadlineMs(deadlineMs),
      restart: old.limits.restart,
    },
    next: { container: next, check, minHealthyMs, deadlineMs },
    way,
    ports: held.flatMap((binding) => servedAt(binding, exchange.ports)),
    oldTcp: [
      ...new Set(held.filter(({ protocol }) => protocol === "tcp").map(({ container: port }) => port)),
    ],
    stopTimeoutMs: longestStopMs,
    ...exchangeLimits(longestStopMs, deadlineMs),
  };
}

/** How long the program on the host may take forward and back. */
export function exchangeLimits(
  stopMs: number,
  healthyDeadlineMs: number,
): Pick<SwitchOperation, "drainMs" | "deadlineMs" | "backMs"> {
  // whoever asks for longer to end also has connections that take longer
  const drainMs = stopMs;
  return {
    drainMs,
    deadlineMs: drainMs + stopMs + healthyDeadlineMs + SLACK_MS,
    backMs: stopMs + oldDeadlineMs(healthyDeadlineMs) + SLACK_MS,
  };
}

/** A place on the host stays, the port in the container may be another one. */
function servedAt(held: PublishedBinding, ports: readonly PortSpec[]): readonly PublishedBinding[] {
  const same = ports.find(({ host, protocol }) => host === held.host && protocol === held.protocol);
  return same === undefined ? [] : [{ ...held, container: same.container }];
}
