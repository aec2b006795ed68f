import type { DiffResult, Handler, HandlerContext, Properties } from "../handler";
import { isSlipwayError, SlipwayError } from "../errors";
import { targetOf, type Connection } from "../host/connection";
import { withHost } from "../host/pool";
import { recordedHostKeyOf } from "../host/recorded-host-key";
import type { HostSession } from "../host/session";
import { canonicalJson, Fields, hasUnknown, isObject, UNKNOWN } from "../values";
import { certainNeeds, refuseWithoutConsent } from "./consent";
import { converge, lookAt, uninstall } from "./converge";
import { isSameOnHost, underArguments } from "./same-on-host";
import { satisfies } from "./version";
import { type EngineWish, readHostArguments, wishOf } from "./wish";

/** DockerHost: Docker at a pinned version, configured, held, and verified to be what runs. */
export const dockerHostHandler: Handler = {
  check(_olds, news) {
    const fields = new Fields(news);
    const { connection } = readHostArguments(fields);
    const isKnown = connection !== undefined && !hasUnknown([news.connection].map(addressOf));
    const targets = isKnown ? [targetOf(connection)] : UNKNOWN;
    return Promise.resolve({ inputs: { ...news, targets }, failures: fields.failures });
  },

  diff(_id, olds, news) {
    return Promise.resolve().then(() => diffOf(olds, news));
  },

  async create(inputs, context) {
    const { connection, wish } = parsed(inputs);
    const id = targetOf(connection);
    const outputs = await onHost(connection, {}, context, (session) =>
      converge({ id, session, connection, wish, inputs, former: undefined, context }),
    );
    return { id, outputs };
  },

  async update(id, olds, news, context) {
    const { connection, wish } = parsed(news);
    const former = wishOf(olds).wish;
    const same = isSameOnHost(olds, news);
    // a machine that died must not be asked: abandonUnreachable is set when it is too late to ask
    if (same && canonicalJson(olds.connection) === canonicalJson(news.connection)) {
      return underArguments(olds, news);
    }
    return onHost(connection, olds, context, (session) => {
      if (same) {
        context.log.keep("connection only, nothing touched");
        const hostKeys = { [session.target]: session.hostKey };
        return Promise.resolve({ ...underArguments(olds, news), hostKeys });
      }
      return converge({ id, session, connection, wish, inputs: news, former, olds, context });
    });
  },

  async read(id, outputs, context) {
    const { connection, wish } = parsed(outputs);
    return onHost(connection, outputs, context, async (session) => {
      return {
        id,
        outputs: await lookAt({ session, connection, wish, inputs: outputs, former: wish, context }),
      };
    });
  },

  async delete(_id, outputs, context) {
    const { connection, wish } = parsed(outputs);
    if (!wish.uninstallOnDelete) return;
    try {
      await onHost(connection, outputs, context, (session) => uninstall(session, wish, context));
    } catch (error) {
      if (!wish.abandonUnreachable || !isSlipwayError(error, "dial-failed")) throw error;
      context.log.keep(`${targetOf(connection)} does not answer; Docker was left there (abandonUnreachable)`);
    }
  },
};

/** @throws SlipwayError engine-consent, so that the preview fails for what the update would refuse */
function diffOf(olds: Properties, news: Properties): DiffResult {
  if (isAnotherMachine(olds.connection, news.connection)) return { changes: true, replaces: ["connection"] };
  const { wish } = hasUnknown(news) ? { wish: undefined } : wishOf(news);
  if (wish === undefined) return { changes: undefined };
  const before = wishOf(olds).wish?.daemonConfig ?? wish.daemonConfig;
  const target = String(Array.isArray(olds.targets) ? olds.targets[0] : "the host");
  refuseWithoutConsent(target, wish, certainNeeds(olds, wish, before), "Nothing was changed");
  const drifted = Array.isArray(olds.drift) && olds.drift.length > 0;
  const isWanted = typeof olds.version === "string" && satisfies(olds.version, wish.dockerVersion);
  return { changes: drifted || !isWanted ? true : undefined };
}

function onHost<T>(
  connection: Connection,
  olds: Properties,
  context: HandlerContext,
  use: (session: HostSession) => Promise<T>,
): Promise<T> {
  const { log, clock, random, signal } = context;
  const recordedHostKey = recordedHostKeyOf(olds, connection);
  return withHost(connection, { log, clock, random, signal, recordedHostKey }, use);
}

/** Values that check has passed; a state of another release may still surprise. */
function parsed(values: Properties): { readonly connection: Connection; readonly wish: EngineWish } {
  const { connection, wish } = wishOf(values);
  if (connection !== undefined && wish !== undefined) return { connection, wish };
  const why = "the recorded arguments cannot be read";
  throw new SlipwayError({ code: "invalid-input", what: "reading the DockerHost", why });
}

function addressOf(connection: unknown): unknown {
  return isObject(connection) ? [connection.host, connection.port ?? 22, connection.user] : connection;
}

/** Another user at one address and port is the same machine. */
function isAnotherMachine(before: unknown, after: unknown): boolean {
  if (!isObject(before) || !isObject(after) || hasUnknown([after.host, after.port])) return false;
  return before.host !== after.host || (before.port ?? 22) !== (after.port ?? 22);
}
