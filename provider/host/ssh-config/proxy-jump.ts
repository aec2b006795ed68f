import { ConfigMistake } from "./ssh-config-file";

/** One machine on the way, by alias or address. */
export interface Jump {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

/**
 * Reads a ProxyJump value: `[user@]host[:port]` or `ssh://[user@]host[:port]`, several separated by commas, the one
 * reached first coming first.
 * @throws ConfigMistake for what is none
 */
export function parseJumps(text: string): readonly Jump[] {
  return text.split(",").map((part) => parseJump(part.trim()));
}

function parseJump(text: string): Jump {
  const bare = text.replace(/^ssh:\/\//i, "").replace(/\/$/, "");
  const at = bare.lastIndexOf("@");
  const user = at < 0 ? undefined : bare.slice(0, at);
  const [, bracketed, plain, digits] =
    /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(bare.slice(at + 1)) ?? [];
  const host = bracketed ?? plain;
  const port = digits === undefined ? undefined : Number(digits);
  if (host === undefined || user === "" || (port !== undefined && (port < 1 || port > 65_535))) {
    throw new ConfigMistake(`ProxyJump "${text.slice(0, 60)}" is not [user@]host[:port]`);
  }
  return { host, ...(user !== undefined && { user }), ...(port !== undefined && { port }) };
}
