import type { Algorithms, ServerHostKeyAlgorithm } from "ssh2";

/**
 * What we offer: no SHA-1, no CBC, and no chacha20-poly1305, the only one of ssh2's defaults that Terrapin
 * (CVE-2023-48795) touches where a server lacks strict key exchange.
 */
export function offeredAlgorithms(serverHostKey: readonly string[]): Algorithms {
  return {
    serverHostKey: [...serverHostKey] as ServerHostKeyAlgorithm[],
    cipher: ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr"],
    hmac: [
      "hmac-sha2-256-etm@openssh.com",
      "hmac-sha2-512-etm@openssh.com",
      "hmac-sha2-256",
      "hmac-sha2-512",
    ],
    compress: ["none"],
  };
}
