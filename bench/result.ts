import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, release } from "node:os";
import path from "node:path";
import type { Measured } from "./bench";

const FOLDER = path.join(__dirname, "results");

/** Writes `bench/results/<bench>.json`, and returns its path as seen from here. */
export function writeResult(result: Measured & { readonly bench: string }): string {
  const { bench, versions, figures, rows } = result;
  const machine = { cores: availableParallelism(), kernel: release(), node: process.versions.node };
  const text = { bench, at: new Date().toISOString(), machine, versions, figures, rows };
  mkdirSync(FOLDER, { recursive: true });
  const file = path.join(FOLDER, `${bench}.json`);
  writeFileSync(file, `${JSON.stringify(text, undefined, 2)}\n`);
  return path.relative(process.cwd(), file);
}
