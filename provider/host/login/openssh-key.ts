import type { KeyObject } from "node:crypto";

/** What the clear part of an OpenSSH private key says; readable without the passphrase. */
export interface OpenSshHeader {
  readonly encrypted: boolean;
  /** `ssh-ed25519`, `sk-ssh-ed25519@openssh.com`, … */
  readonly type: string;
  /** The public half. */
  readonly blob: Buffer;
}

const MAGIC = "openssh-key-v1\0";

/** Reads the clear part of a key in OpenSSH's own format; undefined when it is another format, or broken. */
export function openSshHeader(text: string): OpenSshHeader | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+)-----END OPENSSH PRIVATE KEY-----/.exec(
    text,
  )?.[1];
  const bytes = Buffer.from(body ?? "", "base64");
  if (!bytes.subarray(0, MAGIC.length).equals(Buffer.from(MAGIC))) return undefined;
  const cipher = stringAt(bytes, MAGIC.length);
  const kdf = cipher && stringAt(bytes, cipher.end);
  const options = kdf && stringAt(bytes, kdf.end);
  const blob = options && stringAt(bytes, options.end + 4)?.value;
  const type = blob && keyTypeIn(blob);
  if (cipher === undefined || blob === undefined || type === undefined) return undefined;
  return { encrypted: cipher.value.toString() !== "none", type, blob };
}

/** The type written at the start of a public key; undefined for bytes that are none. */
export function keyTypeIn(blob: Buffer): string | undefined {
  return stringAt(blob, 0)?.value.toString("latin1");
}

/** Writes an ed25519 key in OpenSSH's format, the only one that ssh2 reads it in. */
export function openSshEd25519(key: KeyObject): string {
  const { d = "", x = "" } = key.export({ format: "jwk" });
  const publicHalf = Buffer.from(x, "base64url");
  const type = field("ssh-ed25519");
  const blob = Buffer.concat([type, field(publicHalf)]);
  const check = Buffer.alloc(8); // two equal numbers; they only tell a wrong passphrase, and there is none
  const secret = Buffer.concat([
    ...[check, type, field(publicHalf)],
    ...[field(Buffer.concat([Buffer.from(d, "base64url"), publicHalf])), field("")],
  ]);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7].slice(0, (8 - (secret.length % 8)) % 8));
  const one = Buffer.from([0, 0, 0, 1]);
  const head = [Buffer.from(MAGIC), field("none"), field("none"), field(""), one, field(blob)];
  const whole = Buffer.concat([...head, field(Buffer.concat([secret, padding]))]).toString("base64");
  const lines = whole.match(/.{1,70}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join(
    "\n",
  );
}

function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function stringAt(bytes: Buffer, at: number): { readonly value: Buffer; readonly end: number } | undefined {
  if (at + 4 > bytes.length) return undefined;
  const end = at + 4 + bytes.readUInt32BE(at);
  return end > bytes.length ? undefined : { value: bytes.subarray(at + 4, end), end };
}
