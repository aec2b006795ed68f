import { candidateName } from "../container/names";
import { type Found, type HostFound, slotOf } from "./found";
import type { Operation, Step } from "./operation";
import type { Desired } from "./desired";
import { gateBack, refOf, switchWay } from "./plan-switch";

const CAUSE = "the rollout failed elsewhere";

/**
 * The steps that put a host back to what served there before the rollout, for the slots that were already switched.
 * `before` was seen then, `now` after.
 */
export function planBack(
  before: HostFound,
  now: HostFound,
  desired: Pick<Desired, "spec" | "update">,
): readonly Step[] {
  return now.service.slots.flatMap(({ slot, live }) => {
    const previous = slotOf(before.service, slot).live ?? slotOf(before.former, slot).live;
    if (live === undefined || live.id === previous?.id || live.foreign !== undefined) return [];
    if (previous === undefined) return removeNew(live);
    return putBack(now, slot, live, previous, desired);
  });
}

function removeNew(live: Found): readonly Step[] {
  return [
    { operation: { kind: "stop", container: refOf(live), interrupts: false }, cause: CAUSE },
    { operation: { kind: "remove", container: refOf(live) }, cause: "nothing served here before" },
  ];
}

function putBack(
  now: HostFound,
  slot: number,
  live: Found,
  previous: Found,
  desired: Pick<Desired, "spec" | "update">,
): readonly Step[] {
  const { service } = now.service;
  const here = slotOf(now.service, slot).kept.find(({ id }) => id === previous.id) ?? previous;
  const kept = here.name === previous.name ? refOf(previous) : refOf(here);
  const away = candidateName(service, slot);
  const overlaps = switchWay(desired).kind === "overlap";
  const stop: Operation = { kind: "stop", container: refOf(live), interrupts: true };
  const start: readonly Step[] = [
    {
      operation: { kind: "start", container: kept },
      cause: "it served before",
      undo: [
        { kind: "stop", container: kept, interrupts: false },
        ...(overlaps ? [] : [{ kind: "start", container: refOf(live) } as const]),
      ],
    },
    {
      operation: { ...gateBack(previous, desired.update.healthyDeadlineMs), container: kept },
      cause: "it has to serve again",
    },
  ];
  const rename = (container: Operation & { kind: "rename" }, cause: string, commit = false): Step => {
    return { operation: container, cause, commit };
  };
  const back = { ...kept, name: previous.name };
  const last: Operation = { kind: "stop", container: { name: away, id: live.id }, interrupts: false };
  return [
    ...(overlaps ? [] : [{ operation: stop, cause: CAUSE }]),
    ...start,
    rename({ kind: "rename", container: refOf(live), to: away }, "makes way", true),
    ...(kept.name !== previous.name
      ? [rename({ kind: "rename", container: kept, to: previous.name }, "it serves again")]
      : []),
    {
      operation: { kind: "restart-policy", container: back, restart: previous.limits.restart },
      cause: "it serves again",
    },
    ...(overlaps ? [{ operation: last, cause: "the previous one serves" }] : []),
    { operation: { kind: "remove", container: { name: away, id: live.id } }, cause: CAUSE },
  ];
}
