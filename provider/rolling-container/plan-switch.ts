import { furtherNetworks } from "../container/create-options";
import { compareLimits } from "../container/limits";
import { candidateName, copyName, keptImage, keptName, liveName } from "../container/names";
import { publishedPorts, sharesWritableMount, userNetworks, usesHostNetwork } from "../container/spec";
import { checkIn, checkOf, containerOptions, type Desired, isUpToDate } from "./desired";
import { type Found, isUp, revisionIn, type SlotFound } from "./found";
import { fillSecrets } from "./plan-secrets";
import type { ContainerRef, GateOperation, Operation, Step } from "./operation";

/** How a slot's containers change places. */
export type SwitchWay =
  /** Both run for a moment: the new one is gated while the old one serves. No gap. */
  | { readonly kind: "overlap" }
  /** Only one may run, or have the port: stop, start. `rehearse`: a copy without ports proves the version first. */
  | { readonly kind: "plain"; readonly rehearse: boolean; readonly why: string };

const CAN_GO_ON: ReadonlySet<string> = new Set(["created", "exited", "running"]);

// what has served before, or was proved by a copy: a moment is enough to see that it does here
const BACK_MS = 1_000;

/** The way for a spec, and why. */
export function switchWay({ spec, update }: Pick<Desired, "spec" | "update">): SwitchWay {
  if (update.switch === "plain") return { kind: "plain", rehearse: false, why: 'switch is "plain"' };
  if (sharesWritableMount(spec))
    return { kind: "plain", rehearse: false, why: "both would write to one mount" };
  if (usesHostNetwork(spec)) return { kind: "plain", rehearse: false, why: "it has the host's network" };
  const ports = publishedPorts(spec).map(({ host }) => host);
  if (ports.length === 0) return { kind: "overlap" };
  return { kind: "plain", rehearse: true, why: `host port ${ports.join(", ")} can be held by one only` };
}

/**
 * The steps that put a container of the desired spec in a slot's place. `previous` is who serves there now, under whatever
 * name; nobody when the slot is new.
 */
export function planSwitch(
  slot: SlotFound,
  previous: Found | undefined,
  desired: Desired,
  cause: string,
): readonly Step[] {
  const way = switchWay(desired);
  const candidate: ContainerRef = { name: candidateName(desired.service, slot.slot) };
  const source = obtainCandidate(slot, desired, candidate, cause);
  const running = previous !== undefined && isUp(previous) ? previous : undefined;
  const rehearse = way.kind === "plain" && way.rehearse && running?.state === "running";
  const makeWay =
    running === undefined || way.kind === "overlap" ? [] : stopPrevious(running, candidate.name);
  const proved: readonly Step[] = [
    ...(source.running ? [] : [startCandidate(source.ref, cause)]),
    rehearse
      ? { operation: shortGate(source.ref, desired), cause: "the copy has proved the version" }
      : { operation: gate(source.ref, desired, true), cause: "the new version has to prove itself" },
  ];
  const passing = [
    ...joinWithAlias(source.ref, slot.slot, desired),
    ...commit(slot, previous, source.ref, desired, way.kind === "overlap" && running !== undefined),
  ];
  const prepared: readonly Step[] = [
    // before the rehearsal, so that a failure there takes back what an interrupted run left, too
    ...source.steps,
    ...(rehearse ? rehearsal(slot.slot, desired) : []),
  ];
  return makeWay.length === 0
    ? [...prepared, ...proved, ...touching(passing)]
    : [...prepared, ...touching(makeWay), ...proved, ...passing];
}

/** The first of them is where the live one begins to be touched. */
function touching([first, ...rest]: readonly Step[]): readonly Step[] {
  return first === undefined ? [] : [{ ...first, touchesLive: true }, ...rest];
}

