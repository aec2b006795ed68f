import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";

/** What nobody wrote for so long is forgotten. */
const KEPT_MS = 30 * 24 * 3_600_000;

/** The file for what goes by this key. */
export function memoryFile(folder: string, key: readonly (string | undefined)[]): string {
  const name = createHash("sha256").update(JSON.stringify(key)).digest("hex").slice(0, 32);
  return path.join(folder, `${name}.json`);
}

/** What an earlier run remembered; undefined where there is nothing that can be read. */
export function readMemory(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * Remembers it for the next run, in a file of the user's alone: names and digests tell what is in files. Where it cannot be written
 * nothing is remembered.
 */
export function writeMemory(file: string, memory: unknown, nowMs: number): void {
  const folder = path.dirname(file);
  const fresh = `${file}.${randomBytes(4).toString("hex")}`;
  const isWritten = ignoringErrors(() => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(fresh, JSON.stringify(memory), { mode: 0o600 });
    renameSync(fresh, file);
  });
  if (!isWritten) ignoringErrors(() => rmSync(fresh, { force: true }));
  ignoringErrors(() => {
    for (const name of readdirSync(folder)) {
      const other = path.join(folder, name);
      if (statSync(other).mtimeMs + KEPT_MS < nowMs) rmSync(other, { force: true });
    }
  });
}

/** No folder, a full disk, another run that tidies at the same time: a memory is worth no failure. */
function ignoringErrors(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}
