import { type ErrorCode, isSlipwayError, messageOf, type SlipwayError } from "../../errors";
import type { HandlerContext, Properties } from "../../handler";
import { withTimeLimit } from "../../health/time-limit";
import { type Connection, targetOf } from "../../host/connection";
import type { HostSession } from "../../host/session";
import { adoptionNeeds, type ConsentNeed, consentNeeds, missingFlags, repairNeeds } from "../plan/consent";
import { refuseInvalidConfig } from "../look/config-verdict";
import { observe, type Seen } from "../look/observe";
import type { ObservedEngine } from "../look/observed";
import { onHost } from "../look/on-host";
import { formatStep, type Operation } from "../plan/operation";
import { offersAhead, removalsAhead } from "./offers-ahead";
import { familyOf } from "../packages/families";
import { planEngine } from "../plan/plan";
import { configToJudge, leftOf, refuseUnmovable, refuseWithoutRights } from "../plan/refuse";
import { planSource } from "../plan/source";
import { removalNeeds } from "../plan/removal-needs";
import type { Offer } from "../packages/version";
import type { Desired } from "../wish/desired";
import type { EngineWish, Former } from "../wish/wish";

/** For one host, dialling included: a preview must not wait for a host that is down. */
const LOOK_MS = 5_000;
/** For all hosts that do not answer, one after another as they are asked for. */
const LATE_MS = 10_000;
/** Of dialling, so that a refused connection is told as that, and not as a silent host. */
const ATTEMPTS = 3;
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

/** What a look ahead came to. */
export type Outlook =
  /** Whatever the program allows. */
  | { readonly kind: "refused"; readonly error: SlipwayError }
  /** `missing`: what has to be allowed first. */
  | { readonly kind: "seen"; readonly missing: string | undefined }
  | { readonly kind: "not seen" };

/** Nobody looked, or the machine did not answer. */
export const NOT_SEEN: Outlook = { kind: "not seen" };

/**
 * Says what an update would do on the machine: each step with exact package versions, and the consent that is missing. It
 * only reads, for five seconds at most; where the host cannot be looked at, it says what is known without it.
 */
export async function foretell(subject: Foretold, context: HandlerContext): Promise<Outlook> {
  const { connection, olds, otherwise } = subject;
  const { clock, signal, log } = context;
  const target = targetOf(connection);
  if (lateMs >= LATE_MS) {
    log.keep(`${target} was not looked at: ${otherwise}`);
    return NOT_SEEN;
  }
  const way = { isReached: false };
  const started = clock.now();
  try {
    const limit = { timeoutMs: LOOK_MS, clock, signal };
    const look = await withTimeLimit(limit, (inner) =>
      onHost(impatient(connection), olds, { ...context, signal: inner }, (session) => {
        way.isReached = true;
        return lookAhead(session, subject, { ...context, signal: inner });
      }),
    );
    if (look.kind === "done") {
      say(look.value, target, context);
      return { kind: "seen", missing: look.value.missing };
    }
    lateMs += LOOK_MS;
    const why = way.isReached ? "the look took longer than 5s" : "no answer within 5s";
    log.keep(`could not look at ${target} (${why}): ${otherwise}`);
  } catch (error) {
    if (signal.aborted) throw error;
    if (isSlipwayError(error) && (way.isReached ? REFUSALS : KEY_REFUSALS).has(error.code)) {
      log.warn(`${target} will be refused: ${error.message}`);
      return { kind: "refused", error };
    }
    if (!way.isReached) lateMs += clock.now() - started;
    const why = isSlipwayError(error) ? error.parts.why : messageOf(error);
    log.keep(`could not look at ${target} (${why}): ${otherwise}`);
  }
  return NOT_SEEN;
}

function impatient(connection: Connection): Connection {
  const { dialErrorLimit: limit = ATTEMPTS, proxy } = connection;
  const dialErrorLimit = limit < 0 ? ATTEMPTS : Math.min(limit, ATTEMPTS);
  return { ...connection, dialErrorLimit, ...(proxy !== undefined && { proxy: impatient(proxy) }) };
}

/** Nobody logs in there, whoever asks. */
const KEY_REFUSALS: ReadonlySet<string> = new Set<ErrorCode>([
  "host-key-mismatch",
  "host-key-revoked",
  "host-key-unknown",
]);

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
  "sudo-unavailable",
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
  // what a look knows of root's rights is older than the connection's own
  const { target } = session;
  if (!isSettled(seen))
    refuseWithoutRights({ target, facts: await session.facts({ signal: context.signal }) });
  const installs = planEngine(desired, observed).some(({ kind }) => kind === "install");
  if (!installs) {
    const ahead = planAhead(seen, undefined);
    await refuseConfigAhead(ahead.plan, observed, session, context.signal);
    return ahead;
  }
  const family = familyOf(session.target, observed.facts, wish.source);
  const around = { session, family, signal: context.signal };
  const offers = await offersAhead(seen, around);
  const { plan } = planAhead(seen, offers);
  return planAhead(seen, offers, await removalsAhead(plan, offers, seen, around));
}

/** Nobody but root can have it judged. */
async function refuseConfigAhead(
  plan: readonly Operation[],
  observed: ObservedEngine,
  session: HostSession,
  signal: AbortSignal,
): Promise<void> {
  const config = configToJudge(plan);
  if (config !== undefined) await refuseInvalidConfig(config, session, leftOf(observed), signal);
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
  const isTouched = !isSettled({ desired, observed });
  if (isTouched) refuseUnmovable(observed);
  const changes = planEngine(desired, observed, isOffered ? offers : undefined, going);
  const plan = [...sourceAhead(changes, desired, observed), ...changes];
  const needs = [
    ...removalNeeds(going, desired, observed),
    ...(isTouched ? adoptionNeeds(observed) : []),
    ...repairNeeds(plan, observed),
    ...consentNeeds(plan, observed, former !== undefined, wish.dockerVersion),
  ];
  return { plan, needs, missing: missingFlags(wish, needs) };
}

/** A machine that is as it was left is only looked at, whatever came there since. */
function isSettled({ desired, observed }: Seen): boolean {
  const isWhole = observed.packages.interrupted !== "by us" && planEngine(desired, observed).length === 0;
  return isWhole && desired.former !== undefined;
}

/** What an installation begins with; that lists are read anew is no news. */
function sourceAhead(
  changes: readonly Operation[],
  desired: Desired,
  observed: ObservedEngine,
): readonly Operation[] {
  const begins = changes.some(({ kind }) => kind === "install") || observed.packages.interrupted === "by us";
  return begins ? planSource(desired, observed).filter(({ kind }) => kind !== "refresh-lists") : [];
}

function say({ plan, needs, missing }: Ahead, target: string, { log }: HandlerContext): void {
  const steps = plan.filter(({ kind }) => kind !== "verify" && kind !== "revive");
  if (steps.length === 0) return;
  log.keep([`on ${target}:`, ...steps.map((step) => `  ${formatStep(step)}: ${step.cause}`)].join("\n"));
  if (missing === undefined) return;
  const causes = needs.map(({ cause }) => cause).join("; ");
  log.warn(`${target} will be refused without ${missing}: ${causes}`);
}
