import { containersOf, type Found, isUp, type SlotFound } from "./found";
import type { Step } from "./operation";
import { refOf } from "./ref-of";

// as long as a task may take when nothing else is said
const TASK_END_MS = 600_000;

/** One thing that an interrupted run left, and the steps that clear it up. */
export interface Recovery {
  readonly found: string;
  readonly steps: readonly Step[];
}

/** What filled a volume, or ran a task, for a run that died. A task that still runs may be half done: it is let end. */
export function leftHelpers({ helpers = [] }: SlotFound): readonly Recovery[] {
  return helpers
    .filter((each) => each.foreign === undefined && !isDead(each))
    .map((helper) => {
      const container = refOf(helper);
      const end: Step = {
        operation: { kind: "await-exit", container, deadlineMs: TASK_END_MS, mustSucceed: false },
        cause: "it may be half done",
      };
      const stop: Step = {
        operation: { kind: "stop", container, interrupts: false },
        cause: "it does not end",
      };
      const remove: Step = {
        operation: { kind: "remove", container, volumes: true },
        cause: "its run is over",
      };
      const first = helper.state === "running" ? [end, stop] : [];
      return { found: `${helper.name} (${helper.state}) of an interrupted run`, steps: [...first, remove] };
    });
}

function isDead({ state }: Found): boolean {
  return state === "dead" || state === "removing";
}

/** What is left of a slot once those are gone. */
export function withoutDead(slot: SlotFound): SlotFound {
  const alive = (each: Found | undefined): Found | undefined =>
    each?.foreign === undefined && each !== undefined && isDead(each) ? undefined : each;
  return {
    ...slot,
    live: alive(slot.live),
    candidate: alive(slot.candidate),
    copy: alive(slot.copy),
    kept: slot.kept.filter((each) => !isDead(each)),
    ...(slot.strays ? { strays: slot.strays.filter((each) => !isDead(each)) } : {}),
  };
}

/** Ours that can never start again. */
export function deadOnes(slot: SlotFound): readonly Recovery[] {
  return containersOf(slot)
    .filter((each) => each.foreign === undefined && isDead(each))
    .map(removeDead);
}

function removeDead(container: Found): Recovery {
  const cause = "the engine had begun to remove it, and it can never start again";
  const remove: Step = { operation: { kind: "remove", container: refOf(container) }, cause };
  return { found: `${container.name} (${container.state})`, steps: [remove] };
}

/** Renamed by hand, it serves on: where its place is empty it gets its name back. */
export function renamedByHand(slot: SlotFound, live: string): Recovery | undefined {
  const stray = slot.live === undefined ? slot.strays?.find(isUp) : undefined;
  if (stray === undefined) return undefined;
  const rename: Step = {
    operation: { kind: "rename", container: refOf(stray), to: live },
    cause: "somebody renamed it",
    commit: true,
  };
  return { found: `${stray.name}, which is ${live} under another name`, steps: [rename] };
}

/** A copy proves a version only while its run lasts. */
export function leftCopy({ copy }: SlotFound): readonly Recovery[] {
  if (copy === undefined || copy.foreign !== undefined) return [];
  const remove: Step = { operation: { kind: "remove", container: refOf(copy) }, cause: "nobody watches it" };
  return [{ found: `the copy ${copy.name} of an interrupted run`, steps: [remove] }];
}

/** The candidate of a slot that is on its way out. */
export function leftCandidate({ candidate }: SlotFound): readonly Recovery[] {
  if (candidate === undefined || candidate.foreign !== undefined) return [];
  const remove: Step = {
    operation: { kind: "remove", container: refOf(candidate) },
    cause: "fewer replicas",
  };
  return [{ found: `${candidate.name} of an interrupted run`, steps: [remove] }];
}

/** A candidate that crashes or is paused beside a live one that runs. */
export function removeUseless(candidate: Found): Recovery {
  const remove: Step = {
    operation: { kind: "remove", container: refOf(candidate) },
    cause: "it proves nothing",
  };
  return { found: `${candidate.name} (${candidate.state}) of an interrupted run`, steps: [remove] };
}

/** A candidate that crashes or is paused has the port, and must not be beside the live one. */
export function stopUp(candidate: Found): readonly Step[] {
  if (candidate.state !== "paused" && candidate.state !== "restarting") return [];
  return [
    {
      operation: { kind: "stop", container: refOf(candidate), interrupts: false },
      cause: "it does not serve",
    },
  ];
}
