import type Docker from "dockerode";
import { engineMessage, engineStatus } from "../container/engine-status";
import { captureEvidence } from "../container/evidence";
import { isLocked } from "../container/held-lock";
import { inTime, LOOK_MS } from "../container/in-time";
import { observeContainer } from "../container/inspect";
import type { ObservedContainer } from "../container/observed";
import { formatReason } from "../health/evaluate";
import type { Healthcheck } from "../health/policy";
import { waitForHealth } from "../health/wait";
import type { HostSession } from "../host/session";
import { type Aside, setAside } from "../proxy/aside";
import { stripControl } from "../secret";
import { pauseAfterMs, pauseLeftMs } from "./budget";
import { effectiveCheck, isOurs } from "./examine";
import type { ContainerHealth } from "./observed";
import { formatGivenUp, type Operation } from "./plan";
import type { ExecuteContext, Repaired } from "./repaired";

/** An execution on the host of its container. */
export type OnHost = ExecuteContext & { readonly session: HostSession; readonly docker: Docker };

const MIN_HEALTHY_MS = 3_000;
/** Its stopTimeout is in it, which may be a long one. */
const RESTART_MS = 900_000;
/** What the engine may take for its answers beside a wait. */
const ANSWERS_MS = 60_000;
const LONGEST_WAIT_MS = 300_000;

/** How long a container may take to become healthy after a restart: as long as Docker would, from 10 s to five minutes. */
export function restartDeadlineMs(check: Healthcheck | "none"): number {
  if (check === "none") return 10_000;
  return check.startPeriodMs + Math.min(LONGEST_WAIT_MS, Math.max(10_000, check.intervalMs * check.retries));
}

/** How a wait ended. `late`: in time it was neither healthy nor beyond hope. */
type Attempt =
  | { readonly kind: "good"; readonly container: ObservedContainer }
  | {
      readonly kind: "bad";
      readonly container: ObservedContainer | undefined;
      readonly reason: string;
      readonly checkOutput: string;
      readonly late: boolean;
    };

type Repair = Exclude<Operation, { kind: "leave" }>;

/**
 * Restarts one container and waits for it, again and again with growing pauses, as long as its budget has something left. From
 * before the first restart to the end its requests go to others of its service, where there are any.
 */
export async function bringBack(operation: Repair, context: OnHost): Promise<Repaired> {
  const asides: Aside[] = [];
  const stepAside = async (): Promise<boolean> => {
    const { service, container } = operation.subject;
    if (service === undefined || asides.length > 0) return false;
    asides.push(await setAside(context, { service, id: container.id, name: container.name }));
    return true;
  };
  try {
    return await restartUntilHealthy(operation, context, stepAside);
  } finally {
    for (const aside of asides) await aside.end();
  }
}

async function restartUntilHealthy(
  operation: Repair,
  context: OnHost,
  /** True when time has passed: what it has open had to end. */
  stepAside: () => Promise<boolean>,
): Promise<Repaired> {
  const { subject, spent } = operation;
  const { budget, clock, log } = context;
  const name = `${subject.container.name} on ${subject.target}`;
  const restartedAt: number[] = [];
  const end = (
    container: ObservedContainer | undefined,
    as: Pick<Repaired, "health"> & Partial<Repaired>,
  ): Repaired => ({
    ...{ subject, container, restartedAt, reason: "", output: "", excused: false, gaveUp: false },
    ...as,
  });
  let last: Attempt =
    operation.kind === "wait"
      ? await waitFor(subject, context)
      : { kind: "bad", container: subject.container, reason: subject.cause, checkOutput: "", late: false };
  let isWaitedFor = false;
  while (last.kind === "bad") {
    const made = spent.length + restartedAt.length;
    const mayRestart = operation.kind === "restart" || operation.mayRestart;
    if (!mayRestart || made >= budget.maxRestarts) {
      const output = await evidenceOf(subject, last, context);
      const reason =
        made === 0 || !mayRestart ? last.reason : `${last.reason}; ${formatGivenUp(made, budget)}`;
      return end(last.container, { health: "unhealthy", reason, output, gaveUp: mayRestart });
    }
    const pauseMs =
      restartedAt.length === 0 ? pauseLeftMs(spent, budget, clock.wall()) : pauseAfterMs(made, budget);
    if (pauseMs > 0) {
      log.progress(`${name}: still unhealthy, next restart in ${Math.ceil(pauseMs / 1_000)}s`);
      await clock.sleep(pauseMs, context.signal);
    }
    const looked = await lookAgain(subject, last, context);
    const seen =
      looked.kind === "as-before" && (await stepAside()) ? await lookAgain(subject, last, context) : looked;
    if (seen.kind === "restarted" && !isWaitedFor && restartedAt.length === 0) {
      isWaitedFor = true;
      last = await waitFor(subject, context);
      continue;
    }
    if (seen.kind === "well") return end(seen.container, { health: "healthy" });
    if (seen.kind === "hands-off") {
      const { container, reason, health } = seen;
      return end(container, { health: health ?? subject.health, reason, excused: true });
    }
    log.progress(`${name}: restart ${made + 1} of ${budget.maxRestarts}: ${last.reason}`);
    const at = clock.wall();
    restartedAt.push(at);
    await context.noteRestart({ id: subject.container.id, at }, context.session);
    last = await restartOnce(subject, context);
  }
  // without a check, running is all that can be said
  const health = subject.check === "none" ? "unchecked" : "healthy";
  if (restartedAt.length > 0) log.keep(`restarted ${name}: ${saidOf(subject)} (${subject.cause})`);
  return end(last.container, { health });
}

