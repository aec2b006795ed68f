import { containersOf, type Found, isUp, type ServiceFound, type SlotFound } from "./found";
import { retireKept } from "./kept";
import type { Step } from "./operation";
import { refOf } from "./ref-of";
import { longestTaskMs, type Tasks } from "./task";

/** One thing that an interrupted run left, and the steps that clear it up. */
export interface Recovery {
  readonly found: string;
  readonly steps: readonly Step[];
}

/**
 * What filled a volume, or ran a task, for a run that died. A task that still runs may be half done: it is let end, for as long
 * as one may take.
 */
export function leftHelpers({ helpers = [] }: SlotFound, tasks: Tasks): readonly Recovery[] {
  const deadlineMs = longestTaskMs(tasks);
  return helpers
    .filter(({ foreign }) => foreign === undefined)
    .map((helper) => {
      const container = refOf(helper);
      const end: Step = {
        operation: { kind: "await-exit", container, deadlineMs, mustSucceed: false },
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

function isDead({ state, foreign }: Found): boolean {
  return foreign === undefined && (state === "dead" || state === "removing");
}

/** Only who runs may serve: a candidate or a kept one that crashes or is paused has the port, and no use. */
function isStuck({ state, foreign }: Found): boolean {
  return foreign === undefined && (state === "paused" || state === "restarting");
}

/** What is cleared away before anything else is decided: nobody is started beside it, and nobody takes it for who served. */
export function leftUseless(slot: SlotFound): readonly Recovery[] {
  const cause = "the engine had begun to remove it, and it can never start again";
  const dead = containersOf(slot).filter(isDead);
  const stuck = [slot.candidate, ...slot.kept].filter((each) => each !== undefined).filter(isStuck);
  return [
    ...dead.map((each): Recovery => {
      const remove: Step = { operation: { kind: "remove", container: refOf(each) }, cause };
      return { found: `${each.name} (${each.state})`, steps: [remove] };
    }),
    ...stuck.map((each) => ({
      found: `${each.name} (${each.state})`,
      steps: retireKept(each, "it does not serve"),
    })),
  ];
}

/** A service as it stands after that. */
export function withoutUseless(service: ServiceFound): ServiceFound {
  const alive = (all: readonly (Found | undefined)[] = []): readonly Found[] =>
    all.filter((each) => each !== undefined).filter((each) => !isDead(each));
  const quieted = (each: Found): Found =>
    isStuck(each) ? { ...each, state: "exited", limits: { ...each.limits, restart: "no" } } : each;
  const slots = service.slots.map((slot): SlotFound => {
    const [live] = alive([slot.live]);
    const [candidate] = alive([slot.candidate]).map(quieted);
    const [copy] = alive([slot.copy]);
    const kept = alive(slot.kept).map(quieted);
    return { ...slot, live, candidate, copy, kept, helpers: alive(slot.helpers), strays: alive(slot.strays) };
  });
  return { ...service, slots };
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
