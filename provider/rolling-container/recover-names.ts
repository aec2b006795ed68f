import { copyName, keptName, liveName } from "../container/names";
import type { Desired } from "./desired";
import { type Found, revisionIn, type SlotFound } from "./found";
import { quiet } from "./kept";
import type { Operation, Step } from "./operation";
import { gateBack } from "./plan-exchange";
import { refOf } from "./ref-of";

const IDLE = "it does not serve";

type Wish = Pick<Desired, "service" | "limits" | "update">;

/** The kept one serves and the live one does not: they change places, and the planner goes on from there. */
export function changePlaces(slot: SlotFound, live: Found, serving: Found, desired: Wish): readonly Step[] {
  const { service } = desired;
  const kept = keptName(service, slot.slot, revisionIn(live));
  const back = nameBack(slot, serving, desired);
  if (serving.name !== kept) return [...stepAside(slot, live, desired), ...back];
  // of one revision, so each has the name that the other is to have
  const between = copyName(service, slot.slot);
  const first = renameIdle(live, live.name, between);
  return [...silenceLive(live), first, ...back, renameIdle(live, between, kept)];
}

/** The live one does not serve, and somebody else does: it becomes a kept one. */
export function stepAside(slot: SlotFound, live: Found, { service }: Pick<Wish, "service">): readonly Step[] {
  const kept = keptName(service, slot.slot, revisionIn(live));
  const first = silenceLive(live);
  const twin = slot.kept.find(({ name }) => name === kept);
  const rename = renameIdle(live, live.name, kept);
  if (twin === undefined) return [...first, rename];
  // two of one revision: the one that ran well stays
  const ran = live.state === "exited" || live.state === "paused";
  return ran ? [...first, makeWay(twin), rename] : [...first, makeWay(live)];
}

function silenceLive(live: Found): readonly Step[] {
  const isUp = live.state !== "exited" && live.state !== "created";
  const stop: Operation = { kind: "stop", container: refOf(live), interrupts: false };
  return [
    ...(live.limits.restart === "no" ? [] : [quiet(live)]),
    ...(isUp ? [{ operation: stop, cause: IDLE }] : []),
  ];
}

function renameIdle({ id }: Found, name: string, to: string): Step {
  return { operation: { kind: "rename", container: { name, id }, to }, cause: IDLE };
}

function makeWay(container: Found): Step {
  return { operation: { kind: "remove", container: refOf(container) }, cause: "makes way" };
}

/** Died between two renames, then the host restarted: Docker brought the kept one back, under its kept name. */
export function nameBack(
  { slot }: SlotFound,
  serving: Found,
  { service, limits }: Pick<Desired, "service" | "limits">,
): readonly Step[] {
  const name = liveName(service, slot);
  const container = { name, id: serving.id };
  return [
    {
      operation: { kind: "rename", container: refOf(serving), to: name },
      cause: "it serves",
      commit: true,
    },
    { operation: { kind: "restart-policy", container, restart: limits.restart }, cause: "it serves" },
  ];
}

/** Died between the renames, and the candidate does not run any more: who served before comes back. */
export function bringBack(
  slot: SlotFound,
  last: Found,
  desired: Wish,
  isServedByCopy: boolean,
): readonly Step[] {
  const name = liveName(desired.service, slot.slot);
  const rename: Step = {
    operation: { kind: "rename", container: refOf(last), to: name },
    cause: "it served last",
  };
  return [rename, ...startAgain({ ...last, name }, desired, isServedByCopy)];
}

/**
 * Died inside the switch, before the candidate served: the live one first. While a copy serves in its place, one that is no
 * good is stopped again: running, it would be taken for the one that serves.
 */
export function startAgain(
  live: Found,
  desired: Pick<Desired, "limits" | "update">,
  isServedByCopy = false,
): readonly Step[] {
  const container = refOf(live);
  const undo: readonly Operation[] = [{ kind: "stop", container, interrupts: false }];
  return [
    {
      operation: { kind: "start", container },
      cause: "the live one first",
      ...(isServedByCopy ? { undo } : {}),
    },
    { operation: gateBack(live, desired.update.healthyDeadlineMs), cause: "it has to serve again" },
    {
      operation: { kind: "restart-policy", container, restart: desired.limits.restart },
      cause: "it serves again",
    },
  ];
}
