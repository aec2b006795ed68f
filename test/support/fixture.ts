import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const ROOT = path.join(__dirname, "..", "fixtures");

/** A recorded text, by its path below test/fixtures. */
export function fixture(...parts: readonly string[]): string {
  return readFileSync(path.join(ROOT, ...parts), "utf8");
}

/** The names of the fixtures in a folder, sorted. */
export function fixtureNames(...parts: readonly string[]): readonly string[] {
  return readdirSync(path.join(ROOT, ...parts)).sort();
}
