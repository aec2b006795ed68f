import { keptName } from "../container/names";
import { type Found, isUp, revisionIn, type SlotFound } from "./found";
import type { Operation, Step } from "./operation";
import { refOf } from "./ref-of";

/** Who has the name that the live one would have as a kept one, and is not ours. */
export function takesKeptName({ slot, live, taken = [] }: SlotFound, service: string): Found | undefined {
  if (live === undefined) return undefined;
  const name = keptName(service, slot, revisionIn(live));
  return taken.find((each) => each.name === name);
}

/** The policy of one that serves no more: no restart of the host brings it back. */
export function quiet(kept: Found): Step {
  return {
    operation: { kind: "restart-policy", container: refOf(kept), restart: "no" },
    cause: "it serves no more",
  };
}

/** A kept one as it has to be: stopped, and to stay so. */
export function retireKept(kept: Found, cause: string): readonly Step[] {
  const stop: Operation = { kind: "stop", container: refOf(kept), interrupts: false };
  return [
    ...(kept.limits.restart === "no" ? [] : [quiet(kept)]),
    ...(isUp(kept) ? [{ operation: stop, cause }] : []),
  ];
}

/** One beyond those that are kept goes. */
export function dropKept(kept: Found, keepPrevious: number): Step {
  return {
    operation: { kind: "remove", container: refOf(kept) },
    cause: `more than ${keepPrevious} kept`,
  };
}

/** So does the name that spared its image. */
export function dropTag(tag: string): Step {
  return { operation: { kind: "untag", tag }, cause: "that revision is not kept" };
}
