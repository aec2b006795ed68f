import { observeContainer } from "../container/inspect";
import type { ObservedContainer } from "../container/observed";
import { isSlipwayError } from "../errors";
import type { ReadyScript } from "../host/session";
import type { HostAccess } from "./host-access";
import type { Check, ContainerRef } from "./container-ref";
import { inTime, LOOK_MS } from "../container/in-time";
import type { Operation } from "./operation";
import { clearRules } from "../switch/clear-rules";
import { endSwitch } from "../switch/end-switch";
import { followSwitch } from "../switch/follow-switch";
import { observeCopy } from "../switch/observe-copy";
import { readySwitch, runSwitch } from "../switch/run-switch";
import { recoverSwitch } from "../switch/start-switch";
import type { SwitchResult } from "../switch/switch-event";
import {
  longestSwitchMs,
  type SwitchCheck,
  type SwitchContainer,
  type SwitchOrder,
} from "../switch/switch-order";
import type { SwitchMember, SwitchOperation } from "./switch-operation";

/** Operations that the host carries out by itself. */
export type HostOperation = Extract<
  Operation,
  { readonly kind: "switch" | "follow-switch" | "clear-rules" | "end-switch" }
>;

export function isHostOperation(operation: Operation): operation is HostOperation {
  return ["switch", "follow-switch", "clear-rules", "end-switch"].includes(operation.kind);
}

/** How it ended; undefined for what has no end to tell. */
export async function callHost(
  host: HostAccess,
  operation: HostOperation,
  look: (operation: SwitchOperation) => Promise<SwitchLook>,
  ready?: ReadyScript,
): Promise<SwitchResult | undefined> {
  const { session, signal, log } = host;
  switch (operation.kind) {
    case "switch":
      return exchange(host, operation, await look(operation), ready);
    case "follow-switch": {
      const { service, recover, deadlineMs: limitMs } = operation;
      if (recover) await recoverOrFollow(host, service);
      return followSwitch(session, service, { log, limitMs, signal });
    }
    case "clear-rules":
      await clearRules(session, operation.service, signal);
      return undefined;
    case "end-switch":
      await endSwitch(session, operation.service, signal);
      return undefined;
  }
}

async function recoverOrFollow({ session, signal }: HostAccess, service: string): Promise<void> {
  try {
    await recoverSwitch(session, service, signal);
  } catch (error) {
    // started again meanwhile, by the host itself
    if (!isSlipwayError(error, "service-locked")) throw error;
  }
}

/** What an exchange rests on beside its operation. */
export interface SwitchLook {
  readonly old: ObservedContainer;
  readonly next: ObservedContainer;
  readonly copy: ObservedContainer | undefined;
  /** Why it is not possible, in words, or how it is. */
  readonly place: SwitchOrder["way"] | string;
}

/** Makes ready what starts an exchange that comes after a gate of at most `gateMs`. */
export function readyForSwitch(
  { session }: HostAccess,
  exchange: SwitchOperation,
  gateMs: number,
): ReadyScript {
  return readySwitch(session, exchange.service, { timeoutMs: longestSwitchMs(exchange), readyMs: gateMs });
}

/** Looks at those who are to change places; may be done while the copy is at its gate. */
export async function lookForSwitch(
  host: HostAccess,
  { service, old, next, way }: SwitchOperation,
  idOf: (container: ContainerRef) => string,
): Promise<SwitchLook> {
  const { session, docker, signal } = host;
  const [before, after, copy] = await inTime(host, `looking at "${service}"`, LOOK_MS, () =>
    Promise.all([
      observeContainer(docker, idOf(old.container)),
      observeContainer(docker, idOf(next.container)),
      way.kind === "bridged" ? observeContainer(docker, idOf(way.copy)) : undefined,
    ]),
  );
  if (before === undefined) throw new Error(`${old.container.name} is gone`);
  if (after === undefined) throw new Error(`${next.container.name} is gone`);
  const found = { old: before, next: after, copy };
  if (way.kind !== "bridged") return { ...found, place: { kind: "plain" } };
  if (copy === undefined) return { ...found, place: "the copy is gone" };
  const seen = await observeCopy(session, copy, way.host, way.network, signal);
  if (seen === undefined) return { ...found, place: "the engine made no rules for the copy's ports" };
  return { ...found, place: { kind: "bridged", copy: seen } };
}

async function exchange(
  host: HostAccess,
  operation: SwitchOperation,
  look: SwitchLook,
  ready: ReadyScript | undefined,
): Promise<SwitchResult> {
  const { session, log, signal } = host;
  const { service, old, next } = operation;
  const { place } = look;
  if (typeof place === "string") return impossible(place);
  const { ports, oldTcp, stopTimeoutMs, drainMs, deadlineMs, backMs } = operation;
  const order: SwitchOrder = {
    service,
    way: place,
    old: { ...memberOf(look.old, old), restart: old.restart },
    next: memberOf(look.next, next),
    ...{ ports, oldTcp, stopTimeoutMs, drainMs, deadlineMs, backMs },
  };
  signal.throwIfAborted();
  const limitMs = longestSwitchMs(order);
  return runSwitch(session, order, {
    ...{ log, limitMs, signal, until: "served" },
    ...(ready === undefined ? {} : { ready }),
  });
}

function impossible(why: string): SwitchResult {
  return { kind: "plain-instead", why, gapMs: 0, events: [] };
}

function memberOf(
  container: ObservedContainer,
  { check, minHealthyMs, deadlineMs }: SwitchMember,
): SwitchContainer {
  return { id: container.id, check: checkFor(container, check), minHealthyMs, deadlineMs };
}

function checkFor({ dockerHealthcheck }: ObservedContainer, check: Check): SwitchCheck | undefined {
  const asked = check === "docker" ? dockerHealthcheck : check === "none" ? undefined : check;
  return asked === undefined ? undefined : { test: asked.test, timeoutMs: asked.timeoutMs };
}