function saidOf({ check }: ContainerHealth): string {
  return check === "none" ? "it runs again" : "healthy again";
}

async function restartOnce(subject: ContainerHealth, context: OnHost): Promise<Attempt> {
  const { id, name } = subject.container;
  const { docker } = context;
  try {
    await inTime(context, `restarting ${name}`, RESTART_MS, (abortSignal) =>
      docker.getContainer(id).restart({ abortSignal }),
    );
  } catch (error) {
    if (engineStatus(error) === undefined) throw error;
    const reason = `Docker refuses to restart it: ${stripControl(engineMessage(error))}`;
    const container = await inTime(context, `looking at ${name}`, LOOK_MS, () =>
      observeContainer(docker, id),
    );
    return { kind: "bad", container, reason, checkOutput: "", late: false };
  }
  return waitFor(subject, context);
}

async function waitFor(subject: ContainerHealth, context: OnHost): Promise<Attempt> {
  const { id, name } = subject.container;
  const deadlineMs = restartDeadlineMs(subject.check);
  const verdict = await inTime(context, `waiting for ${name}`, deadlineMs + ANSWERS_MS, (signal) =>
    waitForHealth({
      ...context,
      ...{ id, deadlineMs, signal },
      check: subject.check,
      minHealthyMs: MIN_HEALTHY_MS,
    }),
  );
  const { container } = verdict;
  if (verdict.kind === "good") return { kind: "good", container: verdict.container };
  const reason = stripControl(formatReason(verdict.reason));
  const words = verdict.samples.map(({ probe }) => probe).findLast((probe) => probe?.verdict === "fail");
  const checkOutput = words?.verdict === "fail" ? words.output : (container?.healthOutput ?? "");
  return { kind: "bad", container, reason, checkOutput, late: verdict.reason.kind === "late" };
}

function evidenceOf(
  { container }: ContainerHealth,
  last: Extract<Attempt, { kind: "bad" }>,
  context: OnHost,
): Promise<string> {
  const checkOutput = last.checkOutput === "" ? (last.container?.healthOutput ?? "") : last.checkOutput;
  return captureEvidence(context, container.id, checkOutput);
}

/** What a look right before a restart shows: time has passed since the plan. */
type SecondLook =
  | { readonly kind: "as-before" }
  /** By another one, as by the agent in the turn that the run waited for; it is starting. */
  | { readonly kind: "restarted" }
  | { readonly kind: "well"; readonly container: ObservedContainer }
  | {
      readonly kind: "hands-off";
      readonly container: ObservedContainer | undefined;
      readonly reason: string;
      readonly health?: "starting" | "unchecked";
    };

function lookAgain(
  subject: ContainerHealth,
  last: Extract<Attempt, { kind: "bad" }>,
  context: OnHost,
): Promise<SecondLook> {
  return inTime(context, `looking at ${subject.container.name}`, LOOK_MS, (signal) =>
    seeAgain(subject, last.late, { ...context, signal }),
  );
}

/** A deployment that began since the look, or somebody's hand, comes before the policy. */
async function seeAgain(
  { service, container }: ContainerHealth,
  late: boolean,
  { session, docker, signal }: OnHost,
): Promise<SecondLook> {
  const now = await observeContainer(docker, container.id);
  const handsOff = (reason: string) => ({ kind: "hands-off", container: now, reason }) as const;
  if (now === undefined) return handsOff("it was removed by somebody");
  if (service !== undefined && (await isLocked(session, docker, service, signal))) {
    return handsOff("a deployment holds the lock of its service");
  }
  if (now.name !== container.name) return handsOff(`it is called ${now.name} now`);
  if (now.state === "paused") return { ...handsOff("it is paused"), health: "unchecked" };
  // what Docker says is of another check where our label has one
  const said = now.state === "running" && !isOurs(effectiveCheck(container)) ? now.health : "none";
  if (said === "healthy") return { kind: "well", container: now };
  if (late && said === "starting") {
    return { ...handsOff("Docker still calls it starting"), health: "starting" };
  }
  const isRestarted = container.state === "running" && now.startedAt !== container.startedAt;
  if (isRestarted && said === "starting") return { kind: "restarted" };
  return { kind: "as-before" };
}
