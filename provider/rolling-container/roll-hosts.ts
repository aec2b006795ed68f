import { Barrier, OtherFailed } from "./barrier";
import { engineMessage } from "../container/engine-status";
import { formatDuration } from "../duration";
import { isSlipwayError } from "../errors";
import type { Desired } from "./desired";
import { executeSteps } from "./execute";
import type { HostFound } from "./found";
import type { HostAccess } from "./host-access";
import { inRow } from "./host-row";
import { JUST_SEEN_MS, keepInSight, type Lock } from "./lock";
import type { Operation, Step } from "./operation";
import { atomicSteps, type HostPlan, isEmptyPlan } from "./plan";
import { planBack } from "./plan-back";
import { rolloutError, stepError } from "./rollout-error";
import { type Execution, StepFailure } from "./step-failure";
import { batchSize } from "./update-settings";

/** One host in a rollout: open, looked at, planned. */
export interface HostRollout {
  readonly host: HostAccess;
  readonly locks: readonly Lock[];
  readonly desired: Desired;
  readonly before: HostFound;
  readonly plan: HostPlan;
  /** Looks again. */
  readonly observe: () => Promise<HostFound>;
}

// what other deployers may have changed since we took the lock matters before these
const ON_LIVE: ReadonlySet<Operation["kind"]> = new Set([
  ...(["stop", "rename", "remove", "switch", "end-switch"] as const),
  ...(["write-route", "ready-server", "drain-server", "remove-server", "remove-route"] as const),
]);

/** Two deployers must not both do it: from here on the live one is touched. */
function isForOne({ operation, touchesLive }: Step): boolean {
  if (touchesLive === true || operation.kind === "switch") return true;
  return operation.kind === "stop" && operation.interrupts;
}

/**
 * Carries out the plans, some hosts at a time. When one fails, the hosts that were done are put back too, unless the program
 * said "pause".
 * @throws SlipwayError rollout-failed, rollback-failed
 */
export async function rollHosts(rollouts: readonly HostRollout[]): Promise<Execution> {
  const executions: Execution[] = [];
  const begun: HostRollout[] = [];
  for (const [index, batch] of inRows(batches(rollouts)).entries()) {
    const first = batch[0];
    if (first === undefined) continue;
    try {
      if (index > 0) await pauseBefore(first);
    } catch (error) {
      // stopped in a pause as at a gate: those that are done do not stay
      throw await failed({ rollout: first, error }, [], [...begun, first]);
    }
    begun.push(...batch);
    const ended = await Promise.allSettled(rollBatch(batch));
    const failures: HostFailure[] = [];
    for (const [at, each] of ended.entries()) {
      if (each.status === "fulfilled") executions.push(each.value);
      else if (!isOthers(each.reason)) failures.push({ rollout: batch[at] ?? first, error: each.reason });
    }
    const [failure, ...more] = failures;
    if (failure !== undefined) throw await failed(failure, more, begun);
  }
  return together(executions);
}

/** Each host's live lines name it, and those of the batches after its own. */
function inRows(all: readonly (readonly HostRollout[])[]): readonly (readonly HostRollout[])[] {
  const hosts = all.flat().length;
  return all.map((batch, index) => {
    const behind = all.slice(index + 1).flatMap((later) => later.map(({ host }) => host.session.target));
    return batch.map((rollout) => ({ ...rollout, host: inRow(rollout.host, behind, hosts) }));
  });
}

async function pauseBefore({ host, desired }: HostRollout): Promise<void> {
  const { delayMs } = desired.update;
  if (delayMs > 0) host.log.progress(`begins in ${formatDuration(delayMs)}, after update.delay`);
  await host.clock.sleep(delayMs, host.signal);
}

/** What several did: the longest gap, and the way with the longer one. */
function together(executions: readonly Execution[]): Execution {
  const ways = executions.map(({ way }) => way);
  const way = ways.find((each) => each === "plain") ?? ways.find((each) => each !== undefined);
  return {
    operations: executions.flatMap(({ operations }) => operations),
    gapMs: Math.max(0, ...executions.map(({ gapMs }) => gapMs)),
    waitedMs: executions.reduce((sum, { waitedMs }) => sum + waitedMs, 0),
    ...(way === undefined ? {} : { way }),
  };
}

