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

const WINDOW_BYTES = 4 << 20;
/** git's own servers take no file that comes near it, and it has to be held in memory. */
const MOST_OBJECT_BYTES = 2 ** 30;

/** A pack on the disk, read in windows. Not asynchronous: there are thousands of objects, and each takes microseconds. */
export class PackFile {
  readonly size: number;
  private readonly handle: number;
  private readonly window = Buffer.allocUnsafe(WINDOW_BYTES);
  private from = 0;
  private length = 0;

  constructor(file: string) {
    this.handle = openSync(file, "r");
    this.size = fstatSync(this.handle).size;
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
    let length = size + (size >> 9) + 128;
    for (;;) {
      const packed = this.bytes(start, length);
      try {
        const { buffer, engine } = inflated(packed, size);
        if (buffer.length !== size) throw new PackError("an object of another size than it says");
        return { data: buffer, end: start + engine.bytesWritten };
      } catch (error) {
        const isCut = error instanceof Error && "code" in error && error.code === "Z_BUF_ERROR";
        if (!isCut || start + length >= this.size) throw asPackError(error);
        length *= 2;
      }
    }
  }

  /** A view that the next call may overwrite. */
  private bytes(at: number, wanted: number): Buffer {
    const length = Math.max(0, Math.min(wanted, this.size - at));
    if (at >= this.from && at + length <= this.from + this.length) {
      return this.window.subarray(at - this.from, at - this.from + length);
    }
    if (length > this.window.length) {
      const large = Buffer.allocUnsafe(length);
      return large.subarray(0, this.read(large, at));
    }
    this.length = this.read(this.window, at);
    this.from = at;
    return this.window.subarray(0, Math.min(length, this.length));
  }

  private read(into: Buffer, at: number): number {
    let filled = 0;
    while (filled < into.length) {
      const more = readSync(this.handle, into, filled, into.length - filled, at + filled);
      if (more === 0) break;
      filled += more;
    }
    return filled;
  }
}

interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** Not more than `size` bytes of it: a small pack must not fill the memory. */
function inflated(packed: Buffer, size: number): Inflated {
  const chunkSize = Math.min(Math.max(size + 1, 64), 1 << 24);
  // with `info`, which its types do not know, it tells how much it took
  return inflateSync(packed, { info: true, chunkSize, maxOutputLength: size + 1 }) as unknown as Inflated;
}

function asPackError(error: unknown): unknown {
  const isZlib =
    error instanceof Error && "code" in error && /^(?:Z_|ERR_BUFFER_TOO_LARGE)/.test(String(error.code));
  return isZlib ? new PackError("an object that cannot be unpacked") : error;
}
