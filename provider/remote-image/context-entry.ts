import { type BigIntStats, lstatSync, readlinkSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { SlipwayError, messageOf } from "../errors";

/** One thing that the build sees; `path` is relative to the context, with slashes on every system. */
export type ContextEntry = ContextFile | ContextFolder | ContextLink;

export interface ContextFile {
  readonly kind: "file";
  readonly path: string;
  /** Absolute: where it is read from. */
  readonly source: string;
  readonly size: number;
  /** All twelve permission bits: they are the file's in the image, and Docker's own cache goes by them. */
  readonly mode: number;
  readonly stamp: FileStamp;
}

export interface ContextFolder {
  readonly kind: "folder";
  readonly path: string;
  readonly mode: number;
}

export interface ContextLink {
  readonly kind: "link";
  readonly path: string;
  readonly target: string;
}

/** By what one sees that a file is another one than before. */
export interface FileStamp {
  /** Size, times in nanoseconds and inode. */
  readonly text: string;
  /** When content or metadata changed last, by the file system's clock; milliseconds of the calendar. */
  readonly changedAtMs: number;
}

/** The names in a folder of the context. @throws SlipwayError context-changed, invalid-input */
export async function listFolder(folder: string, below: string): Promise<readonly string[]> {
  try {
    return await readdir(path.join(folder, below));
  } catch (error) {
    throw unreadable(below === "" ? folder : below, error);
  }
}

/**
 * What stands at a path of the context; undefined when nothing does. What no image can hold is refused by its name, or is
 * as if it was not there where it is `ignored`. Not asynchronous: a context has thousands of these, and each takes microseconds.
 * @throws SlipwayError invalid-input, context-changed
 */
export function inspectEntry(folder: string, relative: string, ignored = false): ContextEntry | undefined {
  const source = path.join(folder, relative);
  try {
    const found = lstatSync(source, { bigint: true, throwIfNoEntry: false });
    if (found === undefined) return gone(relative);
    if (found.isDirectory()) return { kind: "folder", path: relative, mode: modeOf(found) };
    if (found.isSymbolicLink()) {
      return { kind: "link", path: relative, target: readlinkSync(source).replaceAll(path.sep, "/") };
    }
    if (found.isFile()) {
      const size = Number(found.size);
      return { kind: "file", path: relative, source, size, mode: modeOf(found), stamp: stampOf(found) };
    }
    if (ignored) return undefined;
    throw refused(relative, `is ${specialKind(found)}, which no image can hold`);
  } catch (error) {
    throw unreadable(relative, error);
  }
}

/** See {@link FileStamp}. */
export function stampOf(found: BigIntStats): FileStamp {
  const { size, mtimeNs, ctimeNs, ino } = found;
  const latest = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  return { text: [size, mtimeNs, ctimeNs, ino].join(" "), changedAtMs: Number(latest / 1_000_000n) };
}

/** A path as it may stand in a message: on one line, and without control sequences. */
export function shownPath(relative: string): string {
  return /[\p{Cc}\p{Cf}\u2028\u2029]/u.test(relative) ? JSON.stringify(relative) : relative;
}

/** The error for a file that is not any more what it was. `how` goes on the sentence: "vanished". */
export function changedWhileRead(relative: string, how: string, cause?: unknown): SlipwayError {
  return new SlipwayError({
    code: "context-changed",
    what: "reading the build context",
    why: `${shownPath(relative)} ${how} while it was read`,
    left: "Nothing was built",
    next: "Run it again when nothing writes into the folder, or leave the file out by .dockerignore",
    cause,
  });
}

/** The error of a failed look at, or into, what stands at a path. */
export function unreadable(relative: string, error: unknown): SlipwayError {
  if (error instanceof SlipwayError) return error;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") return changedWhileRead(relative, "vanished", error);
  if (code === "ELOOP") return changedWhileRead(relative, "became a link", error);
  return refused(relative, `cannot be read (${typeof code === "string" ? code : messageOf(error)})`, error);
}

/** A name that was just listed: gone, or one that is no UTF-8 and cannot be asked for. */
function gone(relative: string): undefined {
  if (relative.includes("\ufffd")) throw refused(relative, "has a name that is not UTF-8");
  return undefined;
}

function modeOf(found: BigIntStats): number {
  // Windows has no such bits; there Docker's own client, too, says that all may be executed
  return process.platform === "win32" ? 0o755 : Number(found.mode & 0o7777n);
}

function specialKind(found: BigIntStats): string {
  if (found.isSocket()) return "a socket";
  if (found.isFIFO()) return "a named pipe";
  return "a device";
}

function refused(relative: string, why: string, cause?: unknown): SlipwayError {
  return new SlipwayError({
    code: "invalid-input",
    what: "reading the build context",
    why: `${shownPath(relative)} ${why}`,
    next: "Leave it out by .dockerignore, or take it away",
    cause,
  });
}
