import type { Duplex } from "node:stream";
import { SlipwayError, messageOf } from "../errors";
import { AttemptFailed } from "./attempt-failed";
import { ChannelRefused, REFUSAL } from "./channel-refused";
import { type Connection, targetOf } from "./connection";
import type { Transport } from "./transport";

/**
 * A stream to the machine's sshd through the bastion.
 * @throws AttemptFailed when the bastion cannot reach it, SlipwayError forwarding-refused when it does not want to
 */
export async function throughBastion(bastion: Transport, connection: Connection): Promise<Duplex> {
  try {
    return await bastion.forward(connection.host, connection.port ?? 22);
  } catch (error) {
    if (!(error instanceof ChannelRefused)) throw bastionLost(bastion, error);
    if (error.reason !== REFUSAL.prohibited) {
      const why = `the bastion ${bastion.target} cannot reach it: ${error.words}`;
      throw new AttemptFailed("transport", why, error);
    }
    throw new SlipwayError({
      code: "forwarding-refused",
      what: "reaching sshd",
      host: targetOf(connection),
      why: `the bastion ${bastion.target} refuses to forward connections (${error.words})`,
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
