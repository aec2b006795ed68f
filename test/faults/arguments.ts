import { availableParallelism } from "node:os";
import type { FaultCase } from "./fault-case";
import { rowsThatHold } from "./matrix";

export const USAGE = "npm run test:faults -- [--list] [--quick] [--again] [--grep REGEX]... [--jobs N]";

/** What the command line asks for. */
export interface Request {
  readonly chosen: readonly FaultCase[];
  readonly list: boolean;
  readonly jobs: number;
  /** What the run does with docs/faults.md: a run of a part says nothing of the whole. */
  readonly writes: "whole" | "again" | "nothing";
}

/** @throws Error for a word that is none of ours */
export function parseArguments(cases: readonly FaultCase[], argv: readonly string[]): Request {
  const flags = new Set<string>();
  const patterns: RegExp[] = [];
  let jobs = Math.min(4, availableParallelism() + 1); // a case mostly waits
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (word === "--grep") patterns.push(new RegExp(argv[++at] ?? ""));
    else if (word === "--jobs" && /^[1-9]\d?$/.test(argv[at + 1] ?? "")) jobs = Number(argv[++at]);
    else if (["--list", "--quick", "--again"].includes(word)) flags.add(word);
    else throw new Error(`not understood: ${word}; usage: ${USAGE}`);
  }
  const held = flags.has("--again") ? rowsThatHold() : new Set<string>();
  const chosen = cases.filter(
    ({ name, quick }) =>
      (!flags.has("--quick") || quick === true) &&
      !held.has(name) &&
      (patterns.length === 0 || patterns.some((each) => each.test(name))),
  );
  const isPart = flags.has("--quick") || patterns.length > 0;
  const writes = flags.has("--again") ? "again" : isPart ? "nothing" : "whole";
  return { chosen, list: flags.has("--list"), jobs, writes };
}
