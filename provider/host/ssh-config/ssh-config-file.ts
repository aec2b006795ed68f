import { type Stats } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import type { Directive, Line } from "ssh-config" with { "resolution-mode": "import" };
import { messageOf } from "../../errors";
import { stripControl } from "../../secret";
import { expandHome } from "./expand-home";

/** One line of a configuration, the files that it includes read already. */
export type ConfigEntry =
  | { readonly kind: "option"; readonly keyword: string; readonly values: readonly string[] }
  | {
      readonly kind: "section";
      readonly keyword: "host" | "match";
      readonly words: readonly string[];
      readonly entries: readonly ConfigEntry[];
    }
  | { readonly kind: "include"; readonly entries: readonly ConfigEntry[] };

/** Where the configuration is. */
export interface ConfigPlaces {
  readonly home: string;
  /** `~/.ssh/config` */
  readonly user: string;
  /** `/etc/ssh/ssh_config` */
  readonly system: string;
}

/** A configuration that cannot be used as it stands; `where` names the file. */
export class ConfigMistake extends Error {}

const DEEPEST_INCLUDE = 16;

/** The user's file, then the system's, as OpenSSH reads them. */
export function defaultConfigPlaces(home = homedir()): ConfigPlaces {
  return { home, user: join(home, ".ssh/config"), system: "/etc/ssh/ssh_config" };
}

/**
 * Reads both files and what they include, the user's first: the first value found is the one that holds. A file that is
 * not there is an empty one.
 * @throws ConfigMistake for a file that cannot be read or parsed, and one that others may write to
 */
export async function readConfigFiles(places: ConfigPlaces): Promise<readonly ConfigEntry[]> {
  const files = [
    { path: places.user, mine: true },
    { path: places.system, mine: false },
  ];
  const read = await Promise.all(files.map(({ path, mine }) => readEntries(path, places, mine, 0)));
  return read.flat();
}

async function readEntries(
  path: string,
  places: ConfigPlaces,
  mine: boolean,
  depth: number,
): Promise<readonly ConfigEntry[]> {
  if (depth > DEEPEST_INCLUDE)
    throw new ConfigMistake(`${path} is included too deep: is it included by itself?`);
  const text = await readText(path, mine);
  if (text === undefined) return [];
  refuseEmpty(text, path);
  const { parse } = await import("ssh-config"); // its types are those of an ES module
  let lines: readonly Line[];
  try {
    lines = parse(quoteHashes(text));
  } catch (error) {
    throw new ConfigMistake(`${path} cannot be parsed: ${messageOf(error)}`, { cause: error });
  }
  return entriesOf(lines, (pattern) => included(pattern, places, mine, depth + 1));
}

async function entriesOf(
  lines: readonly Line[],
  include: (pattern: string) => Promise<readonly ConfigEntry[]>,
): Promise<readonly ConfigEntry[]> {
  const entries: ConfigEntry[] = [];
  for (const line of lines) {
    if (!("param" in line) || line.param === "") continue;
    const keyword = line.param.toLowerCase();
    const values = valuesOf(line);
    if (keyword === "host" || keyword === "match") {
      const inside = "config" in line ? line.config : [];
      entries.push({ kind: "section", keyword, words: values, entries: await entriesOf(inside, include) });
    } else if (keyword === "include") {
      for (const pattern of values) entries.push({ kind: "include", entries: await include(pattern) });
    } else {
      entries.push({ kind: "option", keyword, values });
    }
  }
  return entries;
}

function valuesOf({ value }: Directive): readonly string[] {
  const values = typeof value === "string" ? [value] : value.map(({ val }) => val);
  return values.map((each) => /^'(.*)'$/.exec(each)?.[1] ?? each);
}

/** The parser would take the next line for the value. */
function refuseEmpty(text: string, path: string): void {
  text.split(/\r\n|\n|\r/).forEach((line, index) => {
    const [, word] = /^\s*([^\s#="]+)\s*=?\s*(?:#.*)?$/.exec(line) ?? [];
    if (word === undefined) return;
    throw new ConfigMistake(
      `${path} cannot be parsed: line ${index + 1}: ${stripControl(word)} has no value`,
    );
  });
}

/** The parser takes any `#` for the start of a comment, OpenSSH only one that starts a word. */
function quoteHashes(text: string): string {
  return text.replace(/^(\s*\w+(?:\s*=\s*|\s+))([^\s"'#][^\s"']*#[^\s"']*)(?=\s*$|\s+#)/gm, '$1"$2"');
}

async function included(
  pattern: string,
  places: ConfigPlaces,
  mine: boolean,
  depth: number,
): Promise<readonly ConfigEntry[]> {
  if (/[%$]/.test(pattern))
    throw new ConfigMistake(`Include ${pattern}: tokens and variables are not followed here`);
  const path = mine ? expandHome(pattern, places.home) : pattern;
  const base = dirname(mine ? places.user : places.system);
  const files = await filesLike(isAbsolute(path) ? path : join(base, path));
  const read = await Promise.all(files.map((file) => readEntries(file, places, mine, depth)));
  return read.flat();
}

/** The files that a path with `*`, `?` and `[…]` stands for, sorted as by the shell. */
async function filesLike(path: string): Promise<readonly string[]> {
  let found = ["/"];
  for (const part of path.split("/").filter((each) => each !== "")) {
    if (!/[*?[]/.test(part)) {
      found = found.map((folder) => join(folder, part));
      continue;
    }
    const wanted = wildcard(part);
    const listed = found.map(async (folder) =>
      (await namesIn(folder))
        .filter((name) => wanted.test(name) && (part.startsWith(".") || !name.startsWith(".")))
        .sort()
        .map((name) => join(folder, name)),
    );
    found = (await Promise.all(listed)).flat();
  }
  return found;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return [];
    throw new ConfigMistake(`${folder} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function wildcard(pattern: string): RegExp {
  const text = pattern.replace(/\[!?[^\]]+\]|[\s\S]/g, (part) => {
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    return part.length > 1
      ? part.replace(/^\[!/, "[^").replaceAll("\\", "\\\\")
      : part.replace(/[.+^${}()|[\]\\]/, "\\$&");
  });
  return new RegExp(`^${text}$`);
}

async function readText(path: string, mine: boolean): Promise<string | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(path); // once: what is judged is what is read
    const stats = await file.stat();
    if (mine && isOthersToWrite(stats)) {
      throw new ConfigMistake(
        `${path} may be written to by others than its owner, so ssh refuses it too (chmod 600)`,
      );
    }
    return stats.isDirectory() ? undefined : await file.readFile("utf8");
  } catch (error) {
    if (error instanceof ConfigMistake) throw error;
    if (codeOf(error) === "ENOENT") return undefined;
    throw new ConfigMistake(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
  } finally {
    await file?.close();
  }
}

/** What OpenSSH asks of the user's file: it belongs to the user or to root, and nobody else writes to it. */
function isOthersToWrite({ uid, mode }: Stats): boolean {
  const own = process.getuid?.();
  if (own === undefined) return false;
  return (uid !== 0 && uid !== own) || (mode & 0o022) !== 0;
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code);
}
