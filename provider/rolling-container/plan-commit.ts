import { keptImage, keptName, liveName } from "../container/names";
import type { Desired } from "./desired";
import { type Found, revisionIn, type SlotFound } from "./found";
import type { ContainerRef } from "./container-ref";
import { atOnce, type Operation, type Step } from "./operation";
import { refOf } from "./ref-of";

/**
 * Passing on the name, from the moment when there is no way back; also what carries an interrupted switch forward. The one
 * that serves has its policy before the one that served loses its own, wherever this is cut: a host that restarts brings one
 * of them back. `leave`: what the previous one needs before it may be stopped.
 */
export function commit(
  slot: SlotFound,
  previous: Found | undefined,
  candidate: ContainerRef,
  desired: Pick<Desired, "service" | "limits">,
  stopsPrevious: boolean,
  leave: (kept: ContainerRef) => readonly Step[] = () => [],
): readonly Step[] {
  const live = liveName(desired.service, slot.slot);
  const stays: Step = {
    operation: { kind: "restart-policy", container: candidate, restart: desired.limits.restart },
    cause: "it serves from now on",
  };
  const takeOver: Step = {
    operation: { kind: "rename", container: candidate, to: live },
    cause: "it passed its gate",
    commit: true,
  };
  if (previous === undefined) return atOnce([takeOver, stays]);
  const { ref, clear, rename, tag } = keepPrevious(slot, previous, desired, live);
  const retire: Step = {
    operation: { kind: "restart-policy", container: ref, restart: "no" },
    cause: "it serves no more",
  };
  const stop: Operation = { kind: "stop", container: ref, interrupts: false };
  const leaving = leave(ref);
  // one that has yet to be drained keeps its policy until then
  const retired =
    leaving.length === 0 ? { beside: [retire, ...tag], after: [] } : { beside: tag, after: [retire] };
  return [
    ...clear,
    ...(rename === undefined
      ? [...atOnce([takeOver, stays]), ...leaving, ...atOnce([retire, ...tag])]
      : [...atOnce([rename, stays]), ...atOnce([takeOver, ...retired.beside]), ...leaving, ...retired.after]),
    ...(stopsPrevious ? [{ operation: stop, cause: "the new one serves" }] : []),
  ];
}

interface Keeping {
  readonly ref: ContainerRef;
  readonly clear: readonly Step[];
  /** Undefined where it has another service's name. */
  readonly rename: Step | undefined;
  readonly tag: readonly Step[];
}

function keepPrevious(
  slot: SlotFound,
  previous: Found,
  { service }: Pick<Desired, "service">,
  live: string,
): Keeping {
  const revision = revisionIn(previous);
  // under another service's name (it was renamed) it stays where it is, and goes when the rollout is done
  if (previous.name !== live) {
    return { ref: refOf(previous), clear: [], rename: undefined, tag: [] };
  }
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
  return { ref: { name, id: previous.id }, clear, rename, tag: tagging };
}
