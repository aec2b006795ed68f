import type { ClientChannel } from "ssh2";
import { SlipwayError } from "../errors";
import { stripControl, tail } from "../secret";
import { ChannelRefused, type Transport } from "./transport";

/** RFC 4254, 5.1: the server tried to connect, and could not. Every other reason is its own. */
const CONNECT_FAILED = 2;

/**
 * A stream to an address as the machine sees it.
 * @throws SlipwayError forwarding-refused (its cause's cause holds the server's reason code), connection-lost
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
    const words = tail(stripControl(error.message.replace(/^\(SSH\) Channel open failure: /, "")));
    const nobody = (error.cause as { readonly reason?: unknown }).reason === CONNECT_FAILED;
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
