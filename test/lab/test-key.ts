import { utils } from "ssh2";

/** A key pair made for the tests; the private half as OpenSSH text. */
export interface TestKey {
  readonly privateKey: string;
  readonly publicKey: string;
}

/**
 * Makes a key pair. Where the public part of an Ed25519 key begins with a zero byte, one in 256, ssh2 writes a key that nobody can
 * read, itself included (1.17: its keygen takes leading zeros off): then another one is made.
 */
export function testKey(type: "ed25519" | "rsa" = "ed25519", comment = ""): TestKey {
  for (;;) {
    const pair =
      type === "rsa"
        ? utils.generateKeyPairSync("rsa", { bits: 2048, comment })
        : utils.generateKeyPairSync(type, { comment });
    if (utils.parseKey(pair.private) instanceof Error) continue;
    return { privateKey: pair.private, publicKey: pair.public };
  }
}
