import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { isIP } from "node:net";

/** What a self-signed certificate is made of beside its new key. */
export interface SelfSigned {
  /** Host names (`*.example.com` too) and addresses that it is for; the first is its subject. */
  readonly names: readonly string[];
}

// nobody renews it, and nobody who was told to trust it has to be told again; in this form the dates end with 2049
const DATES: readonly string[] = ["200101000000Z", "491231235959Z"];

/** A new P-256 key with a certificate signed by itself, valid until the end of 2049, as one PEM text. Secret. */
export function selfSignedPem({ names }: SelfSigned): string {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const certificate = certificateOf(names, spki, privateKey);
  const lines = certificate.toString("base64").replace(/.{64}(?=.)/g, "$&\n");
  const pem = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  return pem + privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

// object identifiers, encoded: ecdsa-with-SHA256, commonName, subjectAltName, basicConstraints, extKeyUsage and serverAuth in it
const ECDSA_SHA256 = der(0x30, Buffer.from("06082a8648ce3d040302", "hex"));
const COMMON_NAME = Buffer.from("0603550403", "hex");
const ALTERNATIVE_NAME = Buffer.from("0603551d11", "hex");
const BASIC_CONSTRAINTS = Buffer.from("0603551d13", "hex");
const KEY_USES = Buffer.from("0603551d25", "hex");
const SERVER_AUTH = Buffer.from("06082b06010505070301", "hex");

function certificateOf(names: readonly string[], spki: Buffer, key: KeyObject): Buffer {
  // the key is new, so its digest is a serial number that no other certificate has; its first bit is 0, or it were negative
  const serial = createHash("sha256").update(spki).digest().subarray(0, 16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const subject = der(
    0x30,
    der(0x31, der(0x30, COMMON_NAME, der(0x0c, Buffer.from((names[0] ?? "").slice(0, 64))))),
  );
  const alternatives = der(0x30, ...names.map(generalName));
  const extensions = [
    extension(ALTERNATIVE_NAME, alternatives),
    extension(BASIC_CONSTRAINTS, der(0x30)),
    extension(KEY_USES, der(0x30, SERVER_AUTH)),
  ];
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ECDSA_SHA256,
    subject,
    der(0x30, ...DATES.map((date) => der(0x17, Buffer.from(date)))),
    subject,
    spki,
    der(0xa3, der(0x30, ...extensions)),
  );
  return der(0x30, body, ECDSA_SHA256, der(0x03, Buffer.from([0]), sign("sha256", body, key)));
}

function extension(id: Buffer, value: Buffer): Buffer {
  return der(0x30, id, der(0x04, value));
}

function generalName(name: string): Buffer {
  return isIP(name) === 0 ? der(0x82, Buffer.from(name)) : der(0x87, addressBytes(name));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail] = address.split("::");
  const words = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const after = tail === undefined ? [] : words(tail);
  const zeros = Array<string>(Math.max(0, 8 - words(head).length - after.length)).fill("0");
  return Buffer.from(
    [...words(head), ...zeros, ...after].map((word) => word.padStart(4, "0")).join(""),
    "hex",
  );
}

/** One value in DER: tag, length, content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 128) return Buffer.concat([Buffer.from([tag, length]), content]);
  const hex = length.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length]), bytes, content]);
}
