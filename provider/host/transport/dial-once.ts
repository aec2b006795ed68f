import { type Socket, connect } from "node:net";
import { throughBastion } from "./bastion";
import { type DialContext, withinDialTime } from "./dial-context";
import { gatherWrites } from "./gather-writes";
import { logIn } from "../login/log-in";
import type { LoginAttempt } from "../login/login-attempt";
import { streamOrAborted } from "../../or-aborted";
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
export async function dialOnce(attempt: LoginAttempt, context: DialContext): Promise<Dialled> {
  context.signal.throwIfAborted();
  const { bastion, connection } = attempt;
  return withinDialTime(connection, context.signal, async (ended) => {
    if (bastion === undefined) {
      const { host, port = 22 } = connection;
      const socket = gatherWrites(connect({ host, port, noDelay: true }));
      return { transport: await logIn(attempt, socket, ended, context), socket };
    }
    const channel = await streamOrAborted(throughBastion(bastion, connection), ended);
    return { transport: await logIn(attempt, channel, ended, context), socket: undefined };
  });
}
