import { isSlipwayError } from "../errors";
import { type HandlerContext, PartialFailure, type Properties } from "../handler";
import type { Connection } from "../host/connection";
import type { HostSession } from "../host/session";
import { adoptionNeeds, refuseWithoutConsent } from "./plan/consent";
import type { Desired } from "./wish/desired";
import { withEngineLock } from "./apply/engine-lock";
import { execute } from "./apply/execute";
import type { ExecuteContext } from "./apply/execute-context";
import { prepareSource } from "./apply/prepare-source";
import { refuseInvalidConfig } from "./look/config-verdict";
import { observe, type Seen } from "./look/observe";
import type { ObservedEngine } from "./look/observed";
import { formatPlan, formatStep } from "./plan/operation";
import { outputsOf } from "./outputs";
import { initOf } from "./init/init-of";
import { familyOf } from "./packages/families";
import { offersOf } from "./packages/package-file";
import { planEngine } from "./plan/plan";
import { goesOn } from "./plan/install";
import { configToJudge, leftBehind, leftOf, refuseMachine, refusePlan } from "./plan/refuse";
import { orderOf, removalNeeds } from "./plan/removal-needs";
import { removalsOf } from "./look/removals";
import { type Offer, upstreamOf } from "./packages/version";
import type { EngineWish, Former } from "./wish/wish";

/** One machine, what it is to be, and what it was to be the last time. */
export interface Task {
  readonly session: HostSession;
  readonly connection: Connection;
  readonly wish: EngineWish;
  readonly inputs: Properties;
  /** Undefined when the machine is new to us. */
  readonly former: Former | undefined;
  readonly context: HandlerContext;
}

/** A task that may end half done. */
export interface ConvergeTask extends Task {
  readonly id: string;
  /** The recorded outputs, of an update. */
  readonly olds?: Properties;
}

/**
 * Observe, plan, execute: the way of create and update alike. A machine that is as it is wanted is only looked at.
 * @throws PartialFailure when something was changed and the rest failed
 */
export async function converge(task: ConvergeTask): Promise<Properties> {
  const { session, wish, former, context } = task;
  const { desired, observed } = await observe(session, wish, former, context);
  if (isSettled(desired, observed)) return outputsOf(task.inputs, task.connection, session, observed, []);
  await refuseBefore(desired, await withRights(session, observed, context.signal), session, context.signal);
  return withEngineLock(session, context, () => changeEngine(task));
}

/** What is there, with the drift that it shows; changes nothing. */
export async function lookAt(task: Task): Promise<Properties> {
  const { session, wish, former, context } = task;
  const { desired, observed } = await observe(session, wish, former, context);
  return outputsOf(task.inputs, task.connection, session, observed, driftOf(desired, observed));
}

async function changeEngine(task: ConvergeTask): Promise<Properties> {
  const { session, wish, former, context } = task;
  const { log, signal } = context;
  // somebody else may have held the lock until now
  const look = async (): Promise<Seen> => {
    const { desired, observed } = await observe(session, wish, former, context);
    return { desired, observed: await withRights(session, observed, signal) };
  };
  let { desired, observed: seen } = await look();
  const family = familyOf(session.target, seen.facts, wish.source);
  await refuseBefore(desired, seen, session, signal);
  const isHalfDone = async (): Promise<boolean> => (await look()).observed.packages.interrupted !== "no";
  const around = { ...context, session, family, init: initOf(session.target, seen.facts), isHalfDone };
  let begun = false;
  try {
    const installs = (): boolean => planEngine(desired, seen).some(({ kind }) => kind === "install");
    if (installs() || seen.packages.interrupted === "by us")
      ({ desired, observed: seen } = await prepareSource({ desired, observed: seen }, around, look));
    const offers = installs() ? await offersOn(desired, around) : [];
    const first = planEngine(desired, seen, offers);
    const going = await removalsOf(orderOf(first), session, family, signal);
    // the package source may be another by now, and a repair have brought more to light
    const needs = [...adoptionNeeds(seen), ...removalNeeds(going, desired, seen)];
    refuseWithoutConsent(session.target, wish, needs, goesOn(seen));
    const plan = planEngine(desired, seen, offers, going);
    refusePlan(plan, desired, seen, goesOn(seen));
    log.debug(`plan for ${session.target}:\n${formatPlan(plan)}`);
    begun = plan.length > 0;
    if (begun) for (const line of leftBehind(seen)) log.keep(`${session.target}: ${line}`);
    await execute(plan, around);
    const done = await observe(session, wish, former, context);
    const { daemon } = done.observed;
    if (daemon !== undefined && begun) {
      log.keep(`Docker ${upstreamOf(daemon.version) ?? daemon.version} runs on ${session.target}`);
    }
    const drift = driftOf(desired, done.observed);
    return outputsOf(task.inputs, task.connection, session, done.observed, drift);
  } catch (error) {
    throw begun && error instanceof Error ? await partly(task, error) : error;
  }
}

