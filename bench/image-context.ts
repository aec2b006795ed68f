import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";

/** How many files the context has, the Dockerfile not counted. */
export const FILES = 5_000;
const FILES_A_FOLDER = 50;
const BYTES = 200_000_000;
/** The files of one's own, which the last step of the Dockerfile takes; the others are what one depends on. */
const OWN_FILES = 500;
const DOCKERFILE = `FROM scratch
COPY vendor /app/vendor
COPY src /app/src
CMD ["/app/src/0/file-0.js"]
`;
const WORDS =
  "const return function export import await if else string number true false undefined this new".split(" ");

/** Writes a context of 5,000 files of code and 200 MB, the same every time. */
export function fillContext(folder: string): void {
  const random = randomOf(1);
  // from a thirtieth to ten times the mean, as files are
  const weights = Array.from({ length: FILES }, () => 10 ** (1.5 * random() + random()));
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  for (const [at, weight] of weights.entries()) {
    const file = path.join(folder, nameOf(at));
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, textOf((BYTES * weight) / whole, random));
    utimesSync(file, 1_700_000_000, 1_700_000_000);
  }
  writeFileSync(path.join(folder, "Dockerfile"), DOCKERFILE);
}

/** Changes one line of one file of one's own, another way each time. */
export function changeLine(folder: string, turn: number): void {
  const file = path.join(folder, nameOf(turn % OWN_FILES));
  const lines = textOf(40_000, randomOf(turn + 2)).split("\n");
  lines[100] = `// change ${turn}`;
  writeFileSync(file, lines.join("\n"));
}

function nameOf(at: number): string {
  const tree = at < OWN_FILES ? "src" : "vendor";
  return `${tree}/${Math.floor(at / FILES_A_FOLDER)}/file-${at}.js`;
}

function textOf(bytes: number, random: () => number): string {
  const parts: string[] = [];
  for (let length = 0; length < bytes; ) {
    const word =
      random() < 0.5
        ? (WORDS[Math.floor(random() * WORDS.length)] ?? "")
        : random().toString(36).slice(2, 10);
    const part = random() < 0.12 ? `${word};\n` : `${word} `;
    parts.push(part);
    length += part.length;
  }
  return parts.join("");
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
