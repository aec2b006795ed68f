import { LABEL } from "../container/labels";
import { compareLimits } from "../container/limits";
import { namedVolumes, publishedPorts, userNetworks } from "../container/spec";
import { SlipwayError } from "../errors";
import { type Desired, isUpToDate } from "./desired";
import {
  containersOf,
  emptySlot,
  type Found,
  type HostFound,
  isAtWork,
  isUp,
  previousIn,
  slotOf,
  type SlotFound,
} from "./found";
import { formatSteps, type Step } from "./operation";
import { takesKeptName } from "./kept";
import { stayBehindRoute } from "./plan-proxied";
import { gate, planSwitch } from "./plan-switch";
import { isServedByCopy } from "./recover-switch";
import { refOf } from "./ref-of";
import { switchWay } from "./switch-way";
import { howToFree, sameAddress } from "../container/port-takers";

/** What happens in one slot; `switch` when its container becomes another one. */
export interface SlotPlan {
  readonly slot: number;
  readonly kind: "none" | "change" | "switch";
  readonly steps: readonly Step[];
}

/** What happens on one host, in this order. */
export interface HostPlan {
  readonly target: string;
  /** Networks and volumes. */
  readonly preparation: readonly Step[];
  readonly slots: readonly SlotPlan[];
}

/**
 * The steps that bring one host to what is desired, slot by slot.
 * @throws SlipwayError name-taken, port-taken, switch-impossible, service-locked: nothing is touched then
 */
export function planHost(found: HostFound, desired: Desired): HostPlan {
  refuseBeside(found, desired);
  const numbers = Array.from({ length: desired.replicas }, (_, index) => index + 1);
  const slots = numbers.map((number) => planSlot(found, number, desired));
  if (slots.some(({ kind }) => kind !== "none")) refuseTakenPorts(found, desired);
  for (const { slot, kind } of slots) if (kind === "switch") refuseOtherWay(found, slot, desired);
  const preparation = slots.some(({ kind }) => kind === "switch") ? prepare(found, desired) : [];
  return { target: found.target, preparation, slots };
}

/** True when there is nothing to do on the host. */
export function isEmptyPlan(plan: HostPlan): boolean {
  return stepsOf(plan).length === 0;
}

export function stepsOf(plan: HostPlan): readonly Step[] {
  return [...plan.preparation, ...plan.slots.flatMap(({ steps }) => steps)];
}

/** The steps of all slots in the order of an atomic rollout: first what nobody notices, then what touches live ones. */
export function atomicSteps({ preparation, slots }: HostPlan): readonly Step[] {
  const parts = slots.map(({ slot, steps }) => {
    const own = steps.map((step): Step => ({ ...step, slot }));
    const at = own.findIndex(({ touchesLive }) => touchesLive === true);
    return at < 0 ? { prove: own, touch: [] } : { prove: own.slice(0, at), touch: own.slice(at) };
  });
  return [...preparation, ...parts.flatMap(({ prove }) => prove), ...parts.flatMap(({ touch }) => touch)];
}

/** The slots whose container has to pass a gate in this plan, ours or that of the program that exchanges it. */
export function provedSlots({ slots }: HostPlan): ReadonlySet<number> {
  const proves = ({ operation }: Step): boolean =>
    operation.kind === "switch" || (operation.kind === "gate" && operation.serves);
  return new Set(slots.filter(({ steps }) => steps.some(proves)).map(({ slot }) => slot));
}

/**
 * What brings back those that stand still though the rollout has just passed their gate: an engine that is restarted in that
 * moment takes the new one along, and its policy comes too late. They prove themselves again.
 */
export function planRevival(found: HostFound, desired: Desired): readonly Step[] {
  return found.service.slots
    .filter(({ slot, kept }) => slot <= desired.replicas && !kept.some(isUp))
    .flatMap(({ live }) => (live !== undefined && isUpToDate(live, desired) ? revive(live, desired) : []));
}

/** The plan as text, one step a line. */
export function formatPlan(plan: HostPlan): string {
  return formatSteps(stepsOf(plan));
}

