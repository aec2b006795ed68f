import { MOST_OBJECT_BYTES, PackError } from "./pack-file";

/** The object that a change makes of another one. @throws PackError */
export function applyDelta(base: Buffer, delta: Buffer): Buffer {
  let at = 0;
  const byte = (): number => {
    const value = delta[at++];
    if (value === undefined) throw new PackError("a change that ends too soon");
    return value;
  };
  const number = (): number => {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const each = byte();
      value += (each & 0x7f) * unit;
      if ((each & 0x80) === 0) return value;
    }
  };
  /** The bytes that the bits of `flags` announce, lowest first. */
  const packed = (flags: number, count: number): number => {
    let value = 0;
    for (let n = 0; n < count; n++) if ((flags & (1 << n)) !== 0) value += byte() * 256 ** n;
    return value;
  };
  if (number() !== base.length) throw new PackError("a change to another object");
  const size = number();
  if (size > MOST_OBJECT_BYTES) throw new PackError("a file larger than 1 GB");
  const result = Buffer.allocUnsafe(size);
  let filled = 0;
  const put = (from: Buffer, start: number, length: number): void => {
    if (start + length > from.length || filled + length > size)
      throw new PackError("a change that does not fit");
    from.copy(result, filled, start, start + length);
    filled += length;
  };
  while (at < delta.length) {
    const order = byte();
    if ((order & 0x80) !== 0) {
      const start = packed(order & 0x0f, 4);
      const length = packed((order >> 4) & 0x07, 3);
      put(base, start, length === 0 ? 0x10000 : length);
    } else if (order > 0) {
      put(delta, at, order);
      at += order;
    } else throw new PackError("a change that git does not know");
  }
  if (filled !== size) throw new PackError("a change that does not fit");
  return result;
}
