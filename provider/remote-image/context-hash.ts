import { createHash } from "node:crypto";
import type { BuildContext } from "./context";
import type { ContextEntry } from "./context-entry";

/** SHA-256 in hex of each file of a context, by path. */
export type ContentDigests = ReadonlyMap<string, string>;

/**
 * The hash of what the build sees: paths, kinds, permission bits, link targets and contents; neither times, owners, order
 * nor the folder's place. It goes by all permission bits, as Docker's own build cache does: an image holds them.
 */
export function contextHash({ entries }: Pick<BuildContext, "entries">, digests: ContentDigests): string {
  const hash = createHash("sha256").update("slipway context 1\n");
  for (const entry of entries) {
    hash.update(`${JSON.stringify(describe(entry, digests.get(entry.path) ?? ""))}\n`);
  }
  return hash.digest("hex");
}

/** The ordinary modes are written as the first release had them, which knew no others: hashes stay. */
function describe(entry: ContextEntry, digest: string): readonly unknown[] {
  switch (entry.kind) {
    case "file": {
      const { mode } = entry;
      return ["file", entry.path, mode === 0o644 ? false : mode === 0o755 ? true : mode.toString(8), digest];
    }
    case "folder":
      return entry.mode === 0o755 ? ["folder", entry.path] : ["folder", entry.path, entry.mode.toString(8)];
    case "link":
      return ["link", entry.path, entry.target];
  }
}