function planSlot(found: HostFound, number: number, desired: Desired): SlotPlan {
  const slot = slotOf(found.service, number);
  refuseForeign(slot, found, desired);
  refuseFormer(found, number, desired);
  const { live } = slot;
  const previous = previousIn(found, number);
  if (live === undefined || !isUpToDate(live, desired)) {
    refuseTakenName(slot, found, desired);
    const cause = causeOf(slot, previous, desired);
    return { slot: number, kind: "switch", steps: planSwitch(slot, previous, desired, found, cause) };
  }
  const change = compareLimits(desired.limits, live.limits);
  if (change === "replace") {
    refuseTakenName(slot, found, desired);
    const steps = planSwitch(withoutKept(slot), live, desired, found, "a limit was taken away");
    return { slot: number, kind: "switch", steps };
  }
  // one of them may serve: clearing up would have given it the name, or let the live one make way for it
  const before = live.state === "running" ? undefined : slotOf(found.former, number).live;
  const others = [slot.candidate, ...slot.kept, before?.foreign === undefined ? before : undefined];
  if (others.some((each) => each !== undefined && isUp(each))) refuseTakenName(slot, found, desired);
  const steps = [...clearCandidate(slot), ...(change === "update" ? [updateLimits(live, desired)] : [])];
  // the program that let a copy serve in its place has seen that it does not
  const prove = isServedByCopy(found, number) && live.state !== "paused";
  const all = [
    ...steps,
    ...revive(prove ? { ...live, state: "exited" } : live, desired),
    ...stayBehindRoute(found, desired, number, live),
  ];
  return { slot: number, kind: all.length === 0 ? "none" : "change", steps: all };
}

function causeOf(slot: SlotFound, previous: Found | undefined, desired: Desired): string {
  if (previous === undefined) {
    return slot.kept.length > 0 ? "the live one is gone" : "no container yet";
  }
  if (previous.foreign !== undefined) return `takes over from ${previous.foreign}`;
  if (previous.labels[LABEL.service] !== desired.service) return "the service has a new name";
  return previous.labels[LABEL.specHash] === desired.specHash ? "the image changed" : "the spec changed";
}

function withoutKept(slot: SlotFound): SlotFound {
  return { ...emptySlot(slot.slot), live: slot.live, candidate: slot.candidate };
}

function clearCandidate({ candidate }: SlotFound): readonly Step[] {
  if (candidate === undefined) return [];
  return [
    { operation: { kind: "remove", container: refOf(candidate) }, cause: "left by an interrupted run" },
  ];
}

function updateLimits(live: Found, desired: Desired): Step {
  return {
    operation: { kind: "limits", container: refOf(live), limits: desired.limits },
    cause: "changed, no new container needed",
    undo: [{ kind: "limits", container: refOf(live), limits: live.limits }],
  };
}

/** A live one of the right spec that does not run is started, and has to pass the gate like any other. */
function revive(live: Found, desired: Desired): readonly Step[] {
  const container = refOf(live);
  const prove: Step = { operation: gate(container, desired, true), cause: "it has to prove itself again" };
  switch (live.state) {
    case "running":
    case "restarting":
      return [];
    case "paused":
      return [{ operation: { kind: "unpause", container }, cause: "it was paused" }, prove];
    case "created":
    case "exited":
    case "removing":
    case "dead":
      return [{ operation: { kind: "start", container }, cause: `it was ${live.state}` }, prove];
  }
}

function prepare(found: HostFound, { spec, service }: Desired): readonly Step[] {
  const labels = { [LABEL.service]: service };
  const present = new Set(found.networks.map(({ name }) => name));
  const networks = userNetworks(spec)
    .filter((name) => !present.has(name))
    .map((name): Step => {
      const undo = [{ kind: "remove-network", name } as const];
      return { operation: { kind: "create-network", name, labels }, cause: "missing", undo };
    });
  const volumes = namedVolumes(spec)
    .filter((name) => !found.volumes.includes(name))
    .map((name): Step => ({ operation: { kind: "create-volume", name, labels }, cause: "missing" }));
  return [...networks, ...volumes];
}

