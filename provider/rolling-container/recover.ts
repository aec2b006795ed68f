import type { Desired } from "./desired";
import { checkIn } from "./desired";
import { liveName } from "../container/names";
import { type Found, type HostFound, revisionIn, slotOf, type SlotFound } from "./found";
import type { GateOperation, Operation, Step } from "./operation";
import {
  deadOnes,
  leftCandidate,
  leftCopy,
  leftHelpers,
  type Recovery,
  removeUseless,
  renamedByHand,
  stopUp,
  withoutDead,
} from "./leftovers";
import { quiet, retireKept, takesKeptName } from "./kept";
import { bringBack, changePlaces, nameBack, startAgain } from "./recover-names";
import { isBehindRoute, passOn, recoverFile, recoverRoute, type RouteNeed } from "./recover-route";
import { gateBack } from "./plan-exchange";
import { commit } from "./plan-commit";
import { isServedByCopy, recoverSwitches } from "./recover-switch";
import { refOf } from "./ref-of";

/** How often the rows are looked up at most: what one of them brings about may be another one's. */
export const RECOVERY_PASSES = 4;

/** What clearing up rests on; slots beyond `replicas` are on their way out. */
export type Wish = Pick<Desired, "service" | "limits" | "update"> &
  RouteNeed & {
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
  const { replicas = Number.POSITIVE_INFINITY } = desired;
  const first = recoverSwitches(found, desired);
  if (first.length > 0) return first;
  const file = recoverFile(found, desired);
  if (file.length > 0) return file;
  const now = found.service.slots.flatMap((all) => {
    const slot = withoutDead(all);
    // a slot too many goes when the rollout is done: nothing is started in it any more
    const rest =
      slot.slot > replicas
        ? leftCandidate(slot)
        : [...recoverRoute(found, slot, desired), ...interruptedSwitch(slot, desired, found)];
    const renamed = renamedByHand(slot, liveName(desired.service, slot.slot));
    if (renamed !== undefined) return [renamed];
    return [
      ...deadOnes(all),
      ...leftHelpers(all),
      ...(isServedByCopy(found, slot.slot) ? [] : leftCopy(slot)),
      ...rest,
    ];
  });
  return [...now, ...interruptedRenaming(found, desired)];
}

function interruptedSwitch(slot: SlotFound, desired: Wish, found: HostFound): readonly Recovery[] {
  const { live, candidate, kept } = slot;
  // the planner refuses such a slot, and touches nothing
  if ([live, candidate, slot.copy].some((each) => each?.foreign !== undefined)) return [];
  const stuck = kept.filter(({ state }) => state === "paused" || state === "restarting").map(silence);
  return [...stuck, ...whoServes(slot, desired, found)];
}

function whoServes(slot: SlotFound, desired: Wish, found: HostFound): readonly Recovery[] {
  const { live, candidate, kept } = slot;
  const up = kept.filter(({ state }) => state === "running");
  const sameAsLive = up.find((each) => live !== undefined && revisionIn(each) === revisionIn(live));
  const serving = sameAsLive ?? up[0];
  if (live?.state === "running" && candidate !== undefined && isBehindRoute(found, slot, desired)) {
    const names = `${candidate.name} behind the route beside ${live.name}`;
    return [{ found: names, steps: goForward(slot, live, candidate, desired, found) }];
  }
  if (live?.state === "running") {
    const useless = candidate !== undefined && stopUp(candidate).length > 0 ? [removeUseless(candidate)] : [];
    return [...useless, ...undrained(slot, live, desired, found), ...withPolicy(kept)];
  }
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
    const steps = [...stopUp(candidate), ...startAgain(live, desired, isServedByCopy(found, slot.slot))];
    return [{ found: `${live.name} stopped, ${names}`, steps }];
  }
  if (candidate.state !== "running") return [];
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

/** A kept one that is up and serves nobody. */
function silence(kept: Found): Recovery {
  return { found: `${kept.name} (${kept.state})`, steps: retireKept(kept, "it serves no more") };
}

