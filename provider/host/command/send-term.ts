import type { ClientChannel } from "ssh2";
import { isObject } from "../../values";

/**
 * Has the server send SIGTERM to the command's process group. The channel's own `signal` says nothing once standard input
 * has ended, which is soon, while RFC 4254 allows it until the close: so it is sent by what lies below, which is no part of
 * ssh2's interface. Where that looks otherwise, the channel's own has to do.
 */
export function sendTerm(channel: ClientChannel): void {
  const below = signallerOf(channel);
  if (below === undefined) channel.signal("TERM");
  else if (below.state === "open" || below.state === "eof") below.signal(below.id, "TERM");
}

interface Signaller {
  readonly id: number;
  readonly state: unknown;
  readonly signal: (channel: number, name: string) => void;
}

function signallerOf(channel: unknown): Signaller | undefined {
  if (!isObject(channel) || !isObject(channel.outgoing) || !isObject(channel._client)) return undefined;
  const { id, state } = channel.outgoing;
  const protocol = channel._client._protocol;
  if (typeof id !== "number" || !isObject(protocol) || typeof protocol.signal !== "function")
    return undefined;
  return { id, state, signal: protocol.signal.bind(protocol) as Signaller["signal"] };
}
