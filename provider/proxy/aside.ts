import { formatDuration } from "../duration";
import { isSlipwayError, messageOf } from "../errors";
import type { Log } from "../log";
import { ASIDE_SCRIPT, BACK_SCRIPT } from "./aside-script";
import type { ProxyHost } from "./change";
import { DRAIN_TIMEOUT_MS } from "./route";

/** A container of ours that is to be restarted. */
export interface Sidestepper {
  readonly service: string;
  readonly id: string;
  /** For messages. */
  readonly name: string;
}

/** A container that gets no new requests for a while. */
export interface Aside {
  /** Gives it requests again, as soon as its proxies know where it is now. */
  end(): Promise<void>;
}

/** Locks of the routes, an engine that is slow, an address that is waited for. */
const SLACK_MS = 150_000;
const NOWHERE: Aside = { end: () => Promise.resolve() };

/**
 * Takes a container out of the way of requests in every EdgeProxy of its machine where another one of its service serves, too,
 * and lets what it has open end, 30 s at most; where it serves alone nothing is done. It is back with `end`, and when our
 * connection or this process ends before that.
 */
export async function setAside(
  host: ProxyHost & { readonly log: Log },
  { service, id, name }: Sidestepper,
): Promise<Aside> {
  const { session, signal, log } = host;
  const { sessionProcess } = await session.facts({ signal });
  const places: string[] = [];
  let keeper = "";
  const onLine = (line: string): void => {
    const [, word, rest = ""] = /^(aside|kept) (.+)$/.exec(line) ?? [];
    if (word === "kept") keeper = rest;
    if (word !== "aside") return;
    places.push(rest);
    const limit = formatDuration(DRAIN_TIMEOUT_MS);
    log.progress(`${name}: gets no new requests; what it has open may end, ${limit} at most`);
  };
  const end = async (): Promise<void> => {
    if (places.length === 0) return;
    const args = [id, places.join("\n"), ...keeper.split(" ")];
    try {
      await session.script(BACK_SCRIPT, args, { sudo: true, timeoutMs: SLACK_MS });
    } catch (error) {
      log.debug(`${name} is behind its routes again when the connection ends: ${messageOf(error)}`);
    }
  };
  const args = [service, id, String(DRAIN_TIMEOUT_MS / 1_000), ...sessionProcess.split(" ")];
  const timeoutMs = DRAIN_TIMEOUT_MS + SLACK_MS;
  try {
    await session.script(ASIDE_SCRIPT, args, { sudo: true, timeoutMs, signal, onLine });
  } catch (error) {
    await end();
    signal.throwIfAborted();
    // who is not root there, and may not be, has no proxy of ours there either
    if (isSlipwayError(error, "sudo-unavailable")) return NOWHERE;
    throw error;
  }
  return { end };
}
