import { isObject } from "../values";
import type { BuildContext } from "./context";
import type { ContextFile } from "./context-entry";
import type { ContentDigests } from "./context-hash";
import { memoryFile, readMemory, writeMemory } from "./memory-file";
import { userCache } from "./user-cache";

/** What an earlier run read of a context's files, by path and stamp. */
export interface DigestMemory {
  /** The digest of a file that has not changed since; undefined when it has to be read. */
  recall(file: ContextFile): string | undefined;
  /** Notes when a file's reading began, milliseconds of the calendar. */
  reading(file: ContextFile, atMs: number): void;
  /** Remembers what was read, for the next run. */
  save(context: BuildContext, digests: ContentDigests, nowMs: number): void;
}

const VERSION = 1;
/** A smaller context is hashed faster than a memory of it is read. */
const LEAST_FILES = 100;
const LEAST_BYTES = 4_000_000;
/**
 * A file that changed so shortly before it was read may change once more without its times showing it: file systems count in
 * steps of up to two seconds. It is read again the next time.
 */
const SETTLED_MS = 2_500;

/** The memory of a context, in the user's cache folder; empty where there is none, or it cannot be read. */
export function openDigestMemory(context: BuildContext, folder = userCache("contexts")): DigestMemory {
  const file = memoryFile(folder, [context.folder, context.dockerfile]);
  const isWorthIt = context.entries.length >= LEAST_FILES || context.bytes >= LEAST_BYTES;
  const known = isWorthIt ? knownIn(file) : new Map<string, Known>();
  const readAt = new Map<string, number>();
  return {
    recall(entry) {
      const found = known.get(entry.path);
      return found?.[1] === entry.stamp.text ? found[2] : undefined;
    },
    reading(entry, atMs) {
      readAt.set(entry.path, atMs);
    },
    save({ entries }, digests, nowMs) {
      if (!isWorthIt || readAt.size === 0) return;
      const files: Known[] = [];
      for (const entry of entries) {
        const digest = digests.get(entry.path);
        if (entry.kind !== "file" || digest === undefined) continue;
        const at = readAt.get(entry.path);
        const isSettled = at === undefined || entry.stamp.changedAtMs + SETTLED_MS < at;
        if (isSettled) files.push([entry.path, entry.stamp.text, digest]);
      }
      writeMemory(file, { version: VERSION, files }, nowMs);
    },
  };
}

/** Path, stamp and digest. */
type Known = readonly [string, string, string];

function knownIn(file: string): Map<string, Known> {
  const memory = readMemory(file);
  if (!isObject(memory) || memory.version !== VERSION || !Array.isArray(memory.files)) return new Map();
  return new Map(memory.files.filter(isKnown).map((known) => [known[0], known]));
}

function isKnown(value: unknown): value is Known {
  return Array.isArray(value) && value.length === 3 && value.every((each) => typeof each === "string");
}
