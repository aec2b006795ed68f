import { type KeyObject, createPrivateKey } from "node:crypto";
import { type ParsedKey, utils } from "ssh2";
import { messageOf } from "../../errors";
import { openSshEd25519, openSshHeader } from "./openssh-key";

/**
 * What a text given as a private key is.
 * - `private`: a key that can log in.
 * - `locked`: an encrypted one that the passphrase, or the lack of one, does not open.
 * - `public`: the public half; only an agent can log in with it.
 * - `unfit`: none that could ever be used here.
 * `blob` is the public half, as far as it can be read; `why` and `next` are for the reader and hold no secret.
 */
export type KeyText =
  | { readonly kind: "private"; readonly key: ParsedKey; readonly blob: Buffer }
  | {
      readonly kind: "locked" | "public";
      readonly blob: Buffer | undefined;
      readonly why: string;
      readonly next: string;
    }
  | { readonly kind: "unfit"; readonly why: string; readonly next: string };

const CONVERT = "Convert it: puttygen KEY.ppk -O private-openssh -o KEY";

/** Reads a key in any of the formats that ssh-keygen, openssl and PuTTY write, and says what it is. */
export function readKeyText(given: string, passphrase: string | undefined): KeyText {
  // a key that went through an editor or a CI variable often lost its last line feed or gained carriage returns
  const text = `${given
    .replace(/^\uFEFF/, "")
    .replaceAll(/\r\n?/g, "\n")
    .trim()}\n`;
  const header = openSshHeader(text);
  if (header?.type.startsWith("sk-")) return hardware(header.type);
  return (
    readPublic(text) ?? readPrivate(text, passphrase, header?.encrypted ?? isEncrypted(text), header?.blob)
  );
}

function readPrivate(
  text: string,
  passphrase: string | undefined,
  encrypted: boolean,
  blob?: Buffer,
): KeyText {
  if (encrypted && !passphrase) {
    return {
      kind: "locked",
      blob,
      why: "it is encrypted, and privateKeyPassword is not given",
      next: "Give privateKeyPassword, or put the key into an agent (ssh-add)",
    };
  }
  const key = parseAny(text, passphrase);
  if (!(key instanceof Error)) return withAge(key);
  if (encrypted) {
    return {
      kind: "locked",
      blob,
      why: `privateKeyPassword does not open it (${key.message})`,
      next: "Is privateKeyPassword right? ssh-keygen -y -f KEY asks for it too",
    };
  }
  const isPutty = text.startsWith("PuTTY-User-Key-File");
  const why = isPutty
    ? "PuTTY's format is read only in version 2 with RSA"
    : `it cannot be read: ${key.message}`;
  const next = isPutty
    ? CONVERT
    : "Give the whole text of a key as ssh-keygen writes it, with its BEGIN and END lines";
  return { kind: "unfit", why, next };
}

function withAge(key: ParsedKey): KeyText {
  if (!key.isPrivateKey()) {
    return { kind: "public", blob: key.getPublicSSH(), why: "it is a public key", next: PRIVATE_HALF };
  }
  if (key.type === "ssh-dss") {
    return {
      kind: "unfit",
      why: "it is a DSA key, which sshd takes no more",
      next: "Make a new one: ssh-keygen -t ed25519",
    };
  }
  return { kind: "private", key, blob: key.getPublicSSH() };
}

const PRIVATE_HALF = "Give the private half (the file without .pub), or the agent that holds it";

function readPublic(text: string): KeyText | undefined {
  const [, type = "", base64 = ""] =
    /^((?:ssh|ecdsa|sk)-[a-zA-Z0-9@.-]+)[ \t]+(AAAA[A-Za-z0-9+/=]+)/.exec(text) ?? [];
  if (type.includes("-cert-v01@")) {
    const next = "Log in with the plain key, and put its public half into authorized_keys on the machine";
    return {
      kind: "unfit",
      why: `it is a certificate (${type}), and ssh2 cannot log in with certificates`,
      next,
    };
  }
  if (type.startsWith("sk-")) return hardware(type);
  const isPublic = type !== "" || /^-{4,5} ?BEGIN (SSH2 |RSA |EC )?PUBLIC KEY/.test(text);
  if (!isPublic) return undefined;
  const blob = type === "" ? undefined : Buffer.from(base64, "base64");
  return { kind: "public", blob, why: "it is a public key", next: PRIVATE_HALF };
}

function hardware(type: string): KeyText {
  return {
    kind: "unfit",
    why: `it is a key in hardware (${type}), which ssh2 cannot use, by an agent neither`,
    next: "Give the machine a key of another kind for deployments: ssh-keygen -t ed25519",
  };
}

function isEncrypted(text: string): boolean {
  return (
    /^(Proc-Type: 4,ENCRYPTED|-----BEGIN ENCRYPTED PRIVATE KEY-----)$/m.test(text) ||
    /^PuTTY-User-Key-File-2: ssh-rsa\nEncryption: (?!none$)/m.test(text)
  );
}

/** ssh2 does not read PKCS#8, which openssl and Terraform's tls_private_key write; node does. */
function parseAny(text: string, passphrase: string | undefined): ParsedKey | Error {
  try {
    const known = /^-----BEGIN (ENCRYPTED )?PRIVATE KEY-----$/m.test(text)
      ? fromPkcs8(text, passphrase)
      : text;
    const parsed: unknown = utils.parseKey(known, passphrase ?? "");
    return (Array.isArray(parsed) ? parsed[0] : parsed) as ParsedKey | Error;
  } catch (error) {
    return new Error(messageOf(error));
  }
}

function fromPkcs8(text: string, passphrase: string | undefined): string {
  const key: KeyObject = createPrivateKey({ key: text, ...(passphrase && { passphrase }) });
  switch (key.asymmetricKeyType) {
    case "rsa":
      return key.export({ type: "pkcs1", format: "pem" }) as string;
    case "ec":
      return key.export({ type: "sec1", format: "pem" }) as string;
    case "ed25519":
      return openSshEd25519(key);
    default:
      throw new Error(`${key.asymmetricKeyType ?? "this kind of"} keys are none of SSH's`);
  }
}
