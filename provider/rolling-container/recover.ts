import type { Desired } from "./desired";
import { checkIn } from "./desired";
import { liveName } from "../container/names";
import { type Found, type HostFound, slotOf, type SlotFound } from "./found";
import type { GateOperation, Step } from "./operation";
import { commit, gateBack, refOf } from "./plan-switch";

/** One thing that an interrupted run left, and the steps that clear it up. */
export interface Recovery {
  readonly found: string;
  readonly steps: readonly Step[];
}

/**
 * The crash matrix for the plain switch: what stands on the host decides, row by row, what has to happen before anything
 * new is planned. What is not mentioned here (a candidate beside a running live one, no container at all) is the
 * planner's: it goes on with a candidate of the wanted spec and removes any other.
 */
export function recover(
  found: HostFound,
  desired: Pick<Desired, "service" | "limits" | "update">,
): readonly Recovery[] {
  const now = found.service.slots.flatMap((slot) => [...leftCopy(slot), ...interruptedSwitch(slot, desired)]);
  return [...now, ...interruptedRenaming(found, desired)];
}

function leftCopy({ copy }: SlotFound): readonly Recovery[] {
  if (copy === undefined || copy.foreign !== undefined) return [];
  const remove: Step = { operation: { kind: "remove", container: refOf(copy) }, cause: "nobody watches it" };
  return [{ found: `the copy ${copy.name} of an interrupted run`, steps: [remove] }];
}

function interruptedSwitch(
  slot: SlotFound,
  desired: Pick<Desired, "service" | "limits" | "update">,
): readonly Recovery[] {
  const { live, candidate, kept } = slot;
  if (live?.foreign !== undefined || candidate?.foreign !== undefined) return [];
  if (live?.state === "running") return undrained(live, kept);
  const serving = kept.find(({ state }) => state === "running");
  if (live === undefined && serving !== undefined && candidate?.state !== "running") {
    return [{ found: `no live one, ${serving.name} (running)`, steps: nameBack(slot, serving, desired) }];
  }
  if (candidate === undefined) return [];
  const names = `${candidate.name} (${candidate.state})`;
  if (live !== undefined) {
    if (candidate.state === "running") {
      return [{ found: `${live.name} stopped, ${names}`, steps: goForward(slot, live, candidate, desired) }];
    }
    // stopped by hand, too, looks like this: started it does no harm
    return [{ found: `${live.name} stopped, ${names}`, steps: startAgain(live, desired) }];
  }
  const last = kept[0];
  if (last === undefined || candidate.state !== "running") return [];
  return [
    { found: `no live one, ${names} and ${last.name}`, steps: finishRenames(slot, candidate, last, desired) },
  ];
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

/** Died before the previous one was stopped, or lost the policy that brings it back: the live one is the new one. */
function undrained(live: Found, kept: readonly Found[]): readonly Recovery[] {
  return kept.flatMap((previous): Recovery[] => {
    const container = refOf(previous);
    const running = previous.state === "running";
    if (!running && previous.limits.restart === "no") return [];
    const quiet: Step = {
      operation: { kind: "restart-policy", container, restart: "no" },
      cause: "it serves no more",
    };
    const stop: Step = {
      operation: { kind: "stop", container, interrupts: false },
      cause: "the new one serves",
    };
    if (running)
      return [{ found: `${previous.name} still running beside ${live.name}`, steps: [quiet, stop] }];
    return [{ found: `${previous.name} with the restart policy of a switch`, steps: [quiet] }];
  });
}

/** Died between two renames, then the host restarted: Docker brought the kept one back, under its kept name. */
function nameBack(
  { slot }: SlotFound,
  serving: Found,
  { service, limits }: Pick<Desired, "service" | "limits">,
): readonly Step[] {
  const name = liveName(service, slot);
  const container = { name, id: serving.id };
  return [
    {
      operation: { kind: "rename", container: refOf(serving), to: name },
      cause: "it serves",
      commit: true,
    },
    { operation: { kind: "restart-policy", container, restart: limits.restart }, cause: "it serves" },
  ];
}

/** Died inside the switch, after the start: the candidate goes forward if it is healthy, else the live one comes back. */
function goForward(
  slot: SlotFound,
  live: Found,
  candidate: Found,
  desired: Pick<Desired, "service" | "limits" | "update">,
): readonly Step[] {
  const back = refOf(live);
  const prove: Step = {
    operation: gateOf(candidate, desired),
    cause: "healthy, it goes forward",
    undo: [
      { kind: "remove", container: refOf(candidate) },
      { kind: "start", container: back },
      gateBack(live, desired.update.healthyDeadlineMs),
      { kind: "restart-policy", container: back, restart: desired.limits.restart },
    ],
  };
  return [prove, ...commit(slot, live, refOf(candidate), desired, false)];
}

/** Died inside the switch, before the candidate served: the live one first. */
function startAgain(live: Found, desired: Pick<Desired, "limits" | "update">): readonly Step[] {
  const container = refOf(live);
  return [
    { operation: { kind: "start", container }, cause: "the live one first" },
    { operation: gateBack(live, desired.update.healthyDeadlineMs), cause: "it has to serve again" },
    {
      operation: { kind: "restart-policy", container, restart: desired.limits.restart },
      cause: "it serves again",
    },
  ];
}

/** Died between the two renames. */
function finishRenames(
  slot: SlotFound,
  candidate: Found,
  last: Found,
  desired: Pick<Desired, "service" | "limits" | "update">,
): readonly Step[] {
  const name = liveName(desired.service, slot.slot);
  const back = { name, id: last.id };
  const prove: Step = {
    operation: gateOf(candidate, desired),
    cause: "it had passed its gate",
    undo: [
      { kind: "remove", container: refOf(candidate) },
      { kind: "rename", container: refOf(last), to: name },
      { kind: "start", container: back },
      { kind: "restart-policy", container: back, restart: desired.limits.restart },
    ],
  };
  const retire: Step[] =
    last.state === "running"
      ? [
          {
            operation: { kind: "stop", container: refOf(last), interrupts: false },
            cause: "the new one serves",
          },
        ]
      : [];
  const quiet: Step = {
    operation: { kind: "restart-policy", container: refOf(last), restart: "no" },
    cause: "it serves no more",
  };
  return [prove, ...commit(slot, undefined, refOf(candidate), desired, false), quiet, ...retire];
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
