import type {
  Algorithms,
  CipherAlgorithm,
  MacAlgorithm,
  NegotiatedAlgorithms,
  ServerHostKeyAlgorithm,
} from "ssh2";

/** What Terrapin (CVE-2023-48795) can cut the start of, unless both sides count packets strictly. */
const NEED_STRICT: readonly string[] = [
  "chacha20-poly1305@openssh.com",
  "hmac-sha2-256-etm@openssh.com",
  "hmac-sha2-512-etm@openssh.com",
];

const CIPHERS: readonly CipherAlgorithm[] = [
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
  "aes128-ctr",
  "aes192-ctr",
  "aes256-ctr",
  "chacha20-poly1305@openssh.com",
];

const MACS: readonly MacAlgorithm[] = [
  "hmac-sha2-256-etm@openssh.com",
  "hmac-sha2-512-etm@openssh.com",
  "hmac-sha2-256",
  "hmac-sha2-512",
];

/**
 * What we offer, the fastest first: no SHA-1, no CBC. `withoutStrict` is for a machine that has no strict key exchange:
 * then also nothing that needs it.
 */
export function offeredAlgorithms(serverHostKey: readonly string[], withoutStrict: boolean): Algorithms {
  const safe = (name: string): boolean => !withoutStrict || !NEED_STRICT.includes(name);
  return {
    serverHostKey: [...serverHostKey] as ServerHostKeyAlgorithm[],
    cipher: CIPHERS.filter(safe),
    hmac: MACS.filter(safe),
    compress: ["none"],
  };
}

/** True when what was agreed on is safe only with strict key exchange. */
export function needsStrict({ cs, sc }: NegotiatedAlgorithms): boolean {
  return [cs.cipher, cs.mac, sc.cipher, sc.mac].some((name) => NEED_STRICT.includes(name));
}
