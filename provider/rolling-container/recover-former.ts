import type { Desired } from "./desired";
import { type Found, type HostFound, isUp, type SlotFound } from "./found";
import type { Recovery } from "./leftovers";
import type { Step } from "./operation";
import { type ForwardWish, nameFirst } from "./recover-forward";
import { startAgain } from "./recover-names";
import { isServedByCopy } from "./recover-switch";
import { refOf } from "./ref-of";

/** True for one that was stopped in a switch: the policy is the mark. */
export function isMarked(container: Found | undefined): container is Found {
  if (container?.state !== "exited" || container.foreign !== undefined) return false;
  return container.limits.restart === "always";
}

/** Died inside a switch to another name of the service: who served is stopped under the former one. */
export function interruptedRenaming(
  { slot, live: before, kept }: SlotFound,
  { live }: SlotFound,
  found: HostFound,
  desired: Pick<Desired, "limits" | "update">,
): readonly Recovery[] {
  if (!isMarked(before) || live !== undefined || kept.some(isUp)) return [];
  const steps = startAgain(before, desired, isServedByCopy(found, slot));
  return [{ found: `${before.name} stopped in a switch`, steps }];
}

/** A candidate of the former name that is up: nobody goes on with it, and it may have the port, or be the only one that serves. */
export function leftUnderFormer(
  slot: SlotFound,
  service: string,
  found: HostFound,
  desired: ForwardWish,
): readonly Recovery[] {
  const { live, candidate } = slot;
  if (candidate === undefined || candidate.foreign !== undefined || !isUp(candidate)) return [];
  const what = `${candidate.name} (${candidate.state}) under the former name`;
  if (candidate.state === "running" && live === undefined)
    return [{ found: what, steps: nameFirst(slot, candidate, { ...desired, service }, found) }];
  const remove: Step = {
    operation: { kind: "remove", container: refOf(candidate) },
    cause: "the service has a new name",
  };
  return [{ found: what, steps: [remove] }];
}
