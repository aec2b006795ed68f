import { randomBytes, randomInt } from "node:crypto";
import { hostname, userInfo } from "node:os";
import type * as pulumi from "@pulumi/pulumi";
import { type Clock, systemClock } from "../clock";
import { isSlipwayError, withAdvice } from "../errors";
import {
  type Created,
  type Failure,
  type Handler,
  type HandlerContext,
  PartialFailure,
  type Properties,
} from "../handler";
import { isUnreachable } from "../host/machine/unreachable";
import { debugWanted } from "../log";
import { NO_SALT } from "../resource";
import { type Redact, redactor } from "../secret";
import { cleanError } from "./clean-error";
import { verdict } from "./difference";
import type { SendMessage } from "./engine-log";
import type { Lifetime } from "./lifetime";
import { initFailure } from "./partial-failure";
import { isReserved, wireSafe, withoutReserved, withReserved } from "./reserved";
import { resourceLog } from "./resource-log";
import { secretsIn } from "./secrets";
import { parseUrn } from "./urn";

/** The processes, each serves one operation, that have been told to change something: see `HandlerContext.isApplying`. */
const applying = new WeakSet<Lifetime>();

type DynamicProvider = pulumi.dynamic.ResourceProvider<Properties, Properties>;

/** What all resources of a provider process share. */
export interface AdapterOptions {
  readonly send: SendMessage;
  readonly lifetime: Lifetime;
  /** @default the process's */
  readonly clock?: Clock;
  /** @default from the system's secure source: prompts and markers on hosts must not be guessed */
  readonly random?: () => number;
  /** 32 hex digits. @default from the system's secure source */
  readonly newSalt?: () => string;
  /** @default the process's */
  readonly environment?: NodeJS.ProcessEnv;
}

/** A handler as Pulumi's dynamic provider host calls it: the one place that knows both sides. */
export function dynamicProvider(handler: Handler, options: AdapterOptions): Required<DynamicProvider> {
  const newSalt = options.newSalt ?? (() => randomBytes(16).toString("hex"));
  const call = caller(options);
  return {
    configure: () => Promise.resolve(),

    check: (olds, news) =>
      call(news, [olds], async (context) => {
        const salted = { ...withoutReserved(news), __salt: saltOf(olds, news) ?? newSalt() };
        const reserved = {
          __provider: news.__provider,
          __urn: news.__urn,
          __salt: salted.__salt,
          __args: Object.keys(news).filter((key) => !isReserved(key)),
        };
        const checked = await handler
          .check(withoutReserved(olds), salted, context)
          .catch((error: unknown) => refusal(error, salted));
        return {
          inputs: wireSafe({ ...checked.inputs, ...reserved }),
          failures: checked.failures.map((failure) => withoutProperty(failure, context.redact)),
        };
      }),

    diff: (id, olds, news) =>
      call(news, [olds], async (context) => {
        const answer = await handler.diff(id, withoutReserved(olds), withoutReserved(news), context);
        const { changes, replaces = [] } = verdict(olds, news, answer);
        return { ...(changes === undefined ? {} : { changes }), replaces: [...replaces] };
      }),

    create: (inputs) => {
      applying.add(options.lifetime);
      return call(inputs, [], async (context) => {
        const { id, outputs } = await handler.create(withoutReserved(inputs), context);
        return { id, outs: withReserved(outputs, inputs) };
      });
    },

    update: (id, olds, news) => {
      applying.add(options.lifetime);
      return call(news, [olds], async (context) => {
        const outputs = await handler.update(id, withoutReserved(olds), withoutReserved(news), context);
        return { outs: withReserved(outputs, news) };
      });
    },

    read: (id, outputs = {}) =>
      call(outputs, [], async (context) => {
        const found = await handler
          .read(id, withoutReserved(outputs), context)
          .catch((error: unknown) => asRecorded(error, { id, outputs }, context));
        // no id: Pulumi takes it out of the state
        if (found === undefined) return { id: "", props: {} };
        const failed = outputs.__failed === true ? { __failed: true } : {};
        return { id: found.id, props: { ...withReserved(found.outputs, outputs), ...failed } };
      }),

    delete: (id, outputs) =>
      call(outputs, [], (context) =>
        handler.delete(id, withoutReserved(outputs), context).catch((error: unknown) => {
          throw withWayOut(error);
        }),
      ),
  };
}

type CallContext = HandlerContext & { readonly redact: Redact };

/** Runs one call with a context of its own; whatever it throws leaves in the form that Pulumi wants. */
function caller(options: AdapterOptions) {
  const { send, lifetime, clock = systemClock, random = secureRandom, environment = process.env } = options;
  return async <T>(
    subject: Properties,
    others: readonly Properties[],
    use: (context: CallContext) => Promise<T>,
  ): Promise<T> => {
    const redact = redactor([subject, ...others].flatMap(secretsIn));
    const urn = typeof subject.__urn === "string" ? subject.__urn : "";
    const parts = parseUrn(urn);
    const stack = parts === undefined ? "" : `${parts.project}/${parts.stack}`;
    const log = resourceLog({ urn, send, clock, redact, debug: debugWanted(environment) });
    const context: CallContext = {
      urn,
      name: parts?.name ?? "",
      log,
      clock,
      random,
      signal: lifetime.signal,
      holder: `${stack}, ${userInfo().username}@${hostname()}`,
      stack,
      isApplying: applying.has(lifetime),
      redact,
    };
    return lifetime.during(async () => {
      try {
        return await use(context);
      } catch (error) {
        if (error instanceof PartialFailure) throw initFailure(error, subject, redact);
        throw cleanError(error, context.name, redact, environment);
      } finally {
        // before the answer: after the last one the engine's display may be gone
        await log.flush();
      }
    });
  };
}

/**
 * The path of a mistake goes into its reason: Pulumi prints the whole value of a property that a failure names, in clear
 * where it is secret, and `<nil>` for a nested one.
 */
function withoutProperty({ property, reason }: Failure, redact: Redact): Failure {
  return { property: "", reason: redact(property === "" ? reason : `${property}: ${reason}`) };
}

/**
 * An engine that does not answer on a host that does is for DockerHost's refresh to find. The others keep what is
 * recorded, or one stopped daemon would fail the whole refresh, and nothing could show the drift.
 */
function asRecorded(error: unknown, recorded: Created, { log }: HandlerContext): Created {
  if (!isSlipwayError(error, "engine-unreachable")) throw error;
  log.warn(`not refreshed: ${error.message}`);
  return recorded;
}

/** A machine that is gone for good must not keep a stack from being destroyed. */
function withWayOut(error: unknown): unknown {
  if (!isSlipwayError(error) || !isUnreachable(error)) return error;
  return withAdvice(
    error,
    "If the machine is gone for good, set abandonUnreachable: true, run pulumi up, then destroy again",
  );
}

function secureRandom(): number {
  return randomInt(2 ** 32) / 2 ** 32;
}

/** An error of ours in check is a mistake in the arguments: said with the resource, once, and without a stack. */
function refusal(error: unknown, inputs: Properties) {
  if (!isSlipwayError(error)) throw error;
  return { inputs, failures: [{ property: "", reason: error.message }] };
}

/** The salt that is there already, or none where nothing secret is hashed; undefined when a random one is to be made. */
function saltOf(olds: Properties, news: Properties): string | undefined {
  const recorded = olds.__salt;
  if (typeof recorded === "string" && recorded !== "" && recorded !== NO_SALT) return recorded;
  return news.__salt === NO_SALT ? NO_SALT : undefined;
}
