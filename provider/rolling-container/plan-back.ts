import { writesToMount } from "../container/like-it";
import { compareLimits } from "../container/limits";
import { candidateName, copyName, liveName } from "../container/names";
import { type PortSpec, STOP_TIMEOUT_MS } from "../container/spec";
import type { Desired } from "./desired";
import { checkIn } from "./desired";
import { containersOf, type Found, type HostFound, previousIn, slotOf } from "./found";
import type { ContainerRef } from "./container-ref";
import type { Operation, Step } from "./operation";
import { BACK_MS, bridgedExchange, type Exchange, gateBack, plainExchange } from "./plan-exchange";
import { awaitCleared } from "./recover-switch";
import { refOf } from "./ref-of";
import { bridgedConditions, whyNoProgram } from "../switch/conditions";
import { unwantedBack } from "./plan-route-away";
import { type RouteBack, routeBack } from "./plan-route-back";
import { runsBoth, wishedWay } from "./switch-way";

const CAUSE = "the rollout failed elsewhere";

/** What going back rests on; `plainly`: without a copy of the one that served, where that has failed. */
export type BackWish = Pick<Desired, "spec" | "update" | "route" | "service" | "replicas"> & {
  readonly plainly?: boolean;
};

/**
 * The steps that put a host back to what served there before the rollout, for the slots that were already switched.
 * `before` was seen then, `now` after.
 */
export function planBack(before: HostFound, now: HostFound, desired: BackWish): readonly Step[] {
  const route = routeBack(before, now, desired);
  const slots = now.service.slots.flatMap(({ slot, live }) => {
    const previous = previousIn(before, slot);
    if (live === undefined || live.id === previous?.id || live.foreign !== undefined) return [];
    return [{ slot, live, previous }];
  });
  let entered = 0;
  const steps = slots.flatMap(({ slot, live, previous }) =>
    previous === undefined
      ? []
      : putBack({ now, slot, live, previous, desired, route, isFirst: entered++ === 0 }),
  );
  // after the route is what it was: they leave it under the name that it has by then
  const added = slots.flatMap(({ slot, live, previous }) =>
    // nobody's place before this run: what stood there under another name serves now, and stays
    previous === undefined && !stoodBefore(before, slot, live) ? removeNew(live, route) : [],
  );
  const limits = limitsBack(before, now);
  return [
    ...steps,
    ...route.rest(entered),
    ...added,
    ...limits,
    ...unwantedBack(before, now, desired, CAUSE),
  ];
}

/** Who stayed has the limits again that it had; the policy of one that is stopped in a switch is what brings it back. */
function limitsBack(before: HostFound, now: HostFound): readonly Step[] {
  return now.service.slots.flatMap(({ slot, live }): readonly Step[] => {
    const previous = previousIn(before, slot);
    if (live?.state !== "running" || live.foreign !== undefined || live.id !== previous?.id) return [];
    if (compareLimits(previous.limits, live.limits) === "none") return [];
    const operation = { kind: "limits", container: refOf(live), limits: previous.limits } as const;
    return [{ operation, cause: CAUSE }];
  });
}

function stoodBefore(before: HostFound, slot: number, { id }: Found): boolean {
  return containersOf(slotOf(before.service, slot)).some((each) => each.id === id);
}

function removeNew(live: Found, route: RouteBack): readonly Step[] {
  return [
    ...route.leave(live, refOf(live)),
    { operation: { kind: "stop", container: refOf(live), interrupts: false }, cause: CAUSE },
    { operation: { kind: "remove", container: refOf(live) }, cause: "nothing served here before" },
  ];
}

interface Return {
  readonly now: HostFound;
  readonly slot: number;
  readonly live: Found;
  readonly previous: Found;
  readonly desired: BackWish;
  readonly route: RouteBack;
  /** The first slot of the host that is put back. */
  readonly isFirst: boolean;
}

