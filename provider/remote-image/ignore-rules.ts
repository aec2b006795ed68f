import path from "node:path";
import { type IgnorePattern, compilePattern } from "./ignore-pattern";

/**
 * The rules of a .dockerignore, which are those of moby's patternmatcher: what Docker leaves out is left out, whatever one
 * would think of a pattern. Not the rules of .gitignore, whose patterns hold in every folder.
 */
export interface IgnoreRules {
  /** What the rules say of a path (relative, with slashes), when it was not reached through its folder. */
  ignores(relativePath: string): boolean;
  /** The same for a walk: `folder` is what was said of the path's folder, undefined at the top. */
  look(relativePath: string, folder?: IgnoreVerdict): IgnoreVerdict;
  /** Whether a rule may take something back in below an ignored folder, which then has to be looked into. */
  mayKeepBelow(relativePath: string): boolean;
}

/** What the rules say of one path; `matched` is by rule, for what lies below. */
export interface IgnoreVerdict {
  readonly ignored: boolean;
  readonly matched: readonly boolean[];
}

/**
 * The rules of a .dockerignore text.
 * @throws SyntaxError for a pattern that is none, such as `[a`
 */
export function parseIgnoreRules(text: string): IgnoreRules {
  const patterns = readPatterns(text).map(compilePattern);
  const exceptions = patterns.filter((pattern) => pattern.isException);
  const look = (relativePath: string, folder?: IgnoreVerdict): IgnoreVerdict => {
    let ignored = false;
    const matched: boolean[] = [];
    for (const [index, pattern] of patterns.entries()) {
      let matches = folder?.matched[index] ?? false;
      // a rule that could change nothing is not asked
      if (!matches && pattern.isException === ignored) {
        matches =
          pattern.matches(relativePath) || (folder === undefined && matchesParent(pattern, relativePath));
      }
      matched.push(matches);
      if (matches) ignored = !pattern.isException;
    }
    return { ignored, matched };
  };
  return {
    look,
    ignores: (relativePath) => look(relativePath).ignored,
    mayKeepBelow: (relativePath) => exceptions.some((pattern) => mayMatchBelow(pattern, relativePath)),
  };
}

/** The patterns of a .dockerignore text, clean and relative, as moby's ignorefile reads them. */
export function readPatterns(text: string): readonly string[] {
  const patterns: string[] = [];
  for (const line of text.replace(/^\uFEFF/, "").split(/\r?\n/)) {
    const trimmed = line.trim();
    if (line.startsWith("#") || trimmed === "") continue;
    const isException = trimmed.startsWith("!");
    const pattern = isException ? trimmed.slice(1).trim() : trimmed;
    const clean = pattern === "" ? "" : cleanPath(pattern);
    const relative = clean.length > 1 && clean.startsWith("/") ? clean.slice(1) : clean;
    patterns.push(isException ? `!${relative}` : relative);
  }
  return patterns;
}

/** Go's path.Clean. */
function cleanPath(pattern: string): string {
  const clean = path.posix.normalize(pattern);
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
}

function matchesParent(pattern: IgnorePattern, relativePath: string): boolean {
  for (let at = relativePath.indexOf("/"); at !== -1; at = relativePath.indexOf("/", at + 1)) {
    if (pattern.matches(relativePath.slice(0, at))) return true;
  }
  return false;
}

/** False only where the text before an exception's first wildcard leads elsewhere. */
function mayMatchBelow({ text }: IgnorePattern, folder: string): boolean {
  const wildcard = text.search(/[*?[\\]/);
  if (wildcard === -1) return `${text}/`.startsWith(`${folder}/`) || folder.startsWith(`${text}/`);
  const fixed = text.slice(0, wildcard);
  return fixed.startsWith(`${folder}/`) || `${folder}/`.startsWith(fixed);
}