/** Before anything is touched: what cannot be done, what the engine would not take, and only then what nobody allowed. */
async function refuseBefore(
  desired: Desired,
  observed: ObservedEngine,
  session: HostSession,
  signal: AbortSignal,
): Promise<void> {
  refuseMachine(desired, observed);
  const plan = planEngine(desired, observed);
  const config = configToJudge(plan);
  if (config !== undefined) await refuseInvalidConfig(config, session, leftOf(observed), signal);
  refusePlan(plan, desired, observed, leftOf(observed));
}

/** Of uploaded files nobody is asked. */
function offersOn(
  { wish: { source }, names, followers }: Desired,
  { session, family, signal }: Pick<ExecuteContext, "session" | "family" | "signal">,
): Promise<readonly Offer[]> | readonly Offer[] {
  return source.kind === "files"
    ? offersOf(source.files)
    : family.offers(session, [...names, ...followers], signal);
}

/** What really is there now; when that cannot be seen either, the failure itself. */
async function partly(task: ConvergeTask, error: Error): Promise<Error> {
  const { session, wish, former, inputs, olds, context } = task;
  if (context.signal.aborted) return error;
  try {
    const { desired, observed } = await observe(session, wish, former, context);
    // what was applied the last time stays recorded, so that the next run still knows what to take out
    const applied =
      olds === undefined
        ? {}
        : pick(olds, ["daemonConfig", "liveRestore", "dockerUsers", "hold", "source", "__packages"], inputs);
    const drift = [...driftOf(desired, observed), "the last run did not end"];
    return new PartialFailure(
      task.id,
      { ...outputsOf(inputs, task.connection, session, observed, drift), ...applied },
      error,
    );
  } catch {
    return error; // the host cannot be looked at: the first failure is the one to tell
  }
}

/** A look knows nothing of root's rights. */
async function withRights(
  session: HostSession,
  observed: ObservedEngine,
  signal: AbortSignal,
): Promise<ObservedEngine> {
  const { sudo } = await session.facts({ signal }); // the rest of them is older than the look
  return { ...observed, facts: { ...observed.facts, sudo } };
}

function pick(olds: Properties, keys: readonly string[], inputs: Properties): Properties {
  return Object.fromEntries(
    keys.filter((key) => key in olds || key in inputs).map((key) => [key, olds[key]]),
  );
}

function isSettled(desired: Desired, observed: ObservedEngine): boolean {
  return (
    planEngine(desired, observed).length === 0 &&
    observed.packages.interrupted !== "by us" &&
    (observed.foreign.length === 0 || desired.former !== undefined)
  );
}

/** What the machine would need, as short sentences; where that cannot be planned, why. */
function driftOf(desired: Seen["desired"], observed: ObservedEngine): readonly string[] {
  try {
    return planEngine(desired, observed)
      .filter((operation) => operation.kind !== "verify" && operation.kind !== "revive")
      .map((operation) => `${formatStep(operation)}: ${operation.cause}`);
  } catch (error) {
    if (!isSlipwayError(error)) throw error;
    return [`${error.parts.what}: ${error.parts.why}`];
  }
}