/** Died inside a switch to another name of the service: who served is stopped under the former one. */
function interruptedRenaming(
  { service, former }: HostFound,
  desired: Pick<Desired, "limits" | "update">,
): readonly Recovery[] {
  return (former?.slots ?? []).flatMap(({ slot, live: before }): Recovery[] => {
    const { live, candidate } = slotOf(service, slot);
    if (before === undefined || before.foreign !== undefined || before.state !== "exited") return [];
    // the policy is the mark of a switch; a candidate that runs is the planner's, and has the port
    if (before.limits.restart !== "always" || live !== undefined || candidate?.state === "running") return [];
    return [{ found: `${before.name} stopped in a switch`, steps: startAgain(before, desired) }];
  });
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

/** Died inside the switch, after the start: the candidate goes forward if it is healthy, else the live one comes back. */
function goForward(
  slot: SlotFound,
  live: Found,
  candidate: Found,
  desired: Wish,
  found: HostFound,
): readonly Step[] {
  const back = refOf(live);
  const prove: Step = {
    operation: gateOf(candidate, desired),
    cause: "healthy, it goes forward",
    isVerdict: true,
    undo: [
      { kind: "remove", container: refOf(candidate) },
      // not asked how it is: the run goes on, and its own gates tell
      { kind: live.state === "paused" ? "unpause" : "start", container: back },
      { kind: "restart-policy", container: back, restart: desired.limits.restart },
    ],
  };
  const isUp = live.state === "running" || live.state === "paused" || live.state === "restarting";
  const stays: Operation = {
    kind: "restart-policy",
    container: refOf(candidate),
    restart: desired.limits.restart,
  };
  // should the host restart between the renames, the one that is no good would come back alone
  const first: Step = { operation: stays, cause: "it serves" };
  const route = passOn(found, candidate, [live], desired);
  const isSet = ({ operation }: Step): boolean =>
    operation.kind === "restart-policy" && operation.container.id === candidate.id;
  const named = commit(slot, live, refOf(candidate), desired, isUp).filter((step) => !isSet(step));
  return [prove, ...committed([first, ...route]), ...named];
}

/** Put in its place by the host, and the one before was removed by hand meanwhile: nobody else serves. */
function nameFirst(slot: SlotFound, candidate: Found, desired: Wish, found: HostFound): readonly Step[] {
  const container = refOf(candidate);
  const prove: Step = {
    operation: gateOf(candidate, desired),
    cause: "healthy, it gets the name",
    isVerdict: true,
    undo: [{ kind: "remove", container }],
  };
  const named = commit(slot, undefined, container, desired, false);
  return [prove, ...named, ...passOn(found, candidate, [], desired)];
}

/** What takes the proof back must not be done once the other one leaves: an interrupted run is carried on by the next. */
function committed([first, ...rest]: readonly Step[]): readonly Step[] {
  return first === undefined ? [] : [{ ...first, commit: true }, ...rest];
}

/** Died between the two renames. */
function finishRenames(
  slot: SlotFound,
  candidate: Found,
  last: Found,
  desired: Wish,
  found: HostFound,
): readonly Step[] {
  const name = liveName(desired.service, slot.slot);
  const back = { name, id: last.id };
  const prove: Step = {
    operation: gateOf(candidate, desired),
    cause: "it had passed its gate",
    isVerdict: true,
    undo: [
      { kind: "remove", container: refOf(candidate) },
      { kind: "rename", container: refOf(last), to: name },
      { kind: "start", container: back },
      { kind: "restart-policy", container: back, restart: desired.limits.restart },
    ],
  };
  const serves = commit(slot, undefined, refOf(candidate), desired, false);
  const route = passOn(found, candidate, [last], desired);
  return [prove, ...serves, ...route, ...retireKept(last, "it serves no more")];
}

function gateOf(candidate: Found, { update }: Pick<Desired, "update">): GateOperation {
  return {
    kind: "gate",
    container: refOf(candidate),
    check: checkIn(candidate),
    minHealthyMs: update.minHealthyMs,
    deadlineMs: update.healthyDeadlineMs,
    serves: true,
  };
}
