import { type Found, isUp } from "./found";
import type { Operation, Step } from "./operation";
import { refOf } from "./ref-of";

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
