import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import path from "node:path";
import type { BuildContext, ContextEntry } from "./context";

/**
 * The hash of what the build sees: paths, executable bits, link targets and contents; neither times nor owners. Files are
 * read one after another, in pieces.
 */
export async function contextHash(context: BuildContext, signal?: AbortSignal): Promise<string> {
  const hash = new ContextHash();
  for (const entry of context.entries) {
    signal?.throwIfAborted();
    hash.add(entry, entry.kind === "file" ? await fileDigest(path.join(context.folder, entry.path)) : "");
  }
  return hash.digest();
}

/** The hash as it grows, entry by entry in the context's order. */
export class ContextHash {
  private readonly hash: Hash = createHash("sha256").update("slipway context 1\n");

  /** `digest` is the file's SHA-256 in hex; empty for folders and links. */
  add(entry: ContextEntry, digest: string): void {
    this.hash.update(`${JSON.stringify(describe(entry, digest))}\n`);
  }

  /** 64 hex digits; nothing can be added after it. */
  digest(): string {
    return this.hash.digest("hex");
  }
}

function describe(entry: ContextEntry, digest: string): readonly unknown[] {
  switch (entry.kind) {
    case "file":
      return ["file", entry.path, entry.executable, digest];
    case "folder":
      return ["folder", entry.path];
    case "link":
      return ["link", entry.path, entry.target];
  }
}

async function fileDigest(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
