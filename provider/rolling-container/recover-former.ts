import type { Desired } from "./desired";
import { type Found, type HostFound, isUp, type SlotFound } from "./found";
import { quiet } from "./kept";
import type { Recovery } from "./leftovers";
import type { Operation, Step } from "./operation";
import { gateBack } from "./plan-exchange";
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
  { slot, live: before, candidate, kept }: SlotFound,
  { live }: SlotFound,
  found: HostFound,
  desired: Pick<Desired, "limits" | "update">,
): readonly Recovery[] {
  if (!isMarked(before) || live !== undefined || kept.some(isUp)) return [];
  // beside a stranger nobody goes forward with ours: it goes first
  if (candidate?.foreign === undefined && candidate?.state === "running") return [];
  const steps = startAgain(before, desired, isServedByCopy(found, slot));
  return [{ found: `${before.name} stopped in a switch`, steps }];
}

/**
 * Two names were up at once, and the one of the new name was stopped in a switch: it served last, and comes back where the
 * one of the former name is no good.
 */
export function proveFormer(
  before: Found,
  live: Found,
  { candidate }: SlotFound,
  { limits, update }: Pick<Desired, "limits" | "update">,
): readonly Step[] {
  const former = refOf(before);
  const back = refOf(live);
  const isInTheWay = candidate !== undefined && isUp(candidate);
  const undo: readonly Operation[] = [
    { kind: "restart-policy", container: former, restart: "no" },
    { kind: "stop", container: former, interrupts: false },
    ...(isInTheWay ? [{ kind: "remove", container: refOf(candidate) } as const] : []),
    // not asked how it is: the run goes on, and its own gates tell
    { kind: "start", container: back },
    { kind: "restart-policy", container: back, restart: limits.restart },
  ];
  const prove = gateBack(before, update.healthyDeadlineMs);
  return [{ operation: prove, cause: "it serves in place of the one that did last", undo, isVerdict: true }];
}

/** A candidate of the former name that is up: nobody goes on with it, and it may have the port, or be the only one that serves. */
export function leftUnderFormer(
  slot: SlotFound,
  service: string,
  found: HostFound,
  desired: ForwardWish,
): readonly Recovery[] {
  const { live, candidate } = slot;
  if (candidate === undefined || candidate.foreign !== undefined) return [];
  if (!isUp(candidate)) return idleUnderFormer(slot);
  const what = `${candidate.name} (${candidate.state}) under the former name`;
  if (candidate.state === "running" && live === undefined)
    return [{ found: what, steps: nameFirst(slot, candidate, { ...desired, service }, found) }];
  const remove: Step = {
    operation: { kind: "remove", container: refOf(candidate) },
    cause: "the service has a new name",
  };
  return [{ found: what, steps: [remove] }];
}

/** A candidate of the former name that stands still: a host that restarts must not give it the port of the new one. */
export function idleUnderFormer({ candidate }: SlotFound): readonly Recovery[] {
  if (candidate === undefined || candidate.foreign !== undefined) return [];
  if (candidate.state !== "exited" || candidate.limits.restart === "no") return [];
  return [{ found: `${candidate.name} would start with the host`, steps: [quiet(candidate)] }];
}