/** A program that exchanges containers outlives whoever started it. */
function refuseBeside({ target, switches = {} }: HostFound, { service }: Desired): void {
  if (!Object.values(switches).some(isAtWork)) return;
  throw new SlipwayError({
    code: "service-locked",
    what: `rolling out "${service}"`,
    host: target,
    why: "a switch that was begun by an earlier run is still at work there",
    left: "Nothing was touched",
    next: "Wait until it has ended, then run pulumi up again",
  });
}

/** Who says "bridged" would rather have no switch than a gap. */
function refuseOtherWay(found: HostFound, slot: number, desired: Desired): void {
  if (desired.update.switch !== "bridged") return;
  const serving = previousIn(found, slot);
  const way = switchWay(desired, found, slot);
  const missing = found.networks.every(({ name }) => name !== (desired.spec.networks?.[0] ?? "bridge"));
  // a network that is yet to be made matters only to the one that serves already
  if (way.kind !== "plain" || (serving === undefined && missing)) return;
  throw new SlipwayError({
    code: "switch-impossible",
    what: `rolling out "${desired.service}"`,
    host: found.target,
    why: `a bridged switch is not possible: ${way.why}`,
    left: "Nothing was touched",
    next: 'Mend that, or say update: { switch: "auto" } to accept a gap',
  });
}

function refuseForeign(slot: SlotFound, found: HostFound, desired: Desired): void {
  const taken = [slot.live, slot.candidate, slot.copy, ...(slot.helpers ?? [])].find(
    (each) => each?.foreign !== undefined,
  );
  if (taken === undefined || (desired.adopt && taken === slot.live)) return;
  const other = "Give the service another name, or say adopt: true to take the container over";
  throw nameTaken(taken, found, desired, taken === slot.live ? other : undefined);
}

/** Ours under the former name cannot be put in its place where a stranger has that, and may have the port. */
function refuseFormer(found: HostFound, number: number, desired: Desired): void {
  const { former } = found;
  const slot = slotOf(former, number);
  const isLeft = [slot.candidate, ...slot.kept].some(
    (each) => each?.foreign === undefined && each && isUp(each),
  );
  if (former === undefined || !isLeft) return;
  refuseForeign(slot, found, { ...desired, adopt: false });
  refuseTakenName(slot, found, { ...desired, service: former.service });
}

/** The one that makes way is kept under a name that may be somebody else's. */
function refuseTakenName(slot: SlotFound, found: HostFound, desired: Desired): void {
  const taker = takesKeptName(slot, desired.service);
  if (taker !== undefined) throw nameTaken(taker, found, desired);
}

function nameTaken(
  { name, foreign = "somebody else" }: Found,
  { target }: HostFound,
  { service }: Desired,
  next = `Remove or rename the container "${name}"`,
): SlipwayError {
  return new SlipwayError({
    code: "name-taken",
    what: `rolling out "${service}"`,
    host: target,
    why: `the name "${name}" belongs to ${foreign}`,
    left: "Nothing was touched",
    next,
  });
}

function refuseTakenPorts(found: HostFound, desired: Desired): void {
  const own = [found.service, found.former]
    .flatMap((service) => service?.slots ?? [])
    .flatMap(containersOf)
    .filter((each) => each.foreign === undefined || desired.adopt)
    .map(({ id }) => id);
  for (const port of publishedPorts(desired.spec)) {
    const taker = found.portTakers.find(
      (each) =>
        each.port === port.host &&
        each.protocol === port.protocol &&
        sameAddress(each.hostIp, port.hostIp ?? "") &&
        (each.containerId === undefined || !own.includes(each.containerId)),
    );
    if (taker === undefined) continue;
    throw new SlipwayError({
      code: "port-taken",
      what: `rolling out "${desired.service}"`,
      host: found.target,
      why: `port ${port.host}/${port.protocol} is held by ${taker.by}`,
      left: "Nothing was touched",
      next: howToFree(taker),
    });
  }
}
