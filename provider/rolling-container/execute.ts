import { allEnded } from "../all-ended";
import { engineStatus } from "../container/engine-status";
import { isSlipwayError } from "../errors";
import type { ExecuteOptions } from "./execute-options";
import type { HostAccess } from "./host-access";
import { formatOperation, formatStep, type Operation, type Step, stepsAtOnce } from "./operation";
import { type Execution, StepFailure } from "./step-failure";
import { describeFailure, StepRun } from "./step-run";
import { formatLeftInSwitch, SwitchFailure } from "./switch-failure";

/** What takes a step back. */
interface Back {
  readonly operation: Operation;
  readonly step: Step;
}

interface Failure {
  readonly step: Step;
  readonly error: unknown;
}

/**
 * Runs the steps, one after another, and at once those that may run beside the one before. When one fails, the container's
 * evidence is captured and all is taken back, last step first, as far as the last commit.
 * @throws StepFailure
 */
export async function executeSteps(
  host: HostAccess,
  steps: readonly Step[],
  options: ExecuteOptions,
): Promise<Execution> {
  const run = new StepRun(host, options);
  try {
    return await executeIn(run, steps, options);
  } finally {
    run.end();
  }
}

async function executeIn(run: StepRun, steps: readonly Step[], options: ExecuteOptions): Promise<Execution> {
  let back: readonly Back[] = [];
  let committed = false;
  let queue = steps;
  while (queue.length > 0) {
    const { group, rest } = stepsAtOnce(queue);
    queue = rest;
    let failures: readonly Failure[] = [];
    try {
      for (const step of group) run.host.log.progress(formatStep(step));
      if (group.some(({ touchesLive }) => touchesLive === true)) await options.beforeTouch?.();
      await allEnded(group.map((step) => run.before(step)));
      run.assertInTime();
    } catch (error) {
      failures = group.slice(0, 1).map((step) => ({ step, error }));
    }
    if (failures.length === 0) {
      for (const { commit, slot } of group) {
        if (commit !== true) continue;
        back = back.filter(({ step }) => step.slot !== undefined && step.slot !== slot);
        committed = true;
      }
      // before the calls: one whose outcome is unknown has to be taken back too
      for (const step of group) {
        back = [...(step.undo ?? []).map((operation): Back => ({ operation, step })), ...back];
      }
      run.lookAhead(group, queue);
      const ended = await run.performAll(group);
      failures = ended.flatMap(({ step, end, error }) => (end === "failed" ? [{ step, error }] : []));
      for (const { step, end } of ended) {
        if (end !== "otherwise") continue;
        // it found that it cannot be, and did nothing
        back = back.filter((each) => each.step !== step);
        queue = [...inPlaceOf(step), ...queue];
      }
    }
    const [first] = failures;
    if (first !== undefined) throw await failed(run, { first, failures, back, committed });
  }
  return run.execution;
}

function inPlaceOf({ otherwise = [], slot }: Step): readonly Step[] {
  return otherwise.map((each) => (slot === undefined ? each : { ...each, slot }));
}

interface Fallen {
  readonly first: Failure;
  readonly failures: readonly Failure[];
  readonly back: readonly Back[];
  readonly committed: boolean;
}

/** Takes back what can be, and tells what came of it. */
async function failed(run: StepRun, { first, failures, back, committed }: Fallen): Promise<StepFailure> {
  const stopped = run.host.signal.aborted;
  // taking back must go on when the run is being stopped
  const calm = run.unaborted();
  const { step, error } = first;
  const evidence = await calm.evidence(step.operation, error);
  const undone = new Set(failures.filter(didNothing).map((failure) => failure.step));
  const isDue = (taken: Step): boolean => !undone.has(taken) && !(stopped && taken.isVerdict === true);
  const stuck = failures.find((failure) => leftInSwitchOf(failure) !== undefined);
  const leftInSwitch = stuck === undefined ? undefined : leftInSwitchOf(stuck);
  const undoFailure = failures.some((failure) => isSlipwayError(failure.error, "service-locked"))
    ? "nothing was taken back, since somebody else may be at work here"
    : leftInSwitch === undefined
      ? await calm.takeBack(back.filter((each) => isDue(each.step)).map(({ operation }) => operation))
      : undefined;
  const { interrupted, execution } = run;
  const others = failures
    .filter((failure) => failure !== first)
    .map(
      (failure) => `${formatOperation(failure.step.operation)}: ${describeFailure(run.host, failure.error)}`,
    );
  const why = [describeFailure(run.host, error), ...others].join("; ");
  return new StepFailure(
    { step, why, evidence, undoFailure, interrupted, committed, leftInSwitch, execution },
    error,
  );
}

/** There is nothing of it to take back. */
function didNothing({ step, error }: Failure): boolean {
  const wentBack = error instanceof SwitchFailure && error.end === "kept";
  // the name is taken: what stands under it is not what this step would have made
  return (
    wentBack ||
    isSlipwayError(error, "proxy-busy") ||
    (step.operation.kind === "create" && engineStatus(error) === 409)
  );
}

function leftInSwitchOf({ error }: Failure): string | undefined {
  return error instanceof SwitchFailure ? formatLeftInSwitch(error) : undefined;
}
