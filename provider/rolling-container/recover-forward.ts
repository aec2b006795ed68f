import { liveName } from "../container/names";
import { checkIn, type Desired } from "./desired";
import type { Found, HostFound, SlotFound } from "./found";
import { retireKept } from "./kept";
import type { GateOperation, Operation, Step } from "./operation";
import { commit } from "./plan-commit";
import { passOn, type RouteNeed } from "./recover-route";
import { refOf } from "./ref-of";

/** What carrying a candidate forward rests on. */
export type ForwardWish = Pick<Desired, "service" | "limits" | "update"> & RouteNeed;

/** Died inside the switch, after the start: the candidate goes forward if it is healthy, else the live one comes back. */
export function goForward(
  slot: SlotFound,
  live: Found,
  candidate: Found,
  desired: ForwardWish,
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
export function nameFirst(
  slot: SlotFound,
  candidate: Found,
  desired: ForwardWish,
  found: HostFound,
): readonly Step[] {
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
export function committed([first, ...rest]: readonly Step[]): readonly Step[] {
  return first === undefined ? [] : [{ ...first, commit: true }, ...rest];
}

/** Died between the two renames. */
export function finishRenames(
  slot: SlotFound,
  candidate: Found,
  last: Found,
  desired: ForwardWish,
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
