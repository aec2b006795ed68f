import { createHash } from "node:crypto";

const PUBLIC_KEY_TAG = 6;
/** Signatures, keys, trust, names and pictures: what a public key consists of. Others could carry a key unseen. */
const KEY_PACKET_TAGS: ReadonlySet<number> = new Set([2, PUBLIC_KEY_TAG, 12, 13, 14, 17]);
/** The strict form only: what apt's verifiers read more loosely than we do would be trusted without being seen. */
const BLOCK =
  /-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[A-Za-z]+: [^\r\n]*\r?\n)*\r?\n((?:[A-Za-z0-9+/]+={0,2}\r?\n)+)(?:=[A-Za-z0-9+/]{4}\r?\n)?-----END PGP PUBLIC KEY BLOCK-----/g;

/**
 * The fingerprints (upper case) of all primary keys in a key file, armored or binary. A file that is not wholly understood
 * has none: apt would trust every key in it, so all have to be seen.
 */
export function readSigningKeys(file: string | Buffer): readonly string[] {
  try {
    return keyPackets(file).flatMap((bytes) => fingerprints(bytes));
  } catch (error) {
    if (error instanceof RangeError) return []; // cut off, or no OpenPGP at all
    throw error;
  }
}

function keyPackets(file: string | Buffer): readonly Buffer[] {
  const text = file.toString("latin1");
  if (!text.includes("-----")) return [typeof file === "string" ? Buffer.from(file, "latin1") : file];
  if (text.replaceAll(BLOCK, "").trim() !== "") throw new RangeError("more than key blocks");
  return [...text.matchAll(BLOCK)].map((match) => {
    const body = (match[1] ?? "").replaceAll(/[\r\n]/g, "");
    if (body.length % 4 !== 0 || /=[^=]/.test(body)) throw new RangeError("not base64");
    return Buffer.from(body, "base64");
  });
}

function fingerprints(bytes: Buffer): readonly string[] {
  const found: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const packet = readPacket(bytes, at);
    if (!KEY_PACKET_TAGS.has(packet.tag)) throw new RangeError("more than a public key");
    if (packet.tag === PUBLIC_KEY_TAG) found.push(fingerprintOf(packet.body));
    at = packet.end;
  }
  return found;
}

interface Packet {
  readonly tag: number;
  readonly body: Buffer;
  readonly end: number;
}

/** One packet of RFC 4880, section 4.2; partial lengths do not occur in keys. */
function readPacket(bytes: Buffer, at: number): Packet {
  const header = bytes.readUInt8(at);
  if ((header & 0x80) === 0) throw new RangeError("not an OpenPGP packet");
  const isNew = (header & 0x40) !== 0;
  const tag = isNew ? header & 0x3f : (header >> 2) & 0x0f;
  const [length, start] = isNew ? newLength(bytes, at + 1) : oldLength(bytes, at + 1, header & 3);
  if (start + length > bytes.length) throw new RangeError("cut off");
  return { tag, body: bytes.subarray(start, start + length), end: start + length };
}

function newLength(bytes: Buffer, at: number): readonly [number, number] {
  const first = bytes.readUInt8(at);
  if (first < 192) return [first, at + 1];
  if (first < 224) return [((first - 192) << 8) + bytes.readUInt8(at + 1) + 192, at + 2];
  if (first === 255) return [bytes.readUInt32BE(at + 1), at + 5];
  throw new RangeError("partial length");
}

function oldLength(bytes: Buffer, at: number, kind: number): readonly [number, number] {
  if (kind === 0) return [bytes.readUInt8(at), at + 1];
  if (kind === 1) return [bytes.readUInt16BE(at), at + 2];
  if (kind === 2) return [bytes.readUInt32BE(at), at + 4];
  throw new RangeError("open length");
}

/** RFC 4880, section 12.2: only version 4 keys, which is what apt repositories are signed with. */
function fingerprintOf(body: Buffer): string {
  if (body.readUInt8(0) !== 4) throw new RangeError("not a version 4 key");
  const head = Buffer.from([0x99, body.length >> 8, body.length & 0xff]);
  return createHash("sha1").update(head).update(body).digest("hex").toUpperCase();
}
