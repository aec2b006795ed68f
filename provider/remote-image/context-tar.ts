import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { type BuildContext, INLINE_DOCKERFILE } from "./context";
import type { ContextEntry, ContextFile } from "./context-entry";
import type { ContentDigests } from "./context-hash";
import { pieces as filePieces } from "./read-context";
import { paddingAfter, tarHeader } from "./tar-header";

/**
 * A piece of a context's tar, known by the SHA-256 (hex) of its bytes: the content of one file, or what stands between two
 * of them (padding, folders, links, the next file's header). The tar is its pieces and the end, one after another, so a machine
 * that has pieces of an earlier tar, or of another one, needs the others only.
 */
export type TarPiece =
  | { readonly kind: "content"; readonly digest: string; readonly size: number; readonly file: ContextFile }
  | {
      readonly kind: "between";
      readonly digest: string;
      readonly size: number;
      readonly bytes: () => Buffer;
    };

/** What stands at the end of every tar. */
export const TAR_END_BYTES = 1024;
const BUFFER_BYTES = 1 << 16;

/**
 * The context as a tar in pieces, the same wherever and whenever it is made: sorted, owner 0, all of the first second of 1970.
 * `dockerfileInline` joins it as a file.
 */
export function tarPieces(
  context: Pick<BuildContext, "entries">,
  digests: ContentDigests,
  dockerfileInline?: string,
): readonly TarPiece[] {
  const found: TarPiece[] = [];
  // the docker command takes for a Dockerfile what does not begin with a header that stands alone, as one after a pax record
  let run: (() => Buffer)[] = [() => tarHeader({ path: ".", kind: "folder", mode: 0o755, size: 0 })];
  const endRun = (): void => {
    if (run.length === 0) return;
    const makers = run;
    run = [];
    const bytes = (): Buffer => Buffer.concat(makers.map((make) => make()));
    const made = bytes();
    const digest = createHash("sha256").update(made).digest("hex");
    found.push({ kind: "between", digest, size: made.length, bytes });
  };
  if (dockerfileInline !== undefined) {
    const text = Buffer.from(dockerfileInline);
    const nanoseconds = momentOf(createHash("sha256").update(text).digest("hex"));
    const header = {
      path: INLINE_DOCKERFILE,
      kind: "file",
      mode: 0o644,
      size: text.length,
      nanoseconds,
    } as const;
    run.push(() => Buffer.concat([tarHeader(header), text, Buffer.alloc(paddingAfter(text.length))]));
  }
  for (const entry of context.entries) {
    if (dockerfileInline !== undefined && entry.path === INLINE_DOCKERFILE) continue;
    run.push(() => headerOf(entry, digests.get(entry.path) ?? ""));
    if (entry.kind !== "file" || entry.size === 0) continue;
    endRun();
    const { path, size } = entry;
    found.push({ kind: "content", digest: digests.get(path) ?? "", size, file: entry });
    const padding = paddingAfter(size);
    if (padding > 0) run.push(() => Buffer.alloc(padding));
  }
  endRun();
  return found;
}

/** Bytes of the whole tar. */
export function tarBytes(pieces: readonly TarPiece[]): number {
  return pieces.reduce((sum, { size }) => sum + size, TAR_END_BYTES);
}

/**
 * The whole tar, at the pace of its reader.
 * @throws SlipwayError (of the stream) context-changed
 */
export function contextTar(pieces: readonly TarPiece[]): Readable {
  return Readable.from(
    (function* () {
      for (const piece of pieces) yield* pieceBytes(piece);
      yield Buffer.alloc(TAR_END_BYTES);
    })(),
    // each is a piece of up to 64 kB
    { objectMode: true, highWaterMark: 4 },
  );
}

/** The bytes of one piece, in buffers of their own. @throws SlipwayError context-changed */
export function* pieceBytes(piece: TarPiece): Generator<Buffer, void> {
  if (piece.kind === "between") {
    yield piece.bytes();
    return;
  }
  const buffer = Buffer.allocUnsafe(Math.min(piece.size, BUFFER_BYTES));
  for (const bytes of filePieces(piece.file, buffer)) yield Buffer.from(bytes);
}

/**
 * Which part of its second a file is from: what its content says. BuildKit takes a file of a folder for unchanged when size, mode
 * and time are what they were, so that another content has to have another time; the second is always the same.
 */
function momentOf(digest: string): number {
  return Number.parseInt(digest.slice(0, 8), 16) % 1_000_000_000;
}

function headerOf(entry: ContextEntry, digest: string): Buffer {
  switch (entry.kind) {
    case "file":
      return tarHeader({ ...entry, nanoseconds: momentOf(digest) });
    case "folder":
      return tarHeader({ ...entry, size: 0 });
    case "link":
      return tarHeader({ ...entry, mode: 0o777, size: 0 });
  }
}
