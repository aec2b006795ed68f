import type { HandlerContext, Properties } from "../handler";
import type { Connection } from "../host/connection";
import type { Reconnection } from "../host/machine/reconnect";
import { claimedBy } from "./fleet/claimed-by";
import { claims } from "./fleet/claims";
import { lookAt } from "./converge";
import { onHost } from "./look/on-host";
import { underArguments } from "./wish/same-on-host";
import type { EngineWish } from "./wish/wish";

/** The same wish for the same machine, reached in another way. */
export interface AnotherWay {
  readonly way: Reconnection;
  readonly olds: Properties;
  readonly news: Properties;
  readonly connection: Connection;
  readonly wish: EngineWish;
}

/**
 * The outputs of a machine that needs nothing. Undefined when one that moved is not as it was: a machine-id can be copied
 * with a disk.
 */
export async function reconnected(
  { way, olds, news, connection, wish }: AnotherWay,
  context: HandlerContext,
): Promise<Properties | undefined> {
  const { kind, line, hostKeys, machineIds } = way;
  if (kind === "kept") return underArguments(olds, news);
  const seen =
    kind === "reconnected"
      ? { ...underArguments(olds, news), hostKeys, machineIds }
      : await onHost(connection, {}, context, (session) =>
          lookAt({ session, connection, wish, inputs: news, former: wish, context }),
        );
  if (Array.isArray(seen.drift) && seen.drift.length > 0) return undefined;
  context.log.keep(`${line}, nothing touched`);
  claims.claim(context.urn, claimedBy(seen, wish.abandonUnreachable));
  return seen;
}
