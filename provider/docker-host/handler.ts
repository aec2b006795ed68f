import type { Handler, Properties } from "../handler";
import { SlipwayError } from "../errors";
import { targetOf, type Connection } from "../host/connection";
import { reconnect } from "../host/machine/reconnect";
import type { HostSession } from "../host/session";
import { Fields, hasUnknown, isObject, UNKNOWN } from "../values";
import { checkSource } from "./wish/check-source";
import { claimedBy } from "./fleet/claimed-by";
import { claims } from "./fleet/claims";
import { converge, lookAt } from "./converge";
import { diffHost, refusalAhead, refusalByState } from "./diff";
import { amidOthers } from "./fleet/elsewhere";
import { foretellCreate, foretellUpdate } from "./preview/foretell-change";
import { leaveMachine } from "./removal/leaving";
import { onHost } from "./look/on-host";
import { withApplied } from "./outputs";
import { reconnected } from "./reconnected";
import { isSameOnHost } from "./wish/same-on-host";
import { type EngineWish, formerWish, readHostArguments, wishOf } from "./wish/wish";

/** DockerHost: Docker at a pinned version, configured, held, and verified to be what runs. */
export const dockerHostHandler: Handler = {
  async check(olds, news, context) {
    const fields = new Fields(news);
    const { connection, wish } = readHostArguments(fields);
    if (wish !== undefined) await checkSource(fields, wish.source);
    const isKnown = connection !== undefined && !hasUnknown(addressOf(news.connection));
    const targets = isKnown ? [targetOf(connection)] : UNKNOWN;
    const isNew = Object.keys(olds).length === 0;
    if (isNew && fields.failures.length === 0 && !context.isApplying) await foretellCreate(news, context);
    return { inputs: { ...news, targets }, failures: fields.failures };
  },

  async diff(_id, olds, news, context) {
    const result = diffHost(olds, news, context);
    // the update itself looks, and refuses before anything is touched
    if (context.isApplying || result.replaces !== undefined) return result;
    // what it would come to helps to decide whether to allow it
    const outlook = await foretellUpdate(olds, news, context);
    const refusal = refusalAhead(refusalByState(olds, news), outlook);
    if (refusal !== undefined) throw refusal;
    return result;
  },

  async create(inputs, context) {
    const { connection, wish } = parsed(inputs);
    const id = targetOf(connection);
    const outputs = await amidOthers(context.urn, () =>
      onHost(connection, {}, context, (session) =>
        converge({ id, session, connection, wish, inputs, former: undefined, context }),
      ),
    );
    claims.claim(context.urn, claimedBy(outputs, wish.abandonUnreachable));
    return { id, outputs };
  },

  async update(id, olds, news, context) {
    const { connection, wish } = parsed(news);
    const way = await reconnect(olds, [connection], wish, context);
    if (way !== undefined && isSameOnHost(olds, news)) {
      const untouched = await reconnected({ way, olds, news, connection, wish }, context);
      if (untouched !== undefined) return untouched;
    }
    const isNew = way === undefined;
    if (isNew) context.log.keep(`${targetOf(connection)} is another machine than the one before`);
    if (way?.kind === "moved") context.log.keep(way.line);
    const outputs = await amidOthers(context.urn, () =>
      onHost(connection, olds, context, (session) =>
        converge({
          ...{ id, session, connection, wish, inputs: news, context },
          former: isNew ? undefined : formerWish(olds),
          ...(isNew ? {} : { olds }),
        }),
      ),
    );
    claims.claim(context.urn, claimedBy(outputs, wish.abandonUnreachable));
    return outputs;
  },

  async read(id, outputs, context) {
    const { connection, wish } = parsed(outputs);
    const former = formerWish(outputs);
    return onHost(connection, outputs, context, async (session) => {
      const seen = await lookAt({ session, connection, wish, inputs: outputs, former, context });
      return { id, outputs: withApplied(seen, former ?? {}) };
    });
  },

  async delete(_id, outputs, context) {
    const { connection, wish } = parsed(outputs);
    if (!wish.uninstallOnDelete) return;
    const reach = (use: (session: HostSession) => Promise<void>): Promise<void> =>
      onHost(connection, outputs, context, use);
    await leaveMachine({ outputs, connection, wish, reach }, context);
  },
};

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
