import { type Dirent } from "node:fs";
import { lstat, readFile, readdir, readlink, stat } from "node:fs/promises";
import path from "node:path";
import { SlipwayError, messageOf } from "../errors";
import { type IgnoreRules, parseIgnoreRules } from "./ignore-rules";

/** One thing that the build sees; `path` is relative to the context, with slashes on every system. */
export type ContextEntry =
  | { readonly kind: "file"; readonly path: string; readonly size: number; readonly executable: boolean }
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

/** A local build context, listed but not read. */
export interface BuildContext {
  /** Absolute. */
  readonly folder: string;
  /** Sorted by path. */
  readonly entries: readonly ContextEntry[];
  /** Bytes of the files. */
  readonly bytes: number;
}

/** What to list. `dockerfile` is relative to the folder; undefined when its text is given in the program. */
export interface ContextOptions {
  readonly folder: string;
  readonly dockerfile: string | undefined;
}

/** True for what `docker build` would take from git or the web: `https://…`, `git@…`, `github.com/…`. */
export function isRemoteContext(context: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/)/i.test(context);
}

/**
 * Lists what the build sees: the folder without what `<Dockerfile>.dockerignore`, else `.dockerignore` leaves out. The
 * Dockerfile and `.dockerignore` themselves are always in. Sockets, pipes and devices are left out.
 * @throws SlipwayError context-missing, dockerfile-missing, invalid-input (a wrong ignore pattern)
 */
export async function openContext(options: ContextOptions): Promise<BuildContext> {
  const folder = path.resolve(options.folder);
  if (!(await isKind(folder, "folder"))) throw missing("context-missing", `there is no folder ${folder}`);
  const { dockerfile } = options;
  if (dockerfile !== undefined && !(await isKind(path.join(folder, dockerfile), "file"))) {
    throw missing("dockerfile-missing", `there is no file ${dockerfile} in ${folder}`);
  }
  const rules = await ignoreRules(folder, dockerfile);
  const entries: ContextEntry[] = [];
  await walk(folder, "", rules, entries);
  const listed = new Set(entries.map((entry) => entry.path));
  for (const name of [dockerfile, ".dockerignore"]) {
    const relative = name === undefined ? undefined : path.posix.normalize(name.replaceAll(path.sep, "/"));
    if (relative === undefined || listed.has(relative)) continue;
    const entry = await entryOf(folder, relative);
    if (entry !== undefined) entries.push(entry);
  }
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  const bytes = entries.reduce((sum, entry) => sum + (entry.kind === "file" ? entry.size : 0), 0);
  return { folder, entries, bytes };
}

async function walk(
  folder: string,
  below: string,
  rules: IgnoreRules,
  entries: ContextEntry[],
): Promise<void> {
  const found: Dirent[] = await readdir(path.join(folder, below), { withFileTypes: true });
  for (const { name } of found) {
    const relative = below === "" ? name : `${below}/${name}`;
    const ignored = rules.ignores(relative);
    if (ignored && !rules.hasExceptions) continue;
    const entry = await entryOf(folder, relative);
    if (entry === undefined) continue;
    if (!ignored) entries.push(entry);
    if (entry.kind === "folder") await walk(folder, relative, rules, entries);
  }
}

/** Undefined for what is gone, and for sockets, pipes and devices. */
async function entryOf(folder: string, relative: string): Promise<ContextEntry | undefined> {
  const absolute = path.join(folder, relative);
  const found = await lstat(absolute).catch(undefinedWhenMissing);
  if (found?.isDirectory()) return { kind: "folder", path: relative };
  if (found?.isSymbolicLink()) {
    const target = await readlink(absolute);
    return { kind: "link", path: relative, target: target.replaceAll(path.sep, "/") };
  }
  if (!found?.isFile()) return undefined;
  // Windows has no such bit; there every file is executable, as with Docker's own client
  const executable = process.platform === "win32" || (found.mode & 0o100) !== 0;
  return { kind: "file", path: relative, size: found.size, executable };
}

async function ignoreRules(folder: string, dockerfile: string | undefined): Promise<IgnoreRules> {
  const own = dockerfile === undefined ? [] : [`${dockerfile}.dockerignore`];
  for (const name of [...own, ".dockerignore"]) {
    const file = path.join(folder, name);
    const text = await readFile(file, "utf8").catch(undefinedWhenMissing);
    if (text === undefined) continue;
    try {
      return parseIgnoreRules(text);
    } catch (error) {
      throw missing("invalid-input", `${file} holds a pattern that is none (${messageOf(error)})`);
    }
  }
  return parseIgnoreRules("");
}

async function isKind(file: string, kind: "file" | "folder"): Promise<boolean> {
  const found = await stat(file).catch(undefinedWhenMissing);
  return kind === "file" ? found?.isFile() === true : found?.isDirectory() === true;
}

function undefinedWhenMissing(error: unknown): undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") return undefined;
  throw error;
}

function missing(
  code: "context-missing" | "dockerfile-missing" | "invalid-input",
  why: string,
): SlipwayError {
  return new SlipwayError({ code, what: "reading the build context", why });
}
