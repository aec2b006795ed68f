import { formatDuration } from "../duration";
import { SlipwayError } from "../errors";
import { StepFailure } from "./step-failure";
import { revisionIn, slotOf } from "./found";
import { formatOperation, formatSteps } from "./operation";
import { planTasks, type TaskPhase } from "./plan-tasks";
import { type HostRollout, runSteps } from "./roll-hosts";

/**
 * Runs the tasks of a phase on one host, under its lock.
 * @throws SlipwayError task-failed
 */
export async function runTasks(rollout: HostRollout, phase: TaskPhase): Promise<void> {
  const { host, desired, plan } = rollout;
  const tasks = desired[phase] ?? [];
  const steps = [...(phase === "preDeploy" ? plan.preparation : []), ...planTasks(desired, phase)];
  if (tasks.length === 0) return;
  const { log, clock, session } = host;
  log.debug(`${phase} on ${session.target}:\n${formatSteps(steps)}`);
  const startMs = clock.now();
  try {
    await runSteps(rollout, steps);
  } catch (error) {
    throw error instanceof StepFailure ? taskError(rollout, phase, error) : error;
  }
  log.keep(`${phase} on ${session.target}: ${tasks.length} done (${formatDuration(clock.now() - startMs)})`);
}

/** The longest that tasks may take together. */
export function tasksMs(tasks: readonly { readonly timeoutMs: number }[] = []): number {
  return tasks.reduce((sum, { timeoutMs }) => sum + timeoutMs, 0);
}

function taskError(
  { host, desired, before }: HostRollout,
  phase: TaskPhase,
  { step, why, evidence, undoFailure, cause }: StepFailure,
): SlipwayError {
  const { service, revision } = desired;
  const serves = slotOf(before.service, 1).live ?? slotOf(before.former, 1).live;
  const isTask = step.operation.kind === "await-exit";
  const left =
    phase === "postDeploy"
      ? `Revision ${revision} passed its gates and serves; nothing is taken back`
      : serves?.state === "running"
        ? `Nothing was swapped: revision ${revisionIn(serves)} serves on`
        : `Nothing was swapped: nothing serves "${service}"`;
  const stuck = undoFailure === undefined ? "" : `. What it left could not be removed: ${undoFailure}`;
  return new SlipwayError({
    code: "task-failed",
    what: `running ${isTask ? step.cause : phase} of "${service}"`,
    host: host.session.target,
    why: isTask ? why : `could not ${formatOperation(step.operation)}: ${why}`,
    left: `${left}${stuck}`,
    next: "Mend the command or what it works on, then run pulumi up again, which runs it again",
    evidence,
    cause,
  });
}
