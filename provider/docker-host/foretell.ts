import { type ErrorCode, isSlipwayError, messageOf } from "../errors";
import type { HandlerContext, Properties } from "../handler";
import { withTimeLimit } from "../health/time-limit";
import { type Connection, targetOf } from "../host/connection";
import type { HostSession } from "../host/session";
import { adoptionNeeds, type ConsentNeed, consentNeeds, missingFlags, repairNeeds } from "./consent";
import { observe, type Seen } from "./observe";
import { onHost } from "./on-host";
import { formatStep, type Operation } from "./operation";
import { offersAhead, removalsAhead } from "./offers-ahead";
import { familyOf } from "./packages/families";
import { planEngine } from "./plan";
import { refuseUnmovable } from "./refuse";
import { removalNeeds } from "./removals";
import type { Offer } from "./version";
import type { EngineWish, Former } from "./wish";

/** For one host, dialling included: a preview must not wait for a host that is down. */
const LOOK_MS = 5_000;
/** For all hosts that do not answer, one after another as they are asked for. */
const LATE_MS = 10_000;
// one process serves one operation
let lateMs = 0;

/** A machine that a preview is about. */
export interface Foretold {
  readonly connection: Connection;
  readonly wish: EngineWish;
  readonly former: Former | undefined;
  /** The recorded outputs; empty for a new one. */
  readonly olds: Properties;
  /** What is known without the host, as a sentence. */
  readonly otherwise: string;
}

/**
 * Says what an update would do on the machine: each step with exact package versions, and the consent that is missing. It
 * only reads, for five seconds at most; where the host cannot be looked at, it says what is known without it.
 */
export async function foretell(subject: Foretold, context: HandlerContext): Promise<void> {
  const { connection, olds, otherwise } = subject;
  const { clock, signal, log } = context;
  const target = targetOf(connection);
  if (lateMs >= LATE_MS) return log.keep(`${target} was not looked at: ${otherwise}`);
  const way = { isReached: false };
  try {
    const limit = { timeoutMs: LOOK_MS, clock, signal };
    const look = await withTimeLimit(limit, (inner) =>
      onHost(connection, olds, { ...context, signal: inner }, (session) => {
        way.isReached = true;
        return lookAhead(session, subject, { ...context, signal: inner });
      }),
    );
    if (look.kind === "done") return say(look.value, target, context);
    lateMs += LOOK_MS;
    log.keep(`could not look at ${target} (no answer within 5s): ${otherwise}`);
  } catch (error) {
    if (signal.aborted) throw error;
    if (way.isReached && isSlipwayError(error) && REFUSALS.has(error.code)) {
      return log.warn(`${target} will be refused: ${error.message}`);
    }
    const why = isSlipwayError(error) ? error.parts.why : messageOf(error);
    log.keep(`could not look at ${target} (${why}): ${otherwise}`);
  }
}

/** Of what is there. The way to it may be another one in the up: a key file that is only where that runs. */
const REFUSALS: ReadonlySet<string> = new Set<ErrorCode>([
  "engine-foreign",
  "engine-masked",
  "engine-version-unavailable",
  "engine-install-failed",
  "engine-store-changes",
  "daemon-config-invalid",
  "host-unsupported",
  "invalid-input",
]);

/** What a look ahead found. */
export interface Ahead {
  readonly plan: readonly Operation[];
  readonly needs: readonly ConsentNeed[];
  readonly missing: string | undefined;
}

async function lookAhead(
  session: HostSession,
  { wish, former }: Foretold,
  context: HandlerContext,
): Promise<Ahead> {
  const seen = await observe(session, wish, former, context);
  const { desired, observed } = seen;
  const installs = planEngine(desired, observed).some(({ kind }) => kind === "install");
  if (!installs) return planAhead(seen, undefined);
  const family = familyOf(session.target, observed.facts, wish.source);
  const around = { session, family, signal: context.signal };
  const offers = await offersAhead(seen, around);
  const { plan } = planAhead(seen, offers);
  return planAhead(seen, offers, await removalsAhead(plan, offers, seen, around));
}

/**
 * Pure: the steps and consents of an update. Without offers packages stand without versions; `going` cannot stay beside them.
 */
export function planAhead(
  { desired, observed }: Seen,
  offers: readonly Offer[] | undefined,
  going: readonly string[] = [],
): Ahead {
  const { wish, former, names } = desired;
  const isOffered = offers?.some(({ name }) => name === names[0]) === true;
  if (former === undefined) refuseUnmovable(observed);
  const plan = planEngine(desired, observed, isOffered ? offers : undefined, going);
  const needs = [
    ...removalNeeds(going, desired, observed),
    ...(former === undefined ? adoptionNeeds(observed) : []),
    ...repairNeeds(plan, observed),
    ...consentNeeds(plan, observed, former !== undefined, wish.dockerVersion),
  ];
  return { plan, needs, missing: missingFlags(wish, needs) };
}

function say({ plan, needs, missing }: Ahead, target: string, { log }: HandlerContext): void {
  const steps = plan.filter(({ kind }) => kind !== "verify" && kind !== "revive");
  if (steps.length === 0) return;
  log.keep([`on ${target}:`, ...steps.map((step) => `  ${formatStep(step)}: ${step.cause}`)].join("\n"));
  if (missing === undefined) return;
  const causes = needs.map(({ cause }) => cause).join("; ");
  log.warn(`${target} will be refused without ${missing}: ${causes}`);
}
