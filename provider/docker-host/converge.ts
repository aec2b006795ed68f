import { isSlipwayError, SlipwayError } from "../errors";
import { type HandlerContext, PartialFailure, type Properties } from "../handler";
import type { Connection } from "../host/connection";
import type { HostSession } from "../host/session";
import { adoptionNeeds, consentNeeds, refuseWithoutConsent } from "./consent";
import type { Desired } from "./desired";
import { withEngineLock } from "./engine-lock";
import { execute } from "./execute";
import { desiredOn, observe } from "./observe";
import type { ObservedEngine } from "./observed";
import { formatPlan, formatStep } from "./operation";
import { outputsOf } from "./outputs";
import { familyOf } from "./packages/families";
import { planEngine } from "./plan";
import { planSource } from "./plan-source";
import { upstreamOf } from "./version";
import type { EngineWish } from "./wish";

/** One machine, what it is to be, and what it was to be the last time. */
export interface Task {
  readonly session: HostSession;
  readonly connection: Connection;
  readonly wish: EngineWish;
  readonly inputs: Properties;
  /** Undefined when the machine is new to us. */
  readonly former: EngineWish | undefined;
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
  const desired = await desiredOn(session, wish, former, context.signal);
  const observed = await observe(session, desired, context);
  if (isSettled(desired, observed)) return outputsOf(task.inputs, task.connection, session, observed, []);
  refuse(desired, observed);
  return withEngineLock(session, context, () => changeEngine(task, desired));
}

/** What is there, with the drift that it shows; changes nothing. */
export async function lookAt({
  session,
  connection,
  wish,
  inputs,
  former,
  context,
}: Task): Promise<Properties> {
  const desired = await desiredOn(session, wish, former, context.signal);
  const observed = await observe(session, desired, context);
  return outputsOf(inputs, connection, session, observed, driftOf(desired, observed));
}

/** Takes the packages off; containers, images and volumes stay in /var/lib/docker. */
export async function uninstall(
  session: HostSession,
  wish: EngineWish,
  context: HandlerContext,
): Promise<void> {
  const desired = await desiredOn(session, wish, wish, context.signal);
  const family = familyOf(session.target, await session.facts(), wish.source);
  const { signal } = context;
  await withEngineLock(session, context, async () => {
    const { packages } = await observe(session, desired, context);
    const names = [...desired.names, ...desired.dependencies].filter((name) => name in packages.installed);
    if (names.length > 0) {
      context.log.progress(`removing ${names.join(", ")}`);
      await family.unhold(session, names, { signal });
      await family.remove(session, names, { signal });
    }
    if (packages.sourceFile !== undefined) await family.removeRepository(session, { signal });
  });
}

async function changeEngine(task: ConvergeTask, desired: Desired): Promise<Properties> {
  const { session, wish, former, context } = task;
  const { log, signal } = context;
  const family = familyOf(session.target, await session.facts(), wish.source);
  const seen = await observe(session, desired, context); // somebody else may have held the lock until now
  const managed = former !== undefined;
  const blind = planEngine(desired, seen);
  refuse(desired, seen);
  let begun = false;
  try {
    const needsOffers = blind.some((operation) => operation.kind === "install");
    if (needsOffers || seen.packages.interrupted) {
      await execute(planSource(desired, seen), { ...context, session, family });
    }
    const offers = needsOffers ? await family.offers(session, desired.names, signal) : [];
    const plan = planEngine(desired, seen, offers);
    refuseWithoutConsent(
      session.target,
      wish,
      consentNeeds(plan, seen, managed, wish.dockerVersion),
      leftOf(seen),
    );
    log.debug(`plan for ${session.target}:\n${formatPlan(plan)}`);
    begun = plan.length > 0;
    await execute(plan, { ...context, session, family });
    const done = await observe(session, desired, context);
    if (done.daemon !== undefined && begun) {
      log.keep(`Docker ${upstreamOf(done.daemon.version) ?? done.daemon.version} runs on ${session.target}`);
    }
    return outputsOf(task.inputs, task.connection, session, done, driftOf(desired, done));
  } catch (error) {
    throw begun && error instanceof Error ? await partly(task, desired, error) : error;
  }
}

/** What really is there now; when that cannot be seen either, the failure itself. */
async function partly(task: ConvergeTask, desired: Desired, error: Error): Promise<Error> {
  const { session, inputs, olds, context } = task;
  if (context.signal.aborted) return error;
  try {
    const observed = await observe(session, desired, context);
    // what was applied the last time stays recorded, so that the next run still knows what to take out
    const applied =
      olds === undefined ? {} : pick(olds, ["daemonConfig", "liveRestore", "dockerUsers", "hold"], inputs);
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

function pick(olds: Properties, keys: readonly string[], inputs: Properties): Properties {
  return Object.fromEntries(
    keys.filter((key) => key in olds || key in inputs).map((key) => [key, olds[key]]),
  );
}

function isSettled(desired: Desired, observed: ObservedEngine): boolean {
  return (
    planEngine(desired, observed).length === 0 &&
    !observed.packages.interrupted &&
    (observed.foreign.length === 0 || desired.former !== undefined)
  );
}

/** What the machine would need, as short sentences; where that cannot be planned, why. */
function driftOf(desired: Desired, observed: ObservedEngine): readonly string[] {
  try {
    return planEngine(desired, observed)
      .filter((operation) => operation.kind !== "verify" && operation.kind !== "revive")
      .map((operation) => `${formatStep(operation)}: ${operation.cause}`);
  } catch (error) {
    if (!isSlipwayError(error)) throw error;
    return [`${error.parts.what}: ${error.parts.why}`];
  }
}

/** @throws SlipwayError engine-foreign, engine-consent, sudo-unavailable */
function refuse(desired: Desired, observed: ObservedEngine): void {
  const { wish, former } = desired;
  const host = observed.target;
  if (observed.facts.sudo === "none") {
    throw new SlipwayError({
      code: "sudo-unavailable",
      what: "setting up Docker",
      host,
      why: `${observed.facts.user.name} is not root and cannot become root`,
      left: "Nothing was changed on the host",
      next: "Log in as root, allow sudo for this user, or set sudoPassword on the connection",
    });
  }
  for (const engine of observed.foreign) {
    if (engine.kind !== "unpackaged") continue;
    throw new SlipwayError({
      code: "engine-foreign",
      what: "setting up Docker",
      host,
      why: `${engine.path} belongs to no package, so Slipway cannot replace it`,
      left: "Nothing was changed on the host",
      next: "Stop and remove it by hand; /var/lib/docker may stay",
    });
  }
  refuseWithoutConsent(host, wish, adoptionNeeds(observed), leftOf(observed));
  const needs = consentNeeds(
    planEngine(desired, observed),
    observed,
    former !== undefined,
    wish.dockerVersion,
  );
  refuseWithoutConsent(host, wish, needs, leftOf(observed));
}

function leftOf({ daemon }: ObservedEngine): string {
  if (daemon === undefined) return "Nothing was changed on the host";
  return `Docker ${upstreamOf(daemon.version) ?? daemon.version} goes on running, nothing was changed`;
}
