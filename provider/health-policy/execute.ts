import type Docker from "dockerode";
import { engineMessage, engineStatus } from "../container/engine-status";
import { envRedactor } from "../container/env-redactor";
import { isLocked } from "../container/held-lock";
import { inTime, LOOK_MS } from "../container/in-time";
import { observeContainer } from "../container/inspect";
import type { HealthStatus, ObservedContainer } from "../container/observed";
import type { HandlerContext } from "../handler";
import { formatReason } from "../health/evaluate";
import type { Healthcheck } from "../health/policy";
import { type Verdict, waitForHealth } from "../health/wait";
import { allEnded } from "../all-ended";
import type { HostSession } from "../host/session";
import { stripControl, tail } from "../secret";
import type { ContainerHealth } from "./observed";
import type { Lane, Operation, RepairPlan } from "./plan";
import type { Reach } from "./reach";

/** What became of one operation. */
export interface Repaired {
  readonly subject: ContainerHealth;
  /** As it was last seen; undefined when it is gone. */
  readonly container: ObservedContainer | undefined;
  readonly health: HealthStatus;
  readonly restarts: number;
  /** Why it stays unhealthy; empty when it does not. */
  readonly reason: string;
  /** The last output of its check, clean to show. */
  readonly output: string;
  /** It was left alone for another's sake: a deployment, or somebody's hand. */
  readonly excused: boolean;
}

/** What an execution needs from the run. */
export interface ExecuteContext extends Pick<HandlerContext, "clock" | "log" | "signal"> {
  readonly reach: Reach;
  /** The pause before the second restart; it doubles from one to the next. */
  readonly backoffMs: number;
}

const MIN_HEALTHY_MS = 3_000;
/** Its stopTimeout is in it, which may be a long one. */
const RESTART_MS = 900_000;
/** What the engine may take for its answers beside a wait. */
const ANSWERS_MS = 60_000;

/** Runs a plan: its lanes at once, in each lane as many operations as it is wide. */
export async function executePlan(plan: RepairPlan, context: ExecuteContext): Promise<readonly Repaired[]> {
  const done = await allEnded(plan.lanes.map((lane) => executeLane(lane, context)));
  return done.flat();
}

/** How long a container may take to become healthy after a restart: as long as Docker would, from 10 s to a minute. */
export function restartDeadlineMs(check: Healthcheck | "none"): number {
  if (check === "none") return 10_000;
  return check.startPeriodMs + Math.min(60_000, Math.max(10_000, check.intervalMs * check.retries));
}

async function executeLane(lane: Lane, context: ExecuteContext): Promise<readonly Repaired[]> {
  const waiting = [...lane.operations];
  const done: Repaired[] = [];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      done.push(await executeOperation(next, context));
    }
  };
  await allEnded(Array.from({ length: lane.width }, worker));
  return done;
}

async function executeOperation(operation: Operation, context: ExecuteContext): Promise<Repaired> {
  const { subject } = operation;
  if (operation.kind === "leave") {
    return leftAlone(subject, subject.container, operation.reason, operation.excused);
  }
  return context.reach.on(subject.target, (session, docker) =>
    bringBack(operation, { ...context, session, docker }),
  );
}

type OnHost = ExecuteContext & { readonly session: HostSession; readonly docker: Docker };

async function bringBack(
  operation: Exclude<Operation, { kind: "leave" }>,
  context: OnHost,
): Promise<Repaired> {
  const { subject, maxRestarts } = operation;
  const { name } = subject.container;
  let last: Attempt = { kind: "bad", container: subject.container, reason: subject.cause, output: "" };
  if (operation.kind === "wait") last = await waitFor(subject, context);
  for (let restarts = 1; last.kind === "bad" && restarts <= maxRestarts; restarts++) {
    if (restarts > 1) {
      const pauseMs = context.backoffMs * 2 ** (restarts - 2);
      context.log.progress(`${name}: still unhealthy, next restart in ${Math.round(pauseMs / 1_000)}s`);
      await context.clock.sleep(pauseMs, context.signal);
    }
    const hindrance = await hindranceTo(subject, context);
    if (hindrance !== undefined) return leftAlone(subject, hindrance.container, hindrance.reason, true);
    context.log.progress(
      `${name} on ${subject.target}: restart ${restarts} of ${maxRestarts}: ${last.reason}`,
    );
    last = await restartOnce(subject, context);
    if (last.kind === "good") {
      context.log.keep(`restarted ${name} on ${subject.target}: healthy again (${subject.cause})`);
      return healthy(subject, last.container, restarts);
    }
  }
  if (last.kind === "good") return healthy(subject, last.container, 0);
  return {
    subject,
    container: last.container,
    health: "unhealthy",
    restarts: maxRestarts,
    reason: last.reason,
    output: last.output,
    excused: false,
  };
}

type Attempt =
  | { readonly kind: "good"; readonly container: ObservedContainer }
  | {
      readonly kind: "bad";
      readonly container: ObservedContainer | undefined;
      readonly reason: string;
      readonly output: string;
    };

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
    return { kind: "bad", container, reason, output: "" };
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
  if (verdict.kind === "good") return { kind: "good", container: verdict.container };
  const reason = stripControl(formatReason(verdict.reason));
  const output = await outputOf(verdict, id, context);
  return { kind: "bad", container: verdict.container, reason, output };
}

/** The check's last words, without control sequences and without any value of the container's environment. */
async function outputOf(verdict: Verdict, id: string, { docker, session }: OnHost): Promise<string> {
  const probes = verdict.samples.map(({ probe }) => probe);
  const words = probes.findLast((probe) => probe?.verdict === "fail");
  const raw = words?.verdict === "fail" ? words.output : (verdict.container?.healthOutput ?? "");
  if (raw === "") return "";
  const redact = await envRedactor(docker, id);
  return tail(session.redact(redact(stripControl(raw))), 10, 1_000);
}

interface Hindrance {
  readonly container: ObservedContainer | undefined;
  readonly reason: string;
}

/** A deployment that began since the look, or somebody's hand, comes before the policy. */
function hindranceTo(subject: ContainerHealth, context: OnHost): Promise<Hindrance | undefined> {
  return inTime(context, `looking at ${subject.container.name}`, LOOK_MS, (signal) =>
    seeHindrance(subject, { ...context, signal }),
  );
}

async function seeHindrance(
  { service, container }: ContainerHealth,
  { session, docker, signal }: OnHost,
): Promise<Hindrance | undefined> {
  const now = await observeContainer(docker, container.id);
  if (now === undefined) return { container: now, reason: "it was removed by somebody" };
  if (service !== undefined && (await isLocked(session, docker, service, signal))) {
    return { container: now, reason: "a deployment holds the lock of its service" };
  }
  return now.name === container.name ? undefined : { container: now, reason: `it is called ${now.name} now` };
}

function leftAlone(
  subject: ContainerHealth,
  container: ObservedContainer | undefined,
  reason: string,
  excused: boolean,
): Repaired {
  return { subject, container, health: subject.health, restarts: 0, reason, output: "", excused };
}

function healthy(subject: ContainerHealth, container: ObservedContainer, restarts: number): Repaired {
  // without a check, running is all that can be said
  const health = subject.check === "none" ? "none" : "healthy";
  return { subject, container, health, restarts, reason: "", output: "", excused: false };
}
