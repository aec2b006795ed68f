import type { Duplex } from "node:stream";
import { SlipwayError, isSlipwayError, messageOf } from "../../errors";
import { AttemptFailed } from "./attempt-failed";
import { ChannelRefused, REFUSAL } from "../channel-refused";
import { type Connection, targetOf } from "../connection";
import type { Transport } from "./transport";

/**
 * A stream to the machine's sshd through the bastion.
 * @throws AttemptFailed when the bastion cannot reach it, or cannot try; SlipwayError forwarding-refused when it does not
 * want to
 */
export async function throughBastion(bastion: Transport, connection: Connection): Promise<Duplex> {
  try {
    return await bastion.forward(connection.host, connection.port ?? 22);
  } catch (error) {
    if (!(error instanceof ChannelRefused)) throw bastionLost(bastion, error);
    if (error.reason !== REFUSAL.prohibited) {
      const why = `the bastion ${bastion.target} cannot reach it: ${error.words}`;
      // whatever else stood in its way was its own
      throw new AttemptFailed(
        error.reason === REFUSAL.connectFailed ? "transport" : "on-the-way",
        why,
        error,
      );
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
    "on-the-way",
    `the bastion ${bastion.target} was lost: ${messageOf(reason)}`,
    reason,
  );
}

/** What went wrong on the way to a machine, said of the machine that was wanted: whether that one answers is not known. */
export function onTheWayTo(connection: Connection, error: SlipwayError): SlipwayError {
  const target = targetOf(connection);
  const parts = { ...error.parts, what: `on the way to ${target}, ${error.parts.what}` };
  if (!isSlipwayError(error, "dial-failed")) return new SlipwayError(parts);
  return new SlipwayError({
    ...parts,
    left: `Nothing was learned of ${target} itself`,
    cause: new AttemptFailed("on-the-way", error.message, error),
  });
}
