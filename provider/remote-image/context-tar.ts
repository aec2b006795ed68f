import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import path from "node:path";
import type { Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { type Header, pack } from "tar-stream";
import { SlipwayError, messageOf } from "../errors";
import type { BuildContext, ContextEntry } from "./context";
import { ContextHash } from "./context-hash";

/** The Dockerfile's name in the tar when its text is given in the program. */
export const INLINE_DOCKERFILE = ".slipway.Dockerfile";
const EPOCH = new Date(0);

/** What goes into the tar besides the context's entries, and what has to come out. */
export interface TarOptions {
  /** The context's hash as check saw it: a folder that changed since then is not built. */
  readonly expectedHash: string;
  readonly dockerfileInline?: string | undefined;
}

/**
 * The context as a tar that is the same wherever and whenever it is made: sorted, times 0, owner 0, modes 0755 and 0644.
 * The stream fails with `image-build-failed` when a file changed under it.
 */
export function contextTar(context: BuildContext, options: TarOptions): Readable {
  const tar = pack();
  write(tar, context, options).then(
    () => tar.finalize(),
    (error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return tar as unknown as Readable;
}

type Pack = ReturnType<typeof pack>;

async function write(tar: Pack, context: BuildContext, options: TarOptions): Promise<void> {
  const hash = new ContextHash();
  if (options.dockerfileInline !== undefined) {
    tar.entry({ ...header(INLINE_DOCKERFILE), mode: 0o644 }, options.dockerfileInline);
  }
  for (const entry of context.entries) {
    hash.add(entry, await add(tar, context.folder, entry));
  }
  if (hash.digest() !== options.expectedHash) throw changed(context.folder);
}

/** Gives the SHA-256 of a file's content, in hex. */
async function add(tar: Pack, folder: string, entry: ContextEntry): Promise<string> {
  switch (entry.kind) {
    case "folder":
      tar.entry({ ...header(entry.path), type: "directory", mode: 0o755 });
      return "";
    case "link":
      tar.entry({ ...header(entry.path), type: "symlink", linkname: entry.target, mode: 0o777 });
      return "";
    case "file": {
      const mode = entry.executable ? 0o755 : 0o644;
      const sink = tar.entry({ ...header(entry.path), mode, size: entry.size });
      return copy(path.join(folder, entry.path), entry.size, sink as unknown as Writable).catch(
        (error: unknown) => {
          throw changed(folder, `${entry.path}: ${messageOf(error)}`);
        },
      );
    }
  }
}

/** Copies a file's bytes at the pace of their reader. */
async function copy(file: string, size: number, sink: Writable): Promise<string> {
  const hash = createHash("sha256");
  let left = size;
  const done = finished(sink, { readable: false });
  done.catch(() => {}); // awaited below; a failure while reading must not be unhandled
  for await (const chunk of createReadStream(file)) {
    left -= (chunk as Buffer).length;
    // the tar would only say that sizes differ
    if (left < 0) throw new Error("it grew");
    hash.update(chunk as Buffer);
    if (!sink.write(chunk)) await Promise.race([drained(sink), done]);
  }
  if (left > 0) throw new Error("it shrank");
  sink.end();
  await done;
  return hash.digest("hex");
}

function drained(sink: Writable): Promise<void> {
  return new Promise((resolve) => sink.once("drain", resolve));
}

function header(name: string): Partial<Header> & Pick<Header, "name"> {
  return { name, mtime: EPOCH, uid: 0, gid: 0, uname: "", gname: "" };
}

function changed(folder: string, detail?: string): SlipwayError {
  return new SlipwayError({
    code: "image-build-failed",
    what: "sending the build context",
    why: `${folder} changed while it was sent${detail === undefined ? "" : ` (${detail})`}`,
    left: "Nothing was built",
    next: "Run the update again when nothing writes into the folder",
  });
}