/** In an atomic rollout every host passes its gates before the first is switched. */
function rollBatch(batch: readonly HostRollout[]): readonly Promise<Execution>[] {
  if (batch[0]?.desired.update.strategy !== "atomic") return batch.map((rollout) => rollHost(rollout));
  const barrier = new Barrier(batch.length);
  return batch.map(async (rollout) => {
    try {
      return await rollAtOnce(rollout, barrier);
    } catch (error) {
      barrier.fail();
      throw error;
    }
  });
}

/** All slots of a host to the point where the live one would be touched; there it waits for the other hosts. */
async function rollAtOnce({ plan, ...rollout }: HostRollout, barrier: Barrier): Promise<Execution> {
  let waits: Promise<void> | undefined;
  const beforeTouch = (): Promise<void> => (waits ??= barrier.arrive());
  const execution = await runSteps(rollout, atomicSteps(plan), undefined, beforeTouch);
  // nothing there touches a live one: nobody has to wait for this host
  if (waits === undefined) await beforeTouch();
  return execution;
}

function isOthers(error: unknown): boolean {
  return error instanceof OtherFailed || (error instanceof StepFailure && error.cause instanceof OtherFailed);
}

/** Runs steps on one host under its locks. */
export async function runSteps(
  {
    host,
    locks,
    desired,
  }: Pick<HostRollout, "host" | "locks"> & { readonly desired: Pick<Desired, "update"> },
  steps: readonly Step[],
  deadlineMs = desired.update.progressDeadlineMs,
  beforeTouch?: () => Promise<void>,
): Promise<Execution> {
  let committed = false;
  return executeSteps(host, steps, {
    deadlineMs,
    ...(beforeTouch === undefined ? {} : { beforeTouch }),
    beforeEach: async (step) => {
      const decides = isForOne(step) || (step.commit === true && !committed);
      committed ||= step.commit === true;
      if (decides) await Promise.all(locks.map((lock) => lock.assertHeld(JUST_SEEN_MS)));
      else if (ON_LIVE.has(step.operation.kind)) await Promise.all(locks.map((lock) => lock.assertHeld()));
    },
    whileWaiting: (signal) => keepInSight(locks, host.clock, signal),
  });
}

/**
 * As `runSteps`, where nobody takes the failure apart.
 * @throws SlipwayError rollout-failed, rollback-failed
 */
export async function runStepsOrSay(
  what: string,
  rollout: Parameters<typeof runSteps>[0],
  steps: readonly Step[],
): Promise<void> {
  try {
    await runSteps(rollout, steps);
  } catch (error) {
    throw error instanceof StepFailure ? stepError(what, rollout.host.session.target, error) : error;
  }
}

async function rollHost(rollout: HostRollout): Promise<Execution> {
  const { plan, host, desired } = rollout;
  const executions: Execution[] = [];
  // one for all slots of the host: the lock's ttl rests on it
  let leftMs = desired.update.progressDeadlineMs;
  const run = async (steps: readonly Step[]): Promise<void> => {
    const beganMs = host.clock.now();
    const execution = await runSteps(rollout, steps, leftMs);
    leftMs -= host.clock.now() - beganMs - execution.waitedMs;
    executions.push(execution);
  };
  // with the first slot, so that a failure there takes the preparation back as well
  const [first, ...others] = plan.slots.filter(({ steps }) => steps.length > 0);
  if (first === undefined) return together([]);
  await run([...plan.preparation, ...first.steps]);
  for (const slot of others) await run(slot.steps);
  return together(executions);
}

function batches(rollouts: readonly HostRollout[]): readonly (readonly HostRollout[])[] {
  const work = rollouts.filter(({ plan }) => !isEmptyPlan(plan));
  const update = work[0]?.desired.update;
  if (update === undefined) return [];
  if (update.strategy === "atomic") return [work];
  const size = batchSize(update.parallelism, work.length);
  const all: HostRollout[][] = [];
  for (let at = 0; at < work.length; ) {
    const count = update.canary && at === 0 ? 1 : size;
    all.push(work.slice(at, at + count));
    at += count;
  }
  return all;
}

