/** One pattern of a .dockerignore, as moby's patternmatcher has it. */
export interface IgnorePattern {
  /** Without the `!` of an exception. */
  readonly text: string;
  /** True for `!…`: what it matches is taken back in. */
  readonly isException: boolean;
  /** True for this very path; what lies below a matching folder is the caller's to know. */
  readonly matches: (relativePath: string) => boolean;
}

/**
 * One clean pattern, compiled.
 * @throws SyntaxError when it is none
 */
export function compilePattern(given: string): IgnorePattern {
  const isException = given.startsWith("!");
  const text = isException ? given.slice(1) : given;
  if (text === "") throw new SyntaxError(`illegal exclusion pattern: ${JSON.stringify(given)}`);
  mustBePattern(text);
  return { text, isException, matches: matcherOf(text) };
}

/** What Go's filepath.Match refuses, which moby asks first. */
function mustBePattern(text: string): void {
  const characters = Array.from(text);
  let at = 0;
  const fail = (): never => {
    throw new SyntaxError(`syntax error in pattern: ${JSON.stringify(text)}`);
  };
  const escaped = (): void => {
    if (characters[at] === "\\") at += 1;
    if (characters[at] === undefined) fail();
    at += 1;
  };
  /** One bound of a range in a class; something has to follow. */
  const bound = (): void => {
    if (characters[at] === "-" || characters[at] === "]") fail();
    escaped();
    if (characters[at] === undefined) fail();
  };
  while (at < characters.length) {
    if (characters[at] !== "[") {
      escaped();
      continue;
    }
    at += 1;
    if (characters[at] === "^") at += 1;
    for (let ranges = 0; ranges === 0 || characters[at] !== "]"; ranges += 1) {
      bound();
      if (characters[at] !== "-") continue;
      at += 1;
      bound();
    }
    at += 1;
  }
}

/** As moby's `Pattern.compile`, whose kinds of match differ in more than speed: `**` at the front is a suffix of any name. */
function matcherOf(text: string): IgnorePattern["matches"] {
  let kind: "exact" | "prefix" | "suffix" | "expression" = "exact";
  let expression = "";
  let inClass = false;
  const characters = Array.from(text);
  for (let at = 0, turn = 0; at < characters.length; turn += 1) {
    const character = characters[at++] ?? "";
    if (character === "*" && characters[at] === "*") {
      at += 1;
      if (characters[at] === "/") at += 1;
      if (at < characters.length) {
        // Go's dot is no line feed
        expression += "([^\\n]*/)?";
        kind = "expression";
      } else if (kind === "exact") {
        kind = "prefix";
      } else {
        expression += "[^\\n]*";
        kind = "expression";
      }
      if (turn === 0) kind = "suffix";
    } else if (character === "*" || character === "?") {
      expression += character === "*" ? "[^/]*" : "[^/]";
      kind = "expression";
    } else if (character === "\\") {
      expression += literal(characters[at++] ?? "\\", inClass);
      kind = "expression";
    } else if (character === "[" || (character === "]" && inClass)) {
      expression += inClass && character === "[" ? "\\[" : character;
      if (character === "[" && !inClass && characters[at] === "^") {
        expression += "^";
        at += 1;
      }
      inClass = character === "[";
      kind = "expression";
    } else if (inClass && character === "-") {
      expression += "-";
    } else {
      if (character === "]") kind = "expression";
      expression += literal(character, inClass);
    }
  }
  return matcher(kind, text, expression);
}

function matcher(
  kind: "exact" | "prefix" | "suffix" | "expression",
  text: string,
  expression: string,
): IgnorePattern["matches"] {
  switch (kind) {
    case "exact":
      return (path) => path === text;
    case "prefix":
      return (path) => path.startsWith(text.slice(0, -2));
    case "suffix": {
      const suffix = text.slice(2);
      return (path) => path.endsWith(suffix) || (suffix.startsWith("/") && path === suffix.slice(1));
    }
    case "expression": {
      const compiled = new RegExp(`^${expression}$`, "u");
      return (path) => compiled.test(path);
    }
  }
}

function literal(character: string, inClass: boolean): string {
  const isSpecial = /[\^$\\.*+?()[\]{}|/]/.test(character) || (inClass && character === "-");
  return isSpecial ? `\\${character}` : character;
}
