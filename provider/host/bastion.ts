import type { Duplex } from "node:stream";
import { SlipwayError, messageOf } from "../errors";
import { stripControl, tail } from "../secret";
import { AttemptFailed } from "./attempt-failed";
import { type Connection, targetOf } from "./connection";
import { ChannelRefused, type Transport } from "./transport";

/** The reason code of a bastion that may not, or does not want to forward. */
const PROHIBITED = 1;

/**
 * A stream to the machine's sshd through the bastion.
 * @throws AttemptFailed when the bastion cannot reach it, SlipwayError forwarding-refused when it does not want to
 */
export async function throughBastion(bastion: Transport, connection: Connection): Promise<Duplex> {
  try {
    return await bastion.forward(connection.host, connection.port ?? 22);
  } catch (error) {
    if (!(error instanceof ChannelRefused)) throw bastionLost(bastion, error);
    const words = tail(stripControl(error.message.replace(/^\(SSH\) Channel open failure: /, "")));
    if ((error.cause as { readonly reason?: unknown }).reason !== PROHIBITED) {
      throw new AttemptFailed("transport", `the bastion ${bastion.target} cannot reach it: ${words}`, error);
    }
    throw new SlipwayError({
      code: "forwarding-refused",
      what: "reaching sshd",
      host: targetOf(connection),
      why: `the bastion ${bastion.target} refuses to forward connections (${words})`,
      next: "Allow it in the bastion's sshd_config: AllowTcpForwarding yes, and PermitOpen when it is set",
      cause: error,
    });
  }
}

/** Why a connection through a bastion is gone when the bastion's own is. */
export function bastionLost(bastion: Transport, cause: unknown): AttemptFailed {
  const reason: unknown = bastion.closed.reason ?? cause;
  return new AttemptFailed(
    "transport",
    `the bastion ${bastion.target} was lost: ${messageOf(reason)}`,
    reason,
  );
}

/** What went wrong on the way to a machine, said of the machine that was wanted. */
export function onTheWayTo(connection: Connection, error: SlipwayError): SlipwayError {
  return new SlipwayError({
    ...error.parts,
    what: `on the way to ${targetOf(connection)}, ${error.parts.what}`,
  });
}
