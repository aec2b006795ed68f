import { memoryFile, readMemory, writeMemory } from "./memory-file";
import { isObject } from "../values";
import { userCache } from "./user-cache";

/**
 * What earlier runs sent of a context to a host: what of it the host has, probably. A guess, as others may have tidied there: the
 * host is asked in any case.
 */
export interface SentMemory {
  /** True where nothing is known. */
  readonly isEmpty: boolean;
  /** Whether an object with this digest was sent, or found there. */
  has(digest: string): boolean;
  /** Remembers that it has these, for the next run. */
  save(objects: readonly { readonly digest: string }[], nowMs: number): void;
}

const VERSION = 1;
/** Of a digest: enough for a guess. */
const CHARACTERS = 12;

/** What is remembered of this host and context, in the user's cache folder. */
export function openSentMemory(key: readonly (string | undefined)[], folder = userCache("sent")): SentMemory {
  const file = memoryFile(folder, key);
  const memory = readMemory(file);
  const isOurs = isObject(memory) && memory.version === VERSION && Array.isArray(memory.digests);
  const known = new Set<unknown>(isOurs ? (memory.digests as readonly unknown[]) : []);
  return {
    isEmpty: known.size === 0,
    has: (digest) => known.has(digest.slice(0, CHARACTERS)),
    save: (objects, nowMs) => {
      const heads = new Set(objects.map(({ digest }) => digest.slice(0, CHARACTERS)));
      writeMemory(file, { version: VERSION, digests: [...heads] }, nowMs);
    },
  };
}
