import { createHash } from "node:crypto";
import { type Readable, pipeline } from "node:stream";
import { constants, createGzip, deflateSync } from "node:zlib";
import { changedWhileRead } from "./context-entry";
import type { Recipe } from "./context-recipe";
import { TAR_END_BYTES, type TarPiece, pieceBytes } from "./context-tar";
import { paddingAfter, tarHeader } from "./tar-header";

/** Compressed is what shrinks by more than a tenth. */
const WORTH_IT = 0.9;
const SAMPLE_BYTES = 64 << 10;

/** What the store keeps under a digest. */
export interface StoreObject {
  readonly digest: string;
  readonly size: number;
  readonly bytes: () => Iterable<Buffer>;
}

/** The objects as a tar, each under its digest. */
export function* tarOf(objects: readonly StoreObject[]): Generator<Buffer> {
  for (const { digest, size, bytes } of objects) {
    yield tarHeader({ path: digest, kind: "file", mode: 0o600, size });
    yield* bytes();
    yield Buffer.alloc(paddingAfter(size));
  }
  yield Buffer.alloc(TAR_END_BYTES);
}

/** A recipe, or a book of them. */
export function recipeObject({ digest, text }: Recipe): StoreObject {
  return { digest, size: text.length, bytes: () => [Buffer.from(text)] };
}

/** A piece of a context. */
export function pieceObject(piece: TarPiece): StoreObject {
  return { digest: piece.digest, size: piece.size, bytes: () => asRead(piece) };
}

/** A piece's bytes; a file that is not what it was when it was read is named. */
function* asRead(piece: TarPiece): Generator<Buffer> {
  const hash = createHash("sha256");
  for (const chunk of pieceBytes(piece)) {
    hash.update(chunk);
    yield chunk;
  }
  if (piece.kind === "content" && hash.digest("hex") !== piece.digest)
    throw changedWhileRead(piece.file.path, "changed");
}

/** The same, compressed on its way; it ends as its source does. */
export function compressed(source: Readable): Readable {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  // whoever reads the other end hears of an error there
  pipeline(source, gzip, () => {});
  return gzip;
}

/** Whether it pays to compress these: by a look at how their first bytes do. */
export function shrinks(objects: readonly StoreObject[]): boolean {
  const sample: Buffer[] = [];
  let left = SAMPLE_BYTES;
  for (const { bytes } of objects) {
    for (const chunk of bytes()) {
      sample.push(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) break;
    }
    if (left <= 0) break;
  }
  const bytes = Buffer.concat(sample);
  return deflateSync(bytes, { level: constants.Z_BEST_SPEED }).length < WORTH_IT * bytes.length;
}

/** Bytes in all. */
export function sizeOf(objects: readonly { readonly size: number }[]): number {
  return objects.reduce((sum, { size }) => sum + size, 0);
}
