import { keptImage, keptName, liveName } from "../container/names";
import type { Desired } from "./desired";
import { type Found, revisionIn, type SlotFound } from "./found";
import type { ContainerRef, Operation, Step } from "./operation";
import { refOf } from "./ref-of";

/**
 * Passing on the name, from the moment when there is no way back; also what carries an interrupted switch forward. `leave`:
 * what the previous one needs before it may be stopped.
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
    ...leave(kept.ref),
    { operation: { kind: "restart-policy", container: kept.ref, restart: "no" }, cause: "it serves no more" },
  ];
  if (stopsPrevious) {
    const stop: Operation = { kind: "stop", container: kept.ref, interrupts: false };
    retire.push({ operation: stop, cause: "the new one serves" });
  }
  return [...kept.steps, ...takeOver, ...retire, ...kept.tag];
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
