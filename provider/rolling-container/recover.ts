import type { Desired } from "./desired";
import { liveName } from "../container/names";
import { type Found, type HostFound, isUp, revisionIn, slotOf, type SlotFound } from "./found";
import type { Operation, Step } from "./operation";
import {
  leftCandidate,
  leftCopy,
  leftHelpers,
  leftUseless,
  type Recovery,
  renamedByHand,
  withoutUseless,
} from "./leftovers";
import { quiet, retireKept, takesKeptName } from "./kept";
import { bringBack, changePlaces, nameBack, startAgain, stepAside } from "./recover-names";
import { isBehindRoute, passOn, recoverFile, recoverRoute, type RouteNeed } from "./recover-route";
import { gateBack } from "./plan-exchange";
import {
  idleUnderFormer,
  interruptedRenaming,
  isMarked,
  leftUnderFormer,
  proveFormer,
} from "./recover-former";
import { committed, finishRenames, goForward, nameFirst } from "./recover-forward";
import { isServedByCopy, recoverSwitches } from "./recover-switch";
import { refOf } from "./ref-of";
import type { Tasks } from "./task";

/** How often the rows are looked up at most: what one of them brings about may be another one's. */
export const RECOVERY_PASSES = 6;

/** What clearing up rests on; slots beyond `replicas` are on their way out. */
export type Wish = Pick<Desired, "service" | "limits" | "update"> &
  RouteNeed &
  Tasks & {
    readonly replicas?: number;
    /** A switch that died was let finish already in this run. */
    readonly wasFollowed?: boolean;
  };

/**
 * The crash matrix: what stands on the host decides, row by row, what has to happen before anything
 * new is planned. What is not mentioned here (a candidate beside a running live one, no container at all) is the
 * planner's: it goes on with a candidate of the wanted spec and removes any other.
 */
export function recover(found: HostFound, desired: Wish): readonly Recovery[] {
  const first = recoverSwitches(found, desired);
  if (first.length > 0) return first;
  const file = recoverFile(found, desired);
  if (file.length > 0) return file;
  const { service, former } = found;
  const useless = [...service.slots, ...(former?.slots ?? [])].flatMap(leftUseless);
  const left = { ...found, service: withoutUseless(service), former: former && withoutUseless(former) };
  return [...useless, ...rowsUnderBoth(left, desired)];
}

function rowsUnderBoth(found: HostFound, desired: Wish): readonly Recovery[] {
  // who serves under the former name has to be known before anybody is started under the new one
  const former = formerRows(found, desired);
  const busy = new Set(former.filter(({ isOpen }) => isOpen).map(({ slot }) => slot));
  const now = found.service.slots.flatMap((slot) => rowsOf(slot, desired, found, busy.has(slot.slot)));
  const beside = former.filter(({ isStrange }) => isStrange).flatMap(({ rows }) => rows);
  const others = former.filter(({ isStrange }) => !isStrange).flatMap(({ rows }) => rows);
  return [...beside, ...now, ...others];
}

/** `isBusy`: who serves there is being found out, and only what is left without need is cleared up. */
function rowsOf(slot: SlotFound, desired: Wish, found: HostFound, isBusy = false): readonly Recovery[] {
  const { replicas = Number.POSITIVE_INFINITY } = desired;
  // a slot too many goes when the rollout is done: nothing is started in it any more
  const serving = (): readonly Recovery[] =>
    slot.slot > replicas
      ? leftCandidate(slot)
      : [...recoverRoute(found, slot, desired), ...interruptedSwitch(slot, desired, found)];
  const renamed = renamedByHand(slot, liveName(desired.service, slot.slot));
  if (renamed !== undefined) return [renamed];
  return [
    ...leftHelpers(slot, desired),
    // that of another name has its own copy
    ...(isServedByCopy({ ...found, former: undefined }, slot.slot) ? [] : leftCopy(slot)),
    ...(isBusy ? [] : serving()),
  ];
}

interface SlotRows {
  readonly slot: number;
  /** Nobody has its live name and is up. */
  readonly isOpen: boolean;
  /** A stranger has it: nobody is started there, and what is left goes before somebody of the new name is. */
  readonly isStrange: boolean;
  readonly rows: readonly Recovery[];
}

/** The same of the name that the service had, where nobody of the new one is up: who serves there has to be known by its name. */
function formerRows(found: HostFound, desired: Wish): readonly SlotRows[] {
  const { service, former } = found;
  if (former === undefined) return [];
  const { replicas = Number.POSITIVE_INFINITY } = desired;
  const asNow = { ...found, service: former, former: undefined };
  const isFree = ({ live, candidate, kept }: SlotFound): boolean =>
    candidate?.state !== "running" && ![live, ...kept].some((each) => each !== undefined && isUp(each));
  return former.slots.flatMap((slot) => {
    const now = slotOf(service, slot.slot);
    const isOpen = slot.live === undefined || !isUp(slot.live);
    const isStrange = slot.live?.foreign !== undefined;
    const copy = isServedByCopy(asNow, slot.slot) ? [] : leftCopy(slot);
    const idle = [...copy, ...idleUnderFormer(slot)];
    if (!isFree(now)) return [{ slot: slot.slot, isOpen: false, isStrange, rows: idle }];
    const rows = rowsOf(slot, { ...desired, service: former.service }, asNow);
    if (rows.length > 0) return [{ slot: slot.slot, isOpen, isStrange, rows }];
    if (slot.slot > replicas) return [];
    const last = [
      ...interruptedRenaming(slot, now, found, desired),
      ...leftUnderFormer(slot, former.service, found, desired),
    ];
    return last.length > 0 ? [{ slot: slot.slot, isOpen, isStrange, rows: last }] : [];
  });
}

