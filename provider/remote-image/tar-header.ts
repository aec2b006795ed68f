/** What a tar says of one entry, besides its bytes. Owners are 0, and times are the first second of 1970. */
export interface TarHeader {
  readonly path: string;
  readonly kind: "file" | "folder" | "link";
  readonly mode: number;
  /** Bytes; 0 for all but files. */
  readonly size: number;
  /** Of a link. */
  readonly target?: string;
  /** Part of that second, below 1,000,000,000. @default 0 */
  readonly nanoseconds?: number;
}

/** A tar is made of blocks of so many bytes. */
const BLOCK_BYTES = 512;
const TYPES = { file: "0", folder: "5", link: "2", pax: "x" } as const;
const LONGEST_NAME = 100;
/** What eleven octal digits hold. */
const LARGEST_OCTAL = 8 ** 11 - 1;

/**
 * The blocks before an entry's bytes, the same wherever and whenever they are made. The library that writes tars gives them
 * with the bytes only; here they have to be known, and hashed, without.
 */
export function tarHeader({ path, kind, mode, size, target = "", nanoseconds = 0 }: TarHeader): Buffer {
  const name = kind === "folder" ? `${path}/` : path;
  const records = [
    ...(isPlain(name) ? [] : [paxRecord("path", name)]),
    ...(isPlain(target) ? [] : [paxRecord("linkpath", target)]),
    ...(nanoseconds === 0 ? [] : [paxRecord("mtime", `0.${String(nanoseconds).padStart(9, "0")}`)]),
    ...(size <= LARGEST_OCTAL ? [] : [paxRecord("size", String(size))]),
  ];
  const own = block(cut(name), TYPES[kind], mode, Math.min(size, LARGEST_OCTAL), cut(target));
  if (records.length === 0) return own;
  const pax = Buffer.concat(records);
  const header = block(Buffer.from("pax"), TYPES.pax, 0o644, pax.length, Buffer.alloc(0));
  return Buffer.concat([header, pax, Buffer.alloc(paddingAfter(pax.length)), own]);
}

/** How many zeros follow so many bytes of an entry. */
export function paddingAfter(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

/** Whether the old format can say it: everything else travels in a pax record. */
function isPlain(text: string): boolean {
  return text.length <= LONGEST_NAME && /^[ -~]*$/.test(text);
}

function cut(text: string): Buffer {
  return Buffer.from(text).subarray(0, LONGEST_NAME);
}

/** `LENGTH KEY=VALUE` and a line feed; the length counts itself. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function block(name: Buffer, type: string, mode: number, size: number, target: Buffer): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  name.copy(header, 0);
  const octal = (value: number, digits: number, at: number): void => {
    header.write(value.toString(8).padStart(digits, "0"), at, "latin1");
  };
  octal(mode, 7, 100);
  octal(0, 7, 108);
  octal(0, 7, 116);
  octal(size, 11, 124);
  octal(0, 11, 136);
  header.write("        ", 148, "latin1");
  header.write(type, 156, "latin1");
  target.copy(header, 157);
  header.write("ustar\u000000", 257, "latin1");
  octal(0, 7, 329);
  octal(0, 7, 337);
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    6,
    148,
  );
  header.write("\u0000 ", 154, "latin1");
  return header;
}
