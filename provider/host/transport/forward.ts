import type { ClientChannel } from "ssh2";
import { SlipwayError } from "../../errors";
import { ChannelRefused, REFUSAL } from "../channel-refused";
import type { Transport } from "./transport";

/**
 * A stream to an address as the machine sees it.
 * @throws SlipwayError forwarding-refused (its cause holds the server's reason code), connection-lost
 */
export async function forwardFrom(
  transport: Transport,
  address: string,
  port: number,
): Promise<ClientChannel> {
  try {
    return await transport.forward(address, port);
  } catch (error) {
    if (!(error instanceof ChannelRefused)) throw error;
    const { words } = error;
    const nobody = error.reason === REFUSAL.connectFailed; // it tried; every other reason is its own
    throw new SlipwayError({
      code: "forwarding-refused",
      what: `forwarding to ${address}:${port}`,
      host: transport.target,
      why: nobody ? `nobody answers there (${words})` : `the server refuses to forward (${words})`,
      next: nobody
        ? undefined
        : "Allow it in its sshd_config: AllowTcpForwarding yes, and PermitOpen when it is set",
      cause: error,
    });
  }
}