function interruptedSwitch(slot: SlotFound, desired: Wish, found: HostFound): readonly Recovery[] {
  const { live, candidate, kept } = slot;
  // the planner refuses such a slot, and touches nothing
  if ([live, candidate, slot.copy].some((each) => each?.foreign !== undefined)) return [];
  const up = kept.filter(({ state }) => state === "running");
  const sameAsLive = up.find((each) => live !== undefined && revisionIn(each) === revisionIn(live));
  const serving = sameAsLive ?? up[0];
  const { live: before, kept: keptBefore } = slotOf(found.former, slot.slot);
  const isOurs = before !== undefined && isUp(before) && before.foreign === undefined;
  const none = live?.state !== "running" && serving === undefined;
  // beside a stranger, which the planner refuses
  if (none && keptBefore.some(isUp)) return [];
  // a candidate is the planner's then, but for one that gets requests already
  if (isOurs && none && !isBehindRoute(found, slot, desired)) {
    // the planner refuses it where its kept name is taken
    if (live === undefined || takesKeptName(slot, desired.service) !== undefined) return [];
    const names = `${live.name} (${live.state}), ${before.name} (${before.state})`;
    const isLast = isMarked(live) && !isServedByCopy(found, slot.slot);
    const prove = isLast ? proveFormer(before, live, slot, desired) : [];
    const aside = stepAside(slot, live, desired);
    return [{ found: names, steps: [...prove, ...(isLast ? committed(aside) : aside)] }];
  }
  if (live?.state === "running" && candidate !== undefined && isBehindRoute(found, slot, desired)) {
    const names = `${candidate.name} behind the route beside ${live.name}`;
    return [{ found: names, steps: goForward(slot, live, candidate, desired, found) }];
  }
  if (live?.state === "running") return [...undrained(slot, live, desired, found), ...withPolicy(kept)];
  if (live !== undefined && serving !== undefined) {
    // the planner refuses it
    if (takesKeptName(slot, desired.service) !== undefined) return [];
    const names = `${live.name} (${live.state}), ${serving.name} (running)`;
    return [{ found: names, steps: changePlaces(slot, live, serving, desired) }];
  }
  if (live === undefined && serving !== undefined && candidate?.state !== "running") {
    return [{ found: `no live one, ${serving.name} (running)`, steps: nameBack(slot, serving, desired) }];
  }
  const marked = kept.find(({ state, limits }) => state === "exited" && limits.restart === "always");
  if (live === undefined && marked !== undefined && candidate?.state !== "running") {
    return [
      {
        found: `no live one, ${marked.name} stopped in a switch`,
        steps: bringBack(slot, marked, desired, isServedByCopy(found, slot.slot)),
      },
    ];
  }
  if (candidate === undefined) return [];
  const names = `${candidate.name} (${candidate.state})`;
  if (live !== undefined) {
    if (candidate.state === "running") {
      return [
        { found: `${live.name} stopped, ${names}`, steps: goForward(slot, live, candidate, desired, found) },
      ];
    }
    // one that is up in some way is the planner's, which can stop it
    if (live.state !== "exited" && live.state !== "created") return [];
    // stopped by hand, too, looks like this: started it does no harm
    const steps = startAgain(live, desired, isServedByCopy(found, slot.slot));
    return [{ found: `${live.name} stopped, ${names}`, steps }];
  }
  if (candidate.state !== "running") return [];
  if (serving === undefined && isMarked(before)) {
    const steps = goForward(slot, before, candidate, desired, found);
    return [{ found: `${before.name} stopped in a switch, ${names}`, steps }];
  }
  const last = serving ?? kept[0];
  if (last === undefined) {
    // a first one is the planner's, which goes on with it
    if (found.switches?.[liveName(desired.service, slot.slot)]?.files !== true) return [];
    return [{ found: `no live one, ${names}`, steps: nameFirst(slot, candidate, desired, found) }];
  }
  return [
    {
      found: `no live one, ${names} and ${last.name}`,
      steps: finishRenames(slot, candidate, last, desired, found),
    },
  ];
}

/** Died before the previous one was stopped: the live one is the new one, unless it has become bad since. */
function undrained(slot: SlotFound, live: Found, desired: Wish, found: HostFound): readonly Recovery[] {
  const running = slot.kept.filter(({ state }) => state === "running");
  const [first] = running;
  if (first === undefined) return [];
  const places = takesKeptName(slot, desired.service) === undefined;
  const undo = places ? changePlaces(slot, live, first, desired).map(({ operation }) => operation) : [];
  const prove: Step = {
    operation: gateBack(live, desired.update.healthyDeadlineMs),
    cause: "it has to serve before the previous one is stopped",
    undo,
    isVerdict: true,
  };
  const stays: Operation = {
    kind: "restart-policy",
    container: refOf(live),
    restart: desired.limits.restart,
  };
  const own = live.limits.restart === stays.restart ? [] : [{ operation: stays, cause: "it serves" }];
  const route = passOn(found, live, running, desired);
  const retired = running.flatMap((each) => retireKept(each, "the new one serves"));
  const steps = [prove, ...committed([...own, ...route, ...retired])];
  return [{ found: `${first.name} still running beside ${live.name}`, steps }];
}

/** Stopped in a switch, and the policy that should have brought it back is still there. */
function withPolicy(kept: readonly Found[]): readonly Recovery[] {
  return kept
    .filter(({ state, limits }) => (state === "exited" || state === "created") && limits.restart !== "no")
    .map((previous) => ({
      found: `${previous.name} with the restart policy of a switch`,
      steps: [quiet(previous)],
    }));
}
