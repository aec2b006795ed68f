import { realpath, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { SlipwayError, messageOf } from "../errors";
import { type ContextEntry, inspectEntry, listFolder, shownPath } from "./context-entry";
import { type IgnoreRules, type IgnoreVerdict, parseIgnoreRules } from "./ignore-rules";

/** The name in the context of a Dockerfile that is not in its folder: given as text, or lying elsewhere. */
export const INLINE_DOCKERFILE = ".slipway.Dockerfile";

/** Where a Dockerfile stands in a context, `given` as ContextOptions have it. */
export function dockerfileInContext(given: string | undefined): string | undefined {
  return given?.startsWith("../") === true ? INLINE_DOCKERFILE : given;
}

/** A local build context, listed but not read. */
export interface BuildContext {
  /** Absolute. */
  readonly folder: string;
  /** Sorted by path. */
  readonly entries: readonly ContextEntry[];
  /** Bytes of the files. */
  readonly bytes: number;
  /** The Dockerfile's path in the context; undefined when its text is given in the program. */
  readonly dockerfile: string | undefined;
}

/** What to list. `dockerfile` is relative to the folder, or leads out of it; undefined when its text is given in the program. */
export interface ContextOptions {
  readonly folder: string;
  readonly dockerfile: string | undefined;
  readonly signal?: AbortSignal;
}

/**
 * Lists what the build sees: the folder without what `<Dockerfile>.dockerignore`, else `.dockerignore` leaves out. The
 * Dockerfile and the ignore file are always in, and so are the folders above what an exception takes back in. Links are
 * listed and not followed.
 * @throws SlipwayError context-missing, dockerfile-missing, context-changed, invalid-input (a wrong ignore pattern, and what no image can hold: sockets, pipes, devices)
 */
export async function openContext(options: ContextOptions): Promise<BuildContext> {
  const folder = path.resolve(options.folder);
  if (!(await isKind(folder, "folder"))) throw refusal("context-missing", `there is no folder ${folder}`);
  const dockerfile = await findDockerfile(folder, options.dockerfile);
  const { rules, own } = await ignoreRules(folder, dockerfile?.source);
  const entries = new Map<string, ContextEntry>();
  const walk: Walk = { folder, rules, entries, signal: options.signal };
  await listBelow(walk, "", undefined, []);
  const ownInside = own === undefined ? undefined : within(folder, own);
  for (const name of [...(dockerfile?.inside ?? []), ".dockerignore", ownInside]) {
    const entry = name === undefined || entries.has(name) ? undefined : inspectEntry(folder, name);
    if (entry !== undefined) entries.set(entry.path, entry);
  }
  if (dockerfile !== undefined && dockerfile.inside === undefined) {
    entries.set(INLINE_DOCKERFILE, await fileFromElsewhere(dockerfile.source, INLINE_DOCKERFILE));
    // BuildKit reads the rules once more, and has to find the same ones
    const rulesName = `${INLINE_DOCKERFILE}.dockerignore`;
    if (own !== undefined) entries.set(rulesName, await fileFromElsewhere(own, rulesName));
  }
  const sorted = [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const bytes = sorted.reduce((sum, entry) => sum + (entry.kind === "file" ? entry.size : 0), 0);
  return { folder, entries: sorted, bytes, dockerfile: dockerfile?.path };
}

interface Walk {
  readonly folder: string;
  readonly rules: IgnoreRules;
  readonly entries: Map<string, ContextEntry>;
  readonly signal: AbortSignal | undefined;
}

/** `above` are the ignored folders on the way, which come along when something below them is kept. */
async function listBelow(
  walk: Walk,
  below: string,
  verdict: IgnoreVerdict | undefined,
  above: readonly ContextEntry[],
): Promise<void> {
  const { folder, rules, entries, signal } = walk;
  signal?.throwIfAborted();
  for (const name of await listFolder(folder, below)) {
    const relative = below === "" ? name : `${below}/${name}`;
    const { ignored, matched } = rules.look(relative, verdict);
    if (ignored && !rules.mayKeepBelow(relative)) continue;
    const entry = inspectEntry(folder, relative, ignored);
    if (entry === undefined) continue;
    if (!ignored) for (const each of [...above, entry]) entries.set(each.path, each);
    if (entry.kind !== "folder") continue;
    await listBelow(walk, relative, { ignored, matched }, ignored ? [...above, entry] : []);
  }
}

/** A file that is not of the folder and joins the context under another name; the user has named it, links and all. */
async function fileFromElsewhere(file: string, name: string): Promise<ContextEntry> {
  const { dir, base } = path.parse(await realpath(file));
  const entry = inspectEntry(dir, base);
  if (entry?.kind === "file") return { ...entry, path: name };
  throw refusal("dockerfile-missing", `${file} is no file`);
}

interface Dockerfile {
  /** Absolute. */
  readonly source: string;
  /** In the context. */
  readonly path: string;
  /** What of the folder has to be sent for it; undefined when it lies elsewhere. */
  readonly inside: readonly string[] | undefined;
}

async function findDockerfile(folder: string, given: string | undefined): Promise<Dockerfile | undefined> {
  if (given === undefined) return undefined;
  const source = path.resolve(folder, given);
  if (!(await isKind(source, "file")))
    throw refusal("dockerfile-missing", `there is no file ${given} in ${folder}`);
  const name = within(folder, source);
  if (name === undefined) return { source, path: INLINE_DOCKERFILE, inside: undefined };
  const root = await realpath(folder);
  const real = within(root, await realpath(source));
  // a link on the way to it is sent as a link, below which nothing can stand
  const isDirect = within(root, await realpath(path.dirname(source))) === path.posix.dirname(name);
  const isAtTop = !name.includes("/");
  if (real !== undefined) return { source, path: name, inside: isDirect || isAtTop ? [name, real] : [real] };
  throw refusal(
    "dockerfile-missing",
    `${given} is a link that leads out of ${folder}, and links are not followed there: name the file itself`,
  );
}

/** The path below the folder, with slashes; undefined for what is not below it. */
function within(folder: string, file: string): string | undefined {
  const relative = path.relative(folder, file);
  const isOutside = relative === ".." || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative);
  return isOutside ? undefined : relative.replaceAll(path.sep, "/");
}

/** `own` is the Dockerfile's own ignore file, where that one holds; absolute. */
async function ignoreRules(
  folder: string,
  dockerfile: string | undefined,
): Promise<{ readonly rules: IgnoreRules; readonly own: string | undefined }> {
  const own = dockerfile === undefined ? undefined : `${dockerfile}.dockerignore`;
  for (const file of [...(own === undefined ? [] : [own]), path.join(folder, ".dockerignore")]) {
    const text = await readFile(file, "utf8").catch(undefinedWhenMissing);
    if (text === undefined) continue;
    try {
      return { rules: parseIgnoreRules(text), own: file === own ? own : undefined };
    } catch (error) {
      throw refusal("invalid-input", `${file} holds a pattern that is none (${messageOf(error)})`);
    }
  }
  return { rules: parseIgnoreRules(""), own: undefined };
}

async function isKind(file: string, kind: "file" | "folder"): Promise<boolean> {
  const found = await stat(file).catch(undefinedWhenMissing);
  return kind === "file" ? found?.isFile() === true : found?.isDirectory() === true;
}

function undefinedWhenMissing(error: unknown): undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") return undefined;
  throw refusal("invalid-input", shownPath(messageOf(error)));
}

function refusal(
  code: "context-missing" | "dockerfile-missing" | "invalid-input",
  why: string,
): SlipwayError {
  return new SlipwayError({ code, what: "reading the build context", why });
}