interface HostFailure {
  readonly rollout: HostRollout;
  readonly error: unknown;
}

/** The error of the first host that failed, with those of the same batch. */
async function failed(
  { rollout, error }: HostFailure,
  more: readonly HostFailure[],
  begun: readonly HostRollout[],
): Promise<Error> {
  const { desired, host, before } = rollout;
  // past its gate there is no way back: the new version serves, and the next run goes on from there
  const isAtomic = desired.update.strategy === "atomic";
  const forward = error instanceof StepFailure && error.committed && !isAtomic;
  const stay = forward || desired.update.failureAction === "pause";
  // where a program is at it, or another deployer, nobody else is
  const taken = new Set(
    [{ rollout, error }, ...more]
      .filter(isOutOfOurHands)
      .map(({ rollout: { host: other } }) => other.session.target),
  );
  const mine = begun.filter(({ host: { session } }) => !taken.has(session.target));
  const back = stay ? { done: 0, failure: undefined } : await putBack(mine);
  const done = begun.length - 1 - more.length;
  const stayed = done === 0 ? "" : `The ${done} hosts begun before it keep the new revision`;
  const others = stay ? stayed : back.done === 0 ? "" : `The hosts done before (${back.done}) were put back`;
  const stuck = more.flatMap(({ rollout: other, error: reason }) =>
    reason instanceof StepFailure && reason.undoFailure !== undefined
      ? [`${other.host.session.target}: ${reason.undoFailure}`]
      : [],
  );
  return rolloutError({
    service: desired.service,
    revision: desired.revision,
    host: host.session.target,
    error,
    before,
    isForward: forward,
    others: [...more.map(sayToo), others].filter((text) => text !== "").join(". "),
    backFailure: [back.failure, ...stuck].filter((text) => text !== undefined).join("; ") || undefined,
  });
}

function isOutOfOurHands({ error }: HostFailure): boolean {
  if (!(error instanceof StepFailure)) return false;
  return error.leftInSwitch !== undefined || isSlipwayError(error.cause, "service-locked");
}

function sayToo({ rollout: { host }, error }: HostFailure): string {
  return `It failed on ${host.session.target} too: ${host.session.redact(engineMessage(error))}`;
}

/** Puts every slot back that the rollout switched; looks first, since only the host knows. */
async function putBack(
  begun: readonly HostRollout[],
): Promise<{ readonly done: number; readonly failure: string | undefined }> {
  let done = 0;
  const failures: string[] = [];
  for (const rollout of begun) {
    const calm = { ...rollout, host: { ...rollout.host, signal: new AbortController().signal } };
    const { target } = rollout.host.session;
    try {
      const steps = planBack(rollout.before, await rollout.observe(), rollout.desired);
      if (steps.length === 0) continue;
      // whatever failed, another deployer may have the service by now
      await Promise.all(rollout.locks.map((lock) => lock.assertHeld(0)));
      await backOrPlainly(calm, steps);
      done += 1;
    } catch (error) {
      failures.push(`${target}: ${rollout.host.session.redact(engineMessage(error))}`);
    }
  }
  return { done, failure: failures.length === 0 ? undefined : failures.join("; ") };
}

/** A copy that cannot be made must not keep a host on the version that it is to leave. */
async function backOrPlainly(calm: HostRollout, steps: readonly Step[]): Promise<void> {
  try {
    await runSteps(calm, steps);
  } catch (error) {
    const isWhole = error instanceof StepFailure && error.undoFailure === undefined && !error.committed;
    if (!isWhole || error.leftInSwitch !== undefined) throw error;
    calm.host.log.warn(`${calm.host.session.target}: ${error.why}; going back plainly`);
    const plainly = { ...calm.desired, plainly: true };
    await runSteps(calm, planBack(calm.before, await calm.observe(), plainly));
  }
}
