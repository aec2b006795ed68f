import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { isObject } from "../values";
import type { BuildContext } from "./context";
import type { ContextFile } from "./context-entry";
import type { ContentDigests } from "./context-hash";
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
/** A context that nobody read for so long is forgotten. */
const KEPT_MS = 30 * 24 * 3_600_000;

/** The memory of a context, in the user's cache folder; empty where there is none, or it cannot be read. */
export function openDigestMemory(context: BuildContext, folder = userCache("contexts")): DigestMemory {
  const key = createHash("sha256").update(JSON.stringify([context.folder, context.dockerfile]));
  const file = path.join(folder, `${key.digest("hex").slice(0, 32)}.json`);
  const isWorthIt = context.entries.length >= LEAST_FILES || context.bytes >= LEAST_BYTES;
  const known = isWorthIt ? readMemory(file) : new Map<string, Known>();
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

function readMemory(file: string): Map<string, Known> {
  try {
    const memory = JSON.parse(readFileSync(file, "utf8")) as unknown;
    if (!isObject(memory) || memory.version !== VERSION || !Array.isArray(memory.files)) return new Map();
    return new Map(memory.files.filter(isKnown).map((known) => [known[0], known]));
  } catch {
    return new Map(); // none yet, or none that can be read: everything is read anew
  }
}

function isKnown(value: unknown): value is Known {
  return Array.isArray(value) && value.length === 3 && value.every((each) => typeof each === "string");
}

/** The user's alone: names and digests tell what is in the files. Without it the next run reads everything anew. */
function writeMemory(file: string, memory: unknown, nowMs: number): void {
  const folder = path.dirname(file);
  const fresh = `${file}.${randomBytes(4).toString("hex")}`;
  const isWritten = ignoringErrors(() => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(fresh, JSON.stringify(memory), { mode: 0o600 });
    renameSync(fresh, file);
  });
  if (!isWritten) ignoringErrors(() => rmSync(fresh, { force: true }));
  ignoringErrors(() => {
    for (const name of readdirSync(folder)) {
      const other = path.join(folder, name);
      if (statSync(other).mtimeMs + KEPT_MS < nowMs) rmSync(other, { force: true });
    }
  });
}

/** No folder, a full disk, another run that tidies at the same time: a memory is worth no failure. */
function ignoringErrors(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}
