/** A word that nobody else has: ten digits and small letters. Not a secret: `random` may be `Math.random`. */
export function nonce(random: () => number): string {
  return Array.from({ length: 10 }, () => Math.floor(random() * 36).toString(36)).join("");
}
