/** OpenSSH's pattern list (ssh_config(5), PATTERNS): one has to match, and none that begins with `!`. */
export function matchesPatterns(patterns: readonly string[], text: string): boolean {
  const hit = (pattern: string): boolean => wildcard(pattern).test(text);
  if (patterns.some((pattern) => pattern.startsWith("!") && hit(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith("!") && hit(pattern));
}

function wildcard(pattern: string): RegExp {
  const text = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${text}$`, "s");
}
