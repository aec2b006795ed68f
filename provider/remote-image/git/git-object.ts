import { shownPath } from "../context-entry";
import type { Pack } from "./pack";
import { PackError } from "./pack-file";

/** One name in a folder of a repository. */
export interface TreeEntry {
  readonly kind: "file" | "program" | "link" | "folder" | "submodule";
  readonly name: string;
  readonly id: string;
}

const MODES: Readonly<Record<string, TreeEntry["kind"]>> = {
  "40000": "folder",
  "100644": "file",
  "100664": "file", // of git's first years
  "100755": "program",
  "120000": "link",
  "160000": "submodule",
};

/** The folder that a commit has, or the one that a tag leads to. @throws PackError */
export function treeOf(pack: Pack, id: string): string {
  let at = id;
  for (;;) {
    const found = pack.find(at);
    if (found === undefined) throw new PackError(`no commit ${at}`);
    const head = found.data.toString("latin1", 0, 48);
    const [, tree] = /^tree ([0-9a-f]{40})\n/.exec(head) ?? [];
    if (found.kind === "commit" && tree !== undefined) return tree;
    const [, next] = /^object ([0-9a-f]{40})\n/.exec(head) ?? []; // a tag may name a tag
    if (found.kind !== "tag" || next === undefined)
      throw new PackError(`a ${found.kind} where a commit should be, ${at}`);
    at = next;
  }
}

/**
 * The names of a folder. What would lead out of it, or into git's own data, is refused by its name.
 * @param below the folder's path, for messages
 * @throws PackError
 */
export function readTree(data: Buffer, below: string): readonly TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < data.length; ) {
    const blank = data.indexOf(0x20, at);
    const nul = data.indexOf(0, blank);
    if (blank < 0 || nul < 0 || nul + 21 > data.length) throw new PackError("a folder that ends too soon");
    const bytes = data.subarray(blank + 1, nul);
    const name = bytes.toString("utf8");
    const shown = shownPath(below === "" ? name : `${below}/${name}`);
    const kind = MODES[data.toString("latin1", at, blank)];
    if (kind === undefined) throw new PackError(`${shown}, which is of no kind that git has`);
    if (!Buffer.from(name).equals(bytes)) throw new PackError(`${shown}, whose name is not UTF-8`);
    if (isDangerous(name)) throw new PackError(`${shown}, a name that no repository may have`);
    entries.push({ kind, name, id: data.toString("hex", nul + 1, nul + 21) });
    at = nul + 21;
  }
  return entries;
}

/**
 * What git itself refuses: `..`, `.git` in whatever letters, and what macOS and Windows take for it.
 */
function isDangerous(name: string): boolean {
  if (name === "" || name === "." || name === ".." || name.includes("/")) return true;
  if (process.platform === "win32" && /[\\:]/.test(name)) return true;
  // characters that macOS leaves out when it compares names
  const plain = name.replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, "").toLowerCase();
  return /^(?:\.git|git~1)[ .]*(?::.*)?$/.test(plain);
}
