import path from "node:path";
import type { HostSession } from "../../provider/host/session";
import { silentLog } from "../../provider/log";
import {
  askStore,
  fillStore,
  type StoredContext,
  type StoreOptions,
} from "../../provider/remote-image/context-store";
import type { TarPiece } from "../../provider/remote-image/context-tar";
import { openSentMemory } from "../../provider/remote-image/sent-memory";

/** Options for storing a context with nobody looking on; what was sent is remembered beside the host's own home folder. */
export function storeOptions(home: string): StoreOptions {
  return {
    log: silentLog,
    memory: openSentMemory(["the host"], path.join(home, "memory")),
    random: Math.random,
    wall: Date.now,
    timeoutMs: 60_000,
    signal: AbortSignal.timeout(60_000),
  };
}

/** Asks, and sends what is missing, as a build does; undefined where there can be no store. */
export async function storeContext(
  session: HostSession,
  pieces: readonly TarPiece[],
  home: string,
): Promise<StoredContext | undefined> {
  const options = storeOptions(home);
  const answer = await askStore(session, pieces, options);
  return answer && fillStore(session, pieces, answer, options);
}
