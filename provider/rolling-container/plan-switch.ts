import { furtherNetworks } from "../container/create-options";
import { compareLimits } from "../container/limits";
import { candidateName, copyName, liveName } from "../container/names";
import { STOP_TIMEOUT_MS, userNetworks } from "../container/spec";
import { checkOf, containerOptions, type Desired, isUpToDate } from "./desired";
import { type Found, type HostFound, isUp, revisionIn, type SlotFound } from "./found";
import {
  BACK_MS,
  bridgedExchange,
  type CopyPlan,
  copySteps,
  type Exchange,
  gateBack,
  oldDeadlineMs,
  plainExchange,
} from "./plan-exchange";
import { commit } from "./plan-commit";
import { fillSecrets } from "./plan-secrets";
import type { ContainerRef } from "./container-ref";
import type { GateOperation, Operation, Step } from "./operation";
import { isServedByCopy } from "./recover-switch";
import { refOf } from "./ref-of";
import { enterRoute, leaveRoute, routeProof } from "./plan-proxied";
import { routeWish } from "./plan-route";
import { leaveUnwanted } from "./plan-route-away";
import { runsBoth, type SwitchWay, switchWay } from "./switch-way";

const CAN_GO_ON: ReadonlySet<string> = new Set(["created", "exited", "running"]);

/**
 * The steps that put a container of the desired spec in a slot's place. `previous` is who serves there now, under whatever
 * name; nobody when the slot is new.
 */
export function planSwitch(
  slot: SlotFound,
  previous: Found | undefined,
  desired: Desired,
  found: Pick<HostFound, "target" | "service" | "former" | "switches" | "routes">,
  cause: string,
): readonly Step[] {
  const way = switchWay(desired, found, slot.slot);
  const candidate: ContainerRef = { name: candidateName(desired.service, slot.slot) };
  const source = obtainCandidate(slot, desired, candidate, cause);
  const running = previous !== undefined && isUp(previous) ? previous : undefined;
  const unwanted = (ref: ContainerRef, mayReturn: boolean): readonly Step[] =>
    previous === undefined
      ? []
      : leaveUnwanted(found, desired, { slot: slot.slot, found: previous, ref, mayReturn });
  const leave = (kept: ContainerRef): readonly Step[] =>
    previous === undefined
      ? []
      : [
          ...leaveRoute(found, previous, kept, routeWish(found, desired)),
          ...(runsBoth(way) ? unwanted(kept, false) : []),
        ];
  const gone = [
    ...(slot.candidate === undefined || slot.candidate.id === source.ref.id ? [] : [slot.candidate.id]),
    ...(previous === undefined || runsBoth(way) ? [] : [previous.id]),
  ];
  const passing = [
    ...joinWithAlias(source.ref, slot.slot, desired),
    ...enterRoute(found, desired, { slot: slot.slot, container: source.ref, gone }),
    ...commit(slot, previous, source.ref, desired, runsBoth(way) && running !== undefined, leave),
  ];
  const proof = routeProof(found, desired, source.ref);
  const isBridged = isServedByCopy(found, slot.slot);
  const steps = exchangeSteps({ way, isBridged, running, source, slot: slot.slot, desired, cause });
  if (steps === undefined)
    return [...source.steps, ...proofOf(source, desired, cause), ...proof, ...touching(passing)];
  const away = running === undefined ? [] : unwanted(refOf(running), true);
  // the candidate first, so that a failure later takes back what an interrupted run left, too
  return [...source.steps, ...besideLast(beforeTouch(steps, away)), ...proof, ...passing];
}

/** The same steps, with some more where the live one begins to be touched. */
function beforeTouch(steps: readonly Step[], more: readonly Step[]): readonly Step[] {
  const at = steps.findIndex(({ touchesLive }) => touchesLive === true);
  return at < 0 ? steps : [...steps.slice(0, at), ...touching(more), ...steps.slice(at)];
}

/** A copy is made while the candidate is: neither needs the other, and nobody notices either. */
function besideLast([first, ...rest]: readonly Step[]): readonly Step[] {
  if (first === undefined) return [];
  return first.operation.kind === "create" ? [{ ...first, beside: true }, ...rest] : [first, ...rest];
}

interface PlaceChange {
  /** A copy that an earlier switch left serves: it does so until this is done. */
  readonly isBridged: boolean;
  readonly way: SwitchWay;
  readonly running: Found | undefined;
  readonly source: Source;
  readonly slot: number;
  readonly desired: Desired;
  readonly cause: string;
}

