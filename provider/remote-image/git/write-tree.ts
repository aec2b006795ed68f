import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { messageOf } from "../../errors";
import { shownPath } from "../context-entry";
import { refused } from "./git-error";
import { readTree, type TreeEntry } from "./git-object";
import type { Pack } from "./pack";
import { PackError } from "./pack-file";
import { turnsUntil } from "../turns";

/** A repository inside another one, at a commit of its own; its folder is there and empty. */
export interface Submodule {
  readonly path: string;
  readonly commit: string;
}

/** What one whole checkout may come to, its submodules included: a few objects can stand for any number of files. */
export class CheckoutLimits {
  private files = 0;
  private bytes = 0;

  /** @throws PackError */
  add(bytes: number): void {
    this.files += 1;
    this.bytes += bytes;
    if (this.files > 500_000) throw new PackError("more than 500,000 files");
    if (this.bytes > 32 * 2 ** 30) throw new PackError("more than 32 GB of files");
  }
}

interface WriteOptions {
  readonly repository: string;
  readonly limits: CheckoutLimits;
  readonly signal: AbortSignal;
}

/**
 * Writes the files of a commit's folder into an empty one of ours, with the modes that git knows: 644, 755, links as links. Every
 * file and folder is made anew, so that nothing is ever written through a link.
 * @throws PackError, SlipwayError git-refused (what this machine cannot hold, by its name)
 */
export async function writeTree(
  pack: Pick<Pack, "read">,
  tree: string,
  into: string,
  { repository, limits, signal }: WriteOptions,
): Promise<readonly Submodule[]> {
  const submodules: Submodule[] = [];
  const open: { readonly tree: string; readonly below: string }[] = [{ tree, below: "" }];
  const giveTurn = turnsUntil(signal);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const entry of readTree(pack.read(next.tree, "tree"), next.below)) {
      const name = next.below === "" ? entry.name : `${next.below}/${entry.name}`;
      const data =
        entry.kind === "folder" || entry.kind === "submodule" ? undefined : pack.read(entry.id, "blob");
      limits.add(data?.length ?? 0);
      try {
        put(path.join(into, name), entry, data);
      } catch (error) {
        throw refused(repository, `${shownPath(name)} cannot be written here (${whyNot(error)})`);
      }
      if (entry.kind === "folder") open.push({ tree: entry.id, below: name });
      if (entry.kind === "submodule") submodules.push({ path: name, commit: entry.id });
      await giveTurn(data?.length ?? 0);
    }
  }
  return submodules;
}

function put(file: string, { kind }: TreeEntry, data: Buffer | undefined): void {
  if (data === undefined) {
    mkdirSync(file);
    chmodSync(file, 0o755); // whatever this user's umask is: modes are in the context's hash
  } else if (kind === "link") {
    if (data.length === 0 || data.includes(0)) throw new Error("it is a link to nowhere");
    symlinkSync(data, file);
  } else {
    writeFileSync(file, data, { flag: "wx" });
    chmodSync(file, kind === "program" ? 0o755 : 0o644);
  }
}

function whyNot(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EEXIST")
    return "its name is another one's already, in letters that this machine takes for the same";
  return typeof code === "string" ? code : messageOf(error);
}
