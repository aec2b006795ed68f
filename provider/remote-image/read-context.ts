import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { type BuildContext, type ContextOptions, openContext } from "./context";
import { type ContextFile, changedWhileRead, stampOf, unreadable } from "./context-entry";
import { type ContentDigests, contextHash } from "./context-hash";
import { type DigestMemory, openDigestMemory } from "./digest-memory";
import { turnsUntil } from "./turns";

/** A build context whose files have been read. */
export interface ReadContext extends BuildContext {
  readonly digests: ContentDigests;
  /** 64 hex digits; see `contextHash`. */
  readonly hash: string;
}

/** What to read, and where to remember it. */
export interface ReadOptions extends ContextOptions {
  /** The calendar's milliseconds. */
  readonly wall: () => number;
  /** Where digests are remembered between runs. @default the user's cache folder */
  readonly memoryFolder?: string;
}

/** How much is read in one go, and held in memory. */
const PIECE_BYTES = 1 << 20;

/**
 * Lists a context and hashes its files. What did not change since an earlier run is not read again.
 * @throws SlipwayError as `openContext`, and context-changed with the name of a file that somebody writes
 */
export async function readContext(options: ReadOptions): Promise<ReadContext> {
  const context = await openContext(options);
  const memory = openDigestMemory(context, options.memoryFolder);
  const digests = await digestFiles(context, memory, options);
  memory.save(context, digests, options.wall());
  return { ...context, digests, hash: contextHash(context, digests) };
}

async function digestFiles(
  { entries }: BuildContext,
  memory: DigestMemory,
  { signal, wall }: ReadOptions,
): Promise<ContentDigests> {
  const digests = new Map<string, string>();
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  const giveTurn = turnsUntil(signal);
  for (const entry of entries) {
    if (entry.kind !== "file") continue;
    const known = memory.recall(entry);
    if (known !== undefined) {
      digests.set(entry.path, known);
      continue;
    }
    memory.reading(entry, wall());
    const hash = createHash("sha256");
    for (const piece of pieces(entry, buffer)) {
      hash.update(piece);
      await giveTurn(piece.length);
    }
    digests.set(entry.path, hash.digest("hex"));
  }
  return digests;
}

/**
 * A file's bytes, in the given buffer each time. Read without promises: a context has thousands of files, and each takes
 * microseconds.
 * @throws SlipwayError context-changed when it is not what was listed, before or after
 */
export function* pieces(file: ContextFile, buffer: Buffer): Generator<Buffer> {
  // what stands there now may be a link, or a pipe that nobody writes into; Windows has neither flag, and none is 0
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let handle: number;
  try {
    handle = openSync(file.source, flags);
  } catch (error) {
    throw unreadable(file.path, error);
  }
  try {
    mustBeSame(file, handle);
    for (let left = file.size; left > 0; ) {
      const length = readSync(handle, buffer, 0, Math.min(left, buffer.length), null);
      if (length === 0) throw changedWhileRead(file.path, "shrank");
      left -= length;
      yield buffer.subarray(0, length);
    }
    mustBeSame(file, handle);
  } catch (error) {
    throw unreadable(file.path, error);
  } finally {
    closeSync(handle);
  }
}

function mustBeSame(file: ContextFile, handle: number): void {
  const now = stampOf(fstatSync(handle, { bigint: true }));
  if (now.text !== file.stamp.text) throw changedWhileRead(file.path, "changed");
}
