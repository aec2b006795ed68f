import { createHash } from "node:crypto";
import type { TarPiece } from "./context-tar";

/**
 * A run of a tar's pieces, by their digests: one a line. A tar of thousands of files has some dozens of these, and a change
 * in one file changes one or two of them.
 */
export interface Recipe {
  /** SHA-256 of the text, hex. */
  readonly digest: string;
  readonly text: string;
}

/** All recipes of a tar in their order; its own text names them, one a line, and its digest is that of the whole tar's making. */
export interface RecipeBook extends Recipe {
  readonly recipes: readonly Recipe[];
}

/** A recipe ends after a piece whose digest begins with less than this: one in 85 or so. */
const LAST_BELOW = 3;
const MOST_PIECES = 512;

/** The recipes of a tar. Where one ends is said by what is in it: what is put in before moves no later end. */
export function recipeBook(pieces: readonly TarPiece[]): RecipeBook {
  const recipes: Recipe[] = [];
  let lines: string[] = [];
  const end = (): void => {
    if (lines.length > 0) recipes.push(recipe(lines));
    lines = [];
  };
  for (const { digest } of pieces) {
    lines.push(digest);
    if (Number.parseInt(digest.slice(0, 2), 16) < LAST_BELOW || lines.length === MOST_PIECES) end();
  }
  end();
  return { ...recipe(recipes.map(({ digest }) => digest)), recipes };
}

function recipe(lines: readonly string[]): Recipe {
  const text = lines.map((line) => `${line}\n`).join("");
  return { digest: createHash("sha256").update(text).digest("hex"), text };
}
