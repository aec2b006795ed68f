import { createHash, createPublicKey, type KeyObject } from "node:crypto";

/** One PEM block and nothing else: apk reads the first, and what it would skip shall not be there. */
const BLOCK = /^\s*-----BEGIN PUBLIC KEY-----\r?\n(?:[A-Za-z0-9+/=]+\r?\n)+-----END PUBLIC KEY-----\s*$/;

/**
 * The fingerprint of a public key as apk repositories are signed with: SHA-256 (64 hexadecimal digits, upper case) of its
 * DER form, as `openssl pkey -pubin -outform DER | sha256sum` prints it. None when it is not such a key.
 */
export function readRsaKeys(text: string): readonly string[] {
  const key = BLOCK.test(text) ? parsed(text) : undefined;
  if (key?.asymmetricKeyType !== "rsa") return [];
  const der = key.export({ type: "spki", format: "der" });
  return [createHash("sha256").update(der).digest("hex").toUpperCase()];
}

function parsed(text: string): KeyObject | undefined {
  try {
    return createPublicKey(text);
  } catch {
    return undefined; // no key, whatever it is: the caller says so
  }
}
