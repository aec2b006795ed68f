import { type Socket, connect } from "node:net";
import { throughBastion } from "./bastion";
import { targetOf } from "./connection";
import { type DialContext, withinDialTime } from "./dial-context";
import { type LoginAttempt, logIn } from "./log-in";
import { orAborted } from "./or-aborted";
import type { Transport } from "./transport";

/** A connection that somebody is logged in on. */
export interface Dialled {
  readonly transport: Transport;
  /** The socket below; undefined through a bastion: then it is the bastion's. */
  readonly socket: Socket | undefined;
}

/**
 * Connects and logs in, once, within the time for one dial.
 * @throws AttemptFailed, SlipwayError authentication-failed, host-key-…, forwarding-refused
 */
export async function attemptLogin(attempt: LoginAttempt, context: DialContext): Promise<Dialled> {
  context.signal.throwIfAborted();
  const { bastion, connection } = attempt;
  return withinDialTime(connection, context.signal, async (ended) => {
    if (bastion === undefined) {
      const { host, port = 22 } = connection;
      const socket = connect({ host, port, noDelay: true });
      return { transport: await logIn(attempt, socket, ended, context), socket };
    }
    const opening = throughBastion(bastion, connection);
    try {
      const channel = await orAborted(opening, ended);
      return { transport: await logIn(attempt, channel, ended, context), socket: undefined };
    } catch (error) {
      // it may still be opened when nobody waits for it any more
      opening.then(
        (channel) => channel.destroy(),
        () => context.log.debug(`ssh ${targetOf(connection)}: no way through ${bastion.target}`),
      );
      throw error;
    }
  });
}