/** How the one that is up makes way; undefined where it need not. */
function exchangeSteps(change: PlaceChange): readonly Step[] | undefined {
  const { way, isBridged, running, source, slot, desired, cause } = change;
  if (running === undefined || way.kind === "overlap" || way.kind === "proxied") return undefined;
  if (isBridged)
    return [...touching(stopPrevious(running, source.ref.name, desired)), ...proofOf(source, desired, cause)];
  const { minHealthyMs, healthyDeadlineMs: deadlineMs } = desired.update;
  const check = checkOf(desired);
  const exchange: Exchange = {
    service: liveName(desired.service, slot),
    old: running,
    next: source.ref,
    check,
    minHealthyMs,
    deadlineMs,
    ports: desired.spec.ports ?? [],
    stopTimeoutMs: desired.spec.stopTimeoutMs ?? STOP_TIMEOUT_MS,
    cause,
  };
  const copy: CopyPlan = {
    name: copyName(desired.service, slot),
    options: containerOptions(desired, slot, false),
    networks: furtherNetworks(desired.spec),
    minHealthyMs,
  };
  const serves = running.state === "running";
  if (way.kind === "bridged" && serves) return bridgedExchange(exchange, way, copy);
  const rehearses = serves && (way.kind === "bridged" || way.rehearse);
  const rehearsal = rehearses ? rehearse(exchange, copy) : [];
  // one that does not serve has not to be exchanged carefully
  const byProgram = serves && way.kind === "plain" && way.withoutProgram === undefined;
  if (byProgram) return [...rehearsal, ...plainExchange(exchange, rehearses)];
  const proof = proofOf(source, desired, cause, { isProved: rehearses, alone: true });
  return [...rehearsal, ...touching(stopPrevious(running, source.ref.name, desired)), ...proof];
}

/** The candidate runs and passes its gate. `alone`: nobody else serves meanwhile. */
function proofOf(
  source: Source,
  desired: Desired,
  cause: string,
  { isProved = false, alone = false } = {},
): readonly Step[] {
  const whole = gate(source.ref, desired, true);
  const short = { ...whole, minHealthyMs: Math.min(BACK_MS, whole.minHealthyMs) };
  return [
    ...(source.running ? [] : [startCandidate(source.ref, cause, alone)]),
    isProved
      ? { operation: short, cause: "the copy has proved the version" }
      : { operation: whole, cause: "the new version has to prove itself" },
  ];
}

/** The first of them is where the live one begins to be touched. */
function touching([first, ...rest]: readonly Step[]): readonly Step[] {
  return first === undefined ? [] : [{ ...first, touchesLive: true }, ...rest];
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
    const quieted = { operation: quiet, cause: "left by an interrupted run, of this very spec", undo };
    const steps = [quieted, ...joinMissing(left, refOf(left), desired)];
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
    steps: [...clear, ...fillSecrets(slot.slot, desired), ...create(slot.slot, desired, candidate, cause)],
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
  const steps = [rename, ...(same ? [] : [update]), ...joinMissing(kept, ref, desired)];
  return { ref, running: kept.state === "running", steps };
}

/** A run that was cut off before it had joined all of them leaves one without: to its gate it comes as whoever was just made. */
function joinMissing(found: Found, container: ContainerRef, { spec }: Desired): readonly Step[] {
  const networks = [...new Set([...userNetworks(spec), ...furtherNetworks(spec)])];
  return networks
    .filter((network) => !found.networks.includes(network))
    .map((network): Step => {
      return {
        operation: { kind: "connect", container, network, aliases: [] },
        cause: "an interrupted run left it without a network of its spec",
      };
    });
}

function create(slot: number, desired: Desired, container: ContainerRef, cause: string): readonly Step[] {
  const options = containerOptions(desired, slot, true);
  const joins = furtherNetworks(desired.spec).map((network): Step => {
    return {
      operation: { kind: "connect", container, network, aliases: [] },
      cause: "a network of its spec",
    };
  });
  const undo: Operation[] = [{ kind: "remove", container, volumes: true }];
  return [{ operation: { kind: "create", container, options }, cause, undo }, ...joins];
}

/** Without ports: it serves nobody, and goes again. */
function rehearse(exchange: Exchange, copy: CopyPlan): readonly Step[] {
  const remove = { kind: "remove", container: { name: copy.name }, volumes: true } as const;
  return [
    ...copySteps(exchange, copy, "a copy without ports proves the version while the old one serves"),
    { operation: remove, cause: "it has proved the version" },
  ];
}

function stopPrevious(previous: Found, candidate: string, { update }: Desired): readonly Step[] {
  const container = refOf(previous);
  // one that did not run well before does not have to when it comes back
  const prove =
    previous.state === "running" ? [gateBack(previous, oldDeadlineMs(update.healthyDeadlineMs))] : [];
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

function startCandidate(ref: ContainerRef, cause: string, interrupts: boolean): Step {
  const undo: Operation[] = [{ kind: "stop", container: ref, interrupts }];
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
