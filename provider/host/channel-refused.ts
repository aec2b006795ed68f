import { stripControl, tail } from "../secret";

/** What a server says why it opens no channel (RFC 4254, 5.1). */
export const REFUSAL = { prohibited: 1, connectFailed: 2, unknownType: 3, shortage: 4 } as const;

const OF_SSH2 = "(SSH) Channel open failure: ";

/** The server refused to open a channel, or the kind of channel; the connection itself is well. */
export class ChannelRefused extends Error {
  /** The server's own words, fit to be shown. */
  readonly words: string;
  /** One of {@link REFUSAL}, or another number of the server's. */
  readonly reason: unknown;

  constructor(error: Error & { readonly reason?: unknown }) {
    const words = tail(stripControl(error.message.replace(OF_SSH2, "")));
    super(`${error.message.startsWith(OF_SSH2) ? OF_SSH2 : ""}${words}`, { cause: error });
    this.name = "ChannelRefused";
    this.words = words;
    this.reason = error.reason;
  }
}