/** Passing on the name, from the moment when there is no way back; also what carries an interrupted switch forward. */
export function commit(
  slot: SlotFound,
  previous: Found | undefined,
  candidate: ContainerRef,
  desired: Pick<Desired, "service" | "limits">,
  stopsPrevious: boolean,
): readonly Step[] {
  const live = liveName(desired.service, slot.slot);
  const asLive: ContainerRef = { ...candidate, name: live };
  const takeOver: readonly Step[] = [
    {
      operation: { kind: "rename", container: candidate, to: live },
      cause: "it passed its gate",
      commit: true,
    },
    {
      operation: { kind: "restart-policy", container: asLive, restart: desired.limits.restart },
      cause: "it serves from now on",
    },
  ];
  if (previous === undefined) return takeOver;
  const kept = keepPrevious(slot, previous, desired, live);
  const retire: Step[] = [
    { operation: { kind: "restart-policy", container: kept.ref, restart: "no" }, cause: "it serves no more" },
  ];
  if (stopsPrevious) {
    const stop: Operation = { kind: "stop", container: kept.ref, interrupts: false };
    retire.push({ operation: stop, cause: "the new one serves" });
  }
  return [...kept.steps, ...takeOver, ...retire, ...kept.tag];
}

/** The wait for a container of the desired spec. */
export function gate(container: ContainerRef, desired: Desired, serves: boolean): GateOperation {
  const { minHealthyMs, healthyDeadlineMs } = desired.update;
  return {
    kind: "gate",
    container,
    check: checkOf(desired),
    minHealthyMs,
    deadlineMs: healthyDeadlineMs,
    serves,
  };
}

