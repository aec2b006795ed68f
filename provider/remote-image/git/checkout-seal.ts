import { createHash } from "node:crypto";
import { SlipwayError } from "../../errors";
import { inspectEntry, listFolder } from "../context-entry";

/**
 * What one sees of a checkout without reading it: every name with its kind, size, mode, times and inode. Who tidies a cache
 * folder takes some files and leaves others, and a part of a checkout would be another context. Undefined: it cannot be read.
 */
export async function checkoutSeal(folder: string): Promise<string | undefined> {
  const hash = createHash("sha256").update("slipway checkout 1\n");
  try {
    const open = [""];
    for (let below = open.pop(); below !== undefined; below = open.pop()) {
      for (const name of [...(await listFolder(folder, below))].sort()) {
        const relative = below === "" ? name : `${below}/${name}`;
        const entry = inspectEntry(folder, relative);
        if (entry?.kind === "folder") open.push(relative);
        hash.update(`${JSON.stringify(seen(entry, relative))}\n`);
      }
    }
    return hash.digest("hex");
  } catch (error) {
    if (error instanceof SlipwayError) return undefined;
    throw error;
  }
}

function seen(entry: ReturnType<typeof inspectEntry>, relative: string): readonly unknown[] {
  switch (entry?.kind) {
    case "file":
      return ["file", relative, entry.mode, entry.stamp.text];
    case "folder":
      return ["folder", relative, entry.mode];
    case "link":
      return ["link", relative, entry.target];
    case undefined:
      return ["none", relative];
  }
}
