import path from "node:path";
import ignore from "@balena/dockerignore";

/** Which paths of a context (relative, with slashes) the build does not see. */
export interface IgnoreRules {
  ignores(relativePath: string): boolean;
  /** True when a rule takes paths back in, so that ignored folders have to be looked into. */
  readonly hasExceptions: boolean;
}

/**
 * The rules of a .dockerignore text.
 * @throws SyntaxError for a pattern that is none, such as `[a`
 */
export function parseIgnoreRules(text: string): IgnoreRules {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const rules = ignore({ ignorecase: false }).add(lines.map(literal));
  rules.ignores("a"); // compiles every pattern, so that a wrong one is told now
  return {
    ignores: (relativePath) => rules.ignores(relativePath),
    hasExceptions: lines.some((line) => line.trim().startsWith("!")),
  };
}

/** These mean something in a regular expression and nothing in Docker's patterns; the library hands them on as they are. */
function literal(line: string): string {
  return path.sep === "/" && !line.startsWith("#") ? line.replace(/(?<!\\)[+(){}|]/g, "\\$&") : line;
}