function shortGate(container: ContainerRef, desired: Desired): GateOperation {
  const whole = gate(container, desired, true);
  return { ...whole, minHealthyMs: Math.min(BACK_MS, whole.minHealthyMs) };
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

export function refOf(container: Found): ContainerRef {
  const { name, id, stopTimeoutMs } = container;
  return { name, id, ...(stopTimeoutMs === undefined ? {} : { stopTimeoutMs }) };
}

interface Source {
  readonly ref: ContainerRef;
  readonly running: boolean;
  readonly steps: readonly Step[];
}

/** The candidate: what an interrupted run left of this very spec, the kept container of it, or a new one. */
function obtainCandidate(slot: SlotFound, desired: Desired, candidate: ContainerRef, cause: string): Source {
  const left = slot.candidate;
  // one that crashes or is paused proves nothing
  if (left !== undefined && CAN_GO_ON.has(left.state) && isUpToDate(left, desired)) {
    const undo: Operation[] = [{ kind: "remove", container: refOf(left) }];
    const quiet: Operation = { kind: "restart-policy", container: refOf(left), restart: "no" };
    const steps = [{ operation: quiet, cause: "left by an interrupted run, of this very spec", undo }];
    return { ref: refOf(left), running: left.state === "running", steps };
  }
  const clear: readonly Step[] =
    left === undefined
      ? []
      : [{ operation: { kind: "remove", container: refOf(left) }, cause: "left by an interrupted run" }];
  const kept = slot.kept.find((each) => isUpToDate(each, desired));
  if (kept !== undefined && compareLimits(desired.limits, kept.limits) !== "replace") {
    return { ...wake(kept, candidate, desired), steps: [...clear, ...wake(kept, candidate, desired).steps] };
  }
  return {
    ref: candidate,
    running: false,
    steps: [
      ...clear,
      ...fillSecrets(slot.slot, desired),
      ...create(slot.slot, desired, candidate, cause, true),
    ],
  };
}

/** Going back to a kept revision starts that very container. */
function wake(kept: Found, candidate: ContainerRef, desired: Desired): Source {
  const ref: ContainerRef = { name: candidate.name, id: kept.id };
  const limits = { ...desired.limits, restart: "no" };
  const rename: Step = {
    operation: { kind: "rename", container: refOf(kept), to: candidate.name },
    cause: `revision ${revisionIn(kept)} was kept`,
    undo: [{ kind: "rename", container: ref, to: kept.name }],
  };
  const update: Step = {
    operation: { kind: "limits", container: ref, limits },
    cause: "its limits changed since",
  };
  const same = compareLimits(limits, kept.limits) === "none";
  return { ref, running: kept.state === "running", steps: same ? [rename] : [rename, update] };
}

function create(
  slot: number,
  desired: Desired,
  container: ContainerRef,
  cause: string,
  publish: boolean,
): readonly Step[] {
  const options = containerOptions(desired, slot, publish);
  const joins = furtherNetworks(desired.spec).map((network): Step => {
    return {
      operation: { kind: "connect", container, network, aliases: [] },
      cause: "a network of its spec",
    };
  });
  const undo: Operation[] = [{ kind: "remove", container, volumes: true }];
  return [{ operation: { kind: "create", container, options }, cause, undo }, ...joins];
}

/** A version that is broken is found out here, while the live one serves on. */
function rehearsal(slot: number, desired: Desired): readonly Step[] {
  const copy: ContainerRef = { name: copyName(desired.service, slot) };
  return [
    ...create(slot, desired, copy, "a copy without ports proves the version while the old one serves", false),
    { operation: { kind: "start", container: copy }, cause: "rehearsal" },
    { operation: gate(copy, desired, false), cause: "rehearsal" },
    { operation: { kind: "remove", container: copy, volumes: true }, cause: "it has proved the version" },
  ];
}

function stopPrevious(previous: Found, candidate: string): readonly Step[] {
  const container = refOf(previous);
  // one that did not run well before does not have to when it comes back
  const prove = previous.state === "running" ? [gateBack(previous, 60_000)] : [];
  return [
    {
      operation: { kind: "restart-policy", container, restart: "always" },
      cause: "should the host restart in the switch, it comes back",
      undo: [{ kind: "restart-policy", container, restart: previous.limits.restart }],
    },
    {
      operation: { kind: "stop", container, interrupts: true },
      cause: `makes way for ${candidate}`,
      undo: [{ kind: "start", container }, ...prove],
    },
  ];
}

function startCandidate(ref: ContainerRef, cause: string): Step {
  const undo: Operation[] = [{ kind: "stop", container: ref, interrupts: false }];
  return { operation: { kind: "start", container: ref }, cause, undo };
}

/** Further slots answer to the service's name too, but not before they passed their gate. The first has it as its own name. */
function joinWithAlias(container: ContainerRef, slot: number, desired: Desired): readonly Step[] {
  if (slot === 1) return [];
  return userNetworks(desired.spec).flatMap((network): Step[] => [
    { operation: { kind: "disconnect", container, network }, cause: "to join with the service's name" },
    {
      operation: { kind: "connect", container, network, aliases: [desired.service] },
      cause: "it passed its gate",
    },
  ]);
}

function keepPrevious(
  slot: SlotFound,
  previous: Found,
  { service }: Pick<Desired, "service">,
  live: string,
): { readonly ref: ContainerRef; readonly steps: readonly Step[]; readonly tag: readonly Step[] } {
  const revision = revisionIn(previous);
  // under another service's name (it was renamed) it stays where it is, and goes when the rollout is done
  if (previous.name !== live) return { ref: refOf(previous), steps: [], tag: [] };
  const name = keptName(service, slot.slot, revision);
  const taken = slot.kept.find((each) => each.name === name && each.id !== previous.id);
  const clear: readonly Step[] =
    taken === undefined
      ? []
      : [
          {
            operation: { kind: "remove", container: refOf(taken) },
            cause: "an older one of the same revision",
          },
        ];
  const rename: Step = {
    operation: { kind: "rename", container: refOf(previous), to: name },
    cause: "kept, to go back to",
    commit: true,
  };
  const tag: Operation = { kind: "tag", imageId: previous.imageId, tag: keptImage(service, revision) };
  const tagging =
    previous.foreign === undefined ? [{ operation: tag, cause: "spares the kept one's image" }] : [];
  return { ref: { name, id: previous.id }, steps: [...clear, rename], tag: tagging };
}
