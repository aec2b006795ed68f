/** git's frame: four hex digits of length, then that many bytes less four. */
export type Packet = { readonly kind: "data"; readonly data: Buffer } | { readonly kind: "flush" };

/** A packet that ends a part of the talk. */
export const FLUSH = Buffer.from("0000");

/** What a server may not send: the reader gives up. The message goes on "the server …". */
export class PacketError extends Error {}

/** A web page, for the most part. */
export const NO_GIT = "does not speak git's protocol there: is it a repository's URL?";

/** One line of ours as a packet. */
export function packet(line: string): Buffer {
  const data = Buffer.from(line);
  return Buffer.concat([Buffer.from((data.length + 4).toString(16).padStart(4, "0")), data]);
}

/** Reads packets from a stream of bytes, however they were cut. */
export class PacketReader {
  private readonly source: AsyncIterator<Buffer>;
  private held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.source = source[Symbol.asyncIterator]();
  }

  /** The next packet; undefined when the stream ended between two. @throws PacketError */
  async next(): Promise<Packet | undefined> {
    if (!(await this.fill(4))) {
      if (this.held.length === 0) return undefined;
      throw new PacketError("broke off in the middle of its answer");
    }
    const head = this.held.subarray(0, 4).toString("latin1");
    if (!/^[0-9a-f]{4}$/i.test(head)) throw new PacketError(NO_GIT);
    const length = Number.parseInt(head, 16);
    if (length === 0) {
      this.held = this.held.subarray(4);
      return { kind: "flush" };
    }
    if (length < 4) throw new PacketError("speaks a version of git's protocol that was not asked for");
    if (!(await this.fill(length))) throw new PacketError("broke off in the middle of its answer");
    const data = this.held.subarray(4, length);
    this.held = this.held.subarray(length);
    return { kind: "data", data };
  }

  /** Tells the stream that nobody reads on. */
  async stop(): Promise<void> {
    await this.source.return?.();
  }

  private async fill(bytes: number): Promise<boolean> {
    if (this.held.length >= bytes) return true;
    const parts = [this.held];
    let length = this.held.length;
    while (length < bytes) {
      const next = await this.source.next();
      if (next.done === true) break;
      parts.push(next.value);
      length += next.value.length;
    }
    this.held = Buffer.concat(parts);
    return length >= bytes;
  }
}
