import { candidateName, keptImage } from "../container/names";
import type { Desired } from "./desired";
import { type Found, type HostFound, revisionIn, type SlotFound } from "./found";
import { dropKept, dropTag } from "./kept";
import { atOnce, type Step } from "./operation";
import { type HostPlan, provedSlots } from "./plan";

/** A slot's kept ones as they are after its switch, the last one first. */
interface Kept {
  readonly slot: number;
  /** Who served before the switch; undefined where nobody did, or there was no switch. */
  readonly previous: Found | undefined;
  readonly kept: readonly Found[];
}

/**
 * Kept ones that a rollout made too many. They are known when every host serves the new version, before the host is looked at
 * again: so they go while that is waited for. `before` was seen before the plan was carried out.
 */
export function planSurplus(
  before: HostFound,
  plan: HostPlan,
  { keepPrevious }: Pick<Desired, "keepPrevious">,
): readonly Step[] {
  const proved = provedSlots(plan);
  const { service } = before.service;
  const all = before.service.slots.map((slot) => keptAfter(service, slot, plan));
  const stay = new Set(all.flatMap(({ kept }) => kept.slice(0, keepPrevious).map(revisionIn)));
  const surplus = all
    .filter(({ slot }) => proved.has(slot))
    .flatMap(({ previous, kept }) => kept.slice(keepPrevious).filter((each) => each !== previous));
  const revisions = new Set(surplus.map(revisionIn).filter((revision) => !stay.has(revision)));
  const tags = [...revisions]
    .map((revision) => keptImage(service, revision))
    .filter((tag) => before.keptTags.includes(tag));
  return atOnce([...surplus.map((each) => dropKept(each, keepPrevious)), ...tags.map(dropTag)]);
}

function keptAfter(service: string, { slot, live, kept }: SlotFound, { slots }: HostPlan): Kept {
  const planned = slots.find((each) => each.slot === slot);
  if (planned?.kind !== "switch") return { slot, previous: undefined, kept };
  const candidate = candidateName(service, slot);
  // one that it goes back to is kept no more
  const back = planned.steps.flatMap(({ operation }) =>
    operation.kind === "rename" && operation.to === candidate ? [operation.container.id] : [],
  );
  const others = kept.filter(({ id }) => !back.includes(id));
  return { slot, previous: live, kept: live === undefined ? others : [live, ...others] };
}
