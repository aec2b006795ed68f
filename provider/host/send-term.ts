import type { ClientChannel } from "ssh2";

/** The parts of ssh2's channel that its `signal` uses. */
interface ChannelParts {
  readonly outgoing: { readonly id: number; readonly state: "open" | "eof" | "closing" | "closed" };
  readonly _client: { readonly _protocol: { signal(channel: number, name: string): void } };
}

/**
 * Has the server send SIGTERM to the command's process group. The channel's own `signal` says nothing once standard input
 * has ended, which is soon, while RFC 4254 allows it until the close.
 */
export function sendTerm(channel: ClientChannel): void {
  const { outgoing, _client } = channel as unknown as ChannelParts;
  if (outgoing.state === "open" || outgoing.state === "eof") _client._protocol.signal(outgoing.id, "TERM");
}
