import { liveName } from "../container/names";
import type { Desired } from "./desired";
import { type Found, type HostFound, isAtWork, isUnsettled, slotOf, type SlotFound } from "./found";
import type { Recovery } from "./leftovers";
import type { Operation, Step } from "./operation";
import { gateBack } from "./plan-exchange";
import { refOf } from "./ref-of";
import type { ObservedSwitch } from "../switch/observed-switch";

const SLACK_MS = 600_000;
/** The phase of a program whose new one serves already. */
const CLEARING = "clearing";

/**
 * The rows of the crash matrix that come before all others: a program of an earlier run, and what one left. While there are
 * any, nothing else is done: after them the host is looked at again. `wasFollowed`: one that died was let finish already.
 */
export function recoverSwitches(
  found: HostFound,
  { update, wasFollowed = false }: Pick<Desired, "update"> & { readonly wasFollowed?: boolean },
): readonly Recovery[] {
  return Object.entries(found.switches ?? {}).flatMap(([name, seen]) => {
    const slot = slotNamed(found, name);
    const deadlineMs = 2 * update.healthyDeadlineMs + SLACK_MS;
    const follow = (recover: boolean): Operation => ({
      kind: "follow-switch",
      service: name,
      recover,
      deadlineMs,
    });
    if (isAtWork(seen)) {
      const step: Step = { operation: follow(false), cause: "nobody acts beside it" };
      const what =
        seen.program?.phase === CLEARING
          ? `a copy of ${name} that still answers what it took`
          : `the switch of ${name} still at work (${seen.program?.phase ?? ""})`;
      return [{ found: what, steps: [step] }];
    }
    if (leadsNowhere(seen, slot?.copy)) {
      const step: Step = { operation: { kind: "clear-rules", service: name }, cause: "their copy is dead" };
      return [{ found: `rules of ${name} that lead nowhere`, steps: [step] }];
    }
    if ((seen.unfinished !== undefined || seen.program !== undefined) && !wasFollowed) {
      const after = seen.program === undefined ? `interrupted after ${seen.unfinished ?? ""}` : "stuck";
      const step: Step = { operation: follow(true), cause: "it knows what it did" };
      return [{ found: `a switch of ${name} ${after}`, steps: [step] }];
    }
    if (!isUnsettled(seen) || !hasServer(slot) || seen.program !== undefined) return [];
    const { live } = slot ?? {};
    // one that was started again and is no good would take the copy's place
    const prove: readonly Step[] =
      live !== undefined && isCopyServing(seen, slot)
        ? [
            {
              operation: gateBack(live, update.healthyDeadlineMs),
              cause: "it has to serve before the copy goes",
            },
          ]
        : [];
    const steps = [...prove, ...settle(name, slot, "the live one serves")];
    return [{ found: `rules of ${name} without need`, steps }];
  });
}

/** Ends what is left of switches, but for a copy that serves while no other has `proved` that it does. */
export function settleSwitches(found: HostFound, proved: ReadonlySet<number>): readonly Step[] {
  return Object.entries(found.switches ?? {}).flatMap(([name, seen]) => {
    const slot = slotNamed(found, name);
    const isCalledSo = slotNamed({ service: found.service, former: undefined }, name) !== undefined;
    const isLeft = isUnsettled(seen) || (seen.files && !isCalledSo);
    // nobody cuts off what a copy still answers
    if (!isLeft || isAtWork(seen) || (isCopyServing(seen, slot) && !proved.has(slot?.slot ?? 0))) return [];
    return settle(name, slot, hasServer(slot) ? "the live one serves" : "nobody needs it");
  });
}

/** Before everything of a service goes: a program is let finish, and what it held goes first, with its files. */
export function endSwitches({ switches = {} }: HostFound, cause: string): readonly Step[] {
  return Object.entries(switches).flatMap(([service, seen]): readonly Step[] => {
    if (!isUnsettled(seen) && !seen.files) return [];
    const follow = { kind: "follow-switch", service, recover: false, deadlineMs: SLACK_MS } as const;
    return [
      ...(isAtWork(seen) ? [{ operation: follow, cause: "nobody acts beside it" }] : []),
      { operation: { kind: "end-switch", service }, cause },
    ];
  });
}

/** What a copy still answers is waited for, before a host that has switched is put back. */
export function awaitCleared(name: string, seen: ObservedSwitch | undefined): readonly Step[] {
  const isClearing = seen?.program?.phase === CLEARING || seen?.unfinished === CLEARING;
  if (!isClearing) return [];
  const follow = { kind: "follow-switch", service: name, recover: true, deadlineMs: SLACK_MS } as const;
  return [{ operation: follow, cause: "its copy answers what it took" }];
}

/** The copy serves while nobody else does, under whichever name of the service: it stays until somebody does. */
export function isServedByCopy(
  { service, former, switches }: Pick<HostFound, "service" | "former" | "switches">,
  slot: number,
): boolean {
  return [service, former].some((each) => {
    const seen = each && switches?.[liveName(each.service, slot)];
    return seen !== undefined && isCopyServing(seen, slotOf(each, slot));
  });
}

/** The slot whose live one has that name now, or had it under the service's former name. */
function slotNamed(
  { service, former }: Pick<HostFound, "service" | "former">,
  name: string,
): SlotFound | undefined {
  return [service, former]
    .flatMap((each) => each?.slots.map((slot) => ({ slot, live: liveName(each.service, slot.slot) })) ?? [])
    .find(({ live }) => live === name)?.slot;
}

function settle(service: string, slot: SlotFound | undefined, cause: string): readonly Step[] {
  const copy = slot?.copy?.foreign === undefined ? slot?.copy : undefined;
  const end: Step = { operation: { kind: "end-switch", service }, cause };
  if (copy === undefined) return [end];
  const container = refOf(copy);
  const stop: Operation = { kind: "stop", container, interrupts: false };
  return [
    end,
    ...(copy.state === "running" ? [{ operation: stop, cause }] : []),
    { operation: { kind: "remove", container, volumes: true }, cause },
  ];
}

function leadsNowhere({ rules, copyAlive, program }: ObservedSwitch, copy: Found | undefined): boolean {
  if (rules === 0 || program !== undefined) return false;
  return copyAlive === undefined ? copy?.state !== "running" : !copyAlive;
}

function isCopyServing(seen: ObservedSwitch, slot: SlotFound | undefined): boolean {
  if (seen.rules === 0 || slot?.copy?.state !== "running") return false;
  return !slot.kept.some(({ state }) => state === "running");
}

/** A kept one that runs has the port: by the rows for the rest it gets its name back. */
function hasServer(slot: SlotFound | undefined): boolean {
  return [slot?.live, ...(slot?.kept ?? [])].some((each) => each?.state === "running");
}
