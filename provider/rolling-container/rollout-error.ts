import { isSlipwayError, messageOf, SlipwayError } from "../errors";
import { formatGap, StepFailure } from "./step-failure";
import { type HostFound, revisionIn, slotOf } from "./found";
import { formatOperation } from "./operation";
import { SwitchFailure } from "./switch-failure";

/** What the sentence about a failed rollout rests on. */
export interface FailedRollout {
  readonly service: string;
  readonly revision: string;
  readonly host: string;
  readonly error: unknown;
  /** The host as it was before. */
  readonly before: HostFound;
  /** True when it stays as it is past its point of no return. */
  readonly isForward?: boolean;
  /** What happened to the other hosts that were done already; empty when there were none. */
  readonly others: string;
  /** Why hosts could not be put back. */
  readonly backFailure: string | undefined;
}

/** The error of a rollout that did not come to its end. */
export function rolloutError(failed: FailedRollout): SlipwayError {
  const { error, service, host } = failed;
  const what = `rolling out revision ${failed.revision} of "${service}"`;
  if (!(error instanceof StepFailure)) {
    const { others, backFailure } = failed;
    if (error instanceof SlipwayError && others === "" && backFailure === undefined) return error;
    const stuck = backFailure === undefined ? "" : `Taking it back failed too: ${backFailure}`;
    return new SlipwayError({
      code: stuck === "" ? "rollout-failed" : "rollback-failed",
      what,
      host,
      why: messageOf(error),
      left: [stuck, others].filter((text) => text !== "").join(". "),
      next: "Run pulumi up again",
      cause: error,
    });
  }
  if (error.leftInSwitch !== undefined) return switchError(what, host, error, failed.others);
  const stuck = error.undoFailure ?? failed.backFailure;
  const busy = isSlipwayError(error.cause, "proxy-busy") ? error.cause.parts : undefined;
  return new SlipwayError({
    code: stuck === undefined ? (busy?.code ?? "rollout-failed") : "rollback-failed",
    what,
    host,
    why: whyOf(error),
    left: [leftOf(failed, error), failed.others].filter((text) => text !== "").join(". "),
    next:
      stuck === undefined
        ? (busy?.next ?? "Mend the new version, then run pulumi up again")
        : `Look at the host (docker ps --all), then run pulumi up again, which goes on from what it finds`,
    evidence: error.evidence,
    cause: error,
  });
}

/** Nothing was taken back, for a program on the host is at it. */
function switchError(what: string, host: string, error: StepFailure, others: string): SlipwayError {
  const isStuck = error.cause instanceof SwitchFailure && error.cause.end === "stuck";
  return new SlipwayError({
    code: isStuck ? "rollback-failed" : "connection-lost",
    what,
    host,
    why: error.why,
    left: [error.leftInSwitch ?? "", others].filter((text) => text !== "").join(". "),
    next: isStuck
      ? "Look at the host (docker ps --all; docker logs) and mend what keeps them from starting, then run pulumi up again"
      : "Run pulumi up again: it waits for the program and goes on from there",
    evidence: error.evidence,
    cause: error,
  });
}

/** The error of steps beside a rollout: clearing up, tidying, removing. */
export function stepError(what: string, host: string, error: StepFailure): SlipwayError {
  if (error.leftInSwitch !== undefined) return switchError(what, host, error, "");
  const { undoFailure } = error;
  const busy = isSlipwayError(error.cause, "proxy-busy") ? error.cause.code : undefined;
  return new SlipwayError({
    code: undoFailure === undefined ? (busy ?? "rollout-failed") : "rollback-failed",
    what,
    host,
    why: whyOf(error),
    left: undoFailure === undefined ? "" : `Taking it back failed too: ${undoFailure}`,
    next: "Run it again: it goes on from what stands on the host",
    evidence: error.evidence,
    cause: error,
  });
}

function whyOf({ step, why }: StepFailure): string {
  const { operation } = step;
  if (operation.kind === "switch")
    return `${operation.container.name} did not take over: ${why.replace(/^the candidate: /, "")}`;
  return operation.kind === "gate"
    ? `${operation.container.name} did not pass its gate: it ${why.replace(/^it /, "")}`
    : `could not ${formatOperation(operation)}: ${why}`;
}

function leftOf({ before, service, backFailure, isForward }: FailedRollout, error: StepFailure): string {
  const stuck = error.undoFailure ?? backFailure;
  if (stuck !== undefined) return `Taking it back failed too: ${stuck}`;
  if (error.committed && isForward !== false)
    return "The new version had already passed its gate; the next pulumi up goes on from here";
  const previous = slotOf(before.service, 1).live ?? slotOf(before.former, 1).live;
  if (previous?.state !== "running") {
    const before =
      previous === undefined ? "no version ran there before" : `${previous.name} did not run before, either`;
    return `Nothing serves "${service}": ${before}`;
  }
  const revision = revisionIn(previous);
  if (!error.interrupted) return `Revision ${revision} was not touched and serves on`;
  return `Revision ${revision} was started again and serves (${formatGap(error.execution)})`;
}
