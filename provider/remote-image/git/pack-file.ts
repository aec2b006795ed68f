import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { inflateSync } from "node:zlib";

/** What is wrong with a pack or an object. The message goes on "the server sent …". */
export class PackError extends Error {}

/** The kinds of object by their numbers in a pack; 6 and 7 are changes to another object. */
const KINDS = { 1: "commit", 2: "tree", 3: "blob", 4: "tag" } as const;
export type ObjectKind = (typeof KINDS)[keyof typeof KINDS];

/** One object as it lies in the pack. */
export interface PackEntry {
  readonly at: number;
  /** Where its compressed bytes begin. */
  readonly start: number;
  /** Of what they hold: the object, or the change. */
  readonly size: number;
  readonly what: ObjectKind | { readonly changes: number | string };
}

/** git's own servers take no file that comes near it, and it has to be held in memory. */
export const MOST_OBJECT_BYTES = 2 ** 30;
/** A sum of the whole ends it, which nobody needs: every object is known by its own. */
const SUM_BYTES = 20;

/** A pack on the disk. Not asynchronous: there are thousands of objects, and each takes microseconds. */
export class PackFile {
  private readonly size: number;
  private readonly handle: number;

  constructor(file: string) {
    this.handle = openSync(file, "r");
    this.size = fstatSync(this.handle).size - SUM_BYTES;
  }

  close(): void {
    closeSync(this.handle);
  }

  /** How many objects it says that it has. @throws PackError */
  count(): number {
    const head = this.bytes(0, 12);
    if (head.length < 12 || head.toString("latin1", 0, 4) !== "PACK" || head.readUInt32BE(4) !== 2) {
      throw new PackError("no pack");
    }
    return head.readUInt32BE(8);
  }

  /** The head of the object at `at`. @throws PackError */
  entry(at: number): PackEntry {
    const bytes = this.bytes(at, 64);
    let next = 0;
    const byte = (): number => {
      const value = bytes[next++];
      if (value === undefined) throw new PackError("a pack that ends too soon");
      return value;
    };
    let each = byte();
    const type = (each >> 4) & 7;
    let size = each & 15;
    for (let unit = 16; (each & 0x80) !== 0; unit *= 128) {
      each = byte();
      size += (each & 0x7f) * unit;
    }
    if (size > MOST_OBJECT_BYTES) throw new PackError("a file larger than 1 GB");
    if (type === 7) {
      const base = bytes.toString("hex", next, next + 20);
      return { at, start: at + next + 20, size, what: { changes: base } };
    }
    if (type === 6) {
      each = byte();
      let back = each & 0x7f;
      while ((each & 0x80) !== 0) {
        each = byte();
        back = (back + 1) * 128 + (each & 0x7f);
      }
      if (back <= 0 || back > at) throw new PackError("a pack that refers to what is not in it");
      return { at, start: at + next, size, what: { changes: at - back } };
    }
    const kind = type === 1 || type === 2 || type === 3 || type === 4 ? KINDS[type] : undefined;
    if (kind === undefined) throw new PackError("an object of a kind that git does not have");
    return { at, start: at + next, size, what: kind };
  }

  /** What an entry's bytes hold, and where the next one begins. @throws PackError */
  inflate({ start, size }: PackEntry): { readonly data: Buffer; readonly end: number } {
    // what cannot be compressed grows by little
    for (let length = size + (size >> 9) + 128; ; length *= 2) {
      const found = inflated(this.bytes(start, length), size);
      if (found?.buffer.length === size)
        return { data: found.buffer, end: start + found.engine.bytesWritten };
      if (found !== undefined) throw new PackError("an object of another size than it says");
      if (start + length >= this.size) throw new PackError("a pack that ends too soon");
    }
  }

  private bytes(at: number, wanted: number): Buffer {
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(wanted, this.size - at)));
    return bytes.subarray(0, readSync(this.handle, bytes, 0, bytes.length, at));
  }
}

interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** Not more than `size` bytes of it: a small pack must not fill the memory. Undefined where `packed` is cut. @throws PackError */
function inflated(packed: Buffer, size: number): Inflated | undefined {
  const chunkSize = Math.min(Math.max(size + 1, 64), 1 << 24);
  try {
    // with `info`, which its types do not know, it tells how much it took
    return inflateSync(packed, { info: true, chunkSize, maxOutputLength: size + 1 }) as unknown as Inflated;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "Z_BUF_ERROR") return undefined;
    throw new PackError("an object that cannot be unpacked");
  }
}