function putBack(back: Return): readonly Step[] {
  const { now, slot, live, previous, desired, route, isFirst } = back;
  const { service } = now.service;
  const place = slotOf(now.service, slot);
  // whoever made way by adopt is not ours, whatever it is called by now
  const here = [...place.kept, ...(place.taken ?? [])].find(({ id }) => id === previous.id) ?? previous;
  const kept = here.name === previous.name ? refOf(previous) : refOf(here);
  const away: ContainerRef = { name: candidateName(service, slot), id: live.id };
  const overlaps = runsBoth(wishedWay(desired));
  const last: Operation = { kind: "stop", container: away, interrupts: false };
  return [
    ...awaitCleared(liveName(service, slot), now.switches?.[liveName(service, slot)]),
    ...(exchange(back, kept) ?? inPlace(back, kept, overlaps)),
    ...route.enter(kept, isFirst),
    {
      operation: { kind: "rename", container: refOf(live), to: away.name },
      cause: "makes way",
      commit: true,
    },
    ...(kept.name === previous.name ? [] : [again({ kind: "rename", container: kept, to: previous.name })]),
    again({
      kind: "restart-policy",
      container: { ...kept, name: previous.name },
      restart: previous.limits.restart,
    }),
    ...route.leave(live, away),
    ...(overlaps ? [{ operation: last, cause: "the previous one serves" }] : []),
    { operation: { kind: "remove", container: away }, cause: CAUSE },
  ];
}

function again(operation: Operation): Step {
  return { operation, cause: "it serves again" };
}

/** By the program on the host, with a copy of the one that comes back, so that going back has no gap either. */
function exchange(
  { now, slot, live, previous, desired }: Return,
  next: ContainerRef,
): readonly Step[] | undefined {
  const { service } = now.service;
  const seen = now.switches?.[liveName(service, slot)];
  const wished = wishedWay(desired);
  if (seen === undefined || whyNoProgram(seen) !== undefined || runsBoth(wished)) return undefined;
  if (live.state !== "running") return undefined;
  const ports = previous.ports.map(
    (port): PortSpec => ({ ...port, protocol: port.protocol === "udp" ? "udp" : "tcp" }),
  );
  const both: Exchange = {
    service: liveName(service, slot),
    old: live,
    next,
    check: checkIn(previous),
    minHealthyMs: BACK_MS,
    deadlineMs: desired.update.healthyDeadlineMs,
    ports,
    stopTimeoutMs: previous.stopTimeoutMs ?? STOP_TIMEOUT_MS,
    cause: CAUSE,
  };
  const { likeIt: options, networkMode, networks } = previous;
  if (wished.kind === "plain" || desired.plainly === true || options === undefined)
    return plainExchange(both, true);
  const wish = { networkMode, ports, sharesWritableMount: writesToMount(options) };
  const choice = bridgedConditions(seen, wish);
  if (choice.kind === "plain") return plainExchange(both, true);
  const further = networks.filter((name) => name !== choice.network.name);
  const copy = { name: copyName(service, slot), options, networks: further, minHealthyMs: BACK_MS };
  return bridgedExchange(both, { host: seen, network: choice.network }, copy);
}

function inPlace(
  { live, previous, desired }: Return,
  kept: ContainerRef,
  overlaps: boolean,
): readonly Step[] {
  const container = refOf(live);
  const away: readonly Step[] = [
    {
      operation: { kind: "restart-policy", container, restart: "always" },
      cause: "should the host restart meanwhile, it comes back",
      undo: [{ kind: "restart-policy", container, restart: live.limits.restart }],
    },
    { operation: { kind: "stop", container, interrupts: true }, cause: CAUSE },
  ];
  return [
    ...(overlaps ? [] : away),
    {
      operation: { kind: "start", container: kept },
      cause: "it served before",
      undo: [
        { kind: "stop", container: kept, interrupts: !overlaps },
        ...(overlaps ? [] : [{ kind: "start", container } as const]),
      ],
    },
    {
      operation: { ...gateBack(previous, desired.update.healthyDeadlineMs), container: kept },
      cause: "it has to serve again",
    },
  ];
}
