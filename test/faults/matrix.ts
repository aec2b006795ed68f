import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { FaultCase } from "./fault-case";

/** What became of a case. */
export interface Verdict {
  readonly name: string;
  readonly did: string;
  readonly holds: boolean;
  /** What was seen, or what broke. */
  readonly seen: string;
}

const FILE = path.resolve(__dirname, "../../docs/faults.md");
const HOLDS = "| holds |";
const HEAD = `# What goes wrong, and what is left then

Written by \`npm run test:faults\`, which does each of these on a machine with Debian's Docker and judges it: somebody serves
afterwards, a container and a volume of somebody else are as they were, the next \`up\` converges, the one after it changes
nothing, \`destroy\` leaves nothing, and a secret of the service is in no log, label, state or file. "The deployer" is
Pulumi's CLI and our provider; it stands still at the point that the case names while the fault is done. \`web\` is the
service, \`web.next\` its candidate, \`web.try\` the copy, \`web.REVISION\` a kept one.

What does not hold: on a host without systemd the switch program is started again by a loop of ours, and that one by another.
Program and loop may be killed, also at once. Where somebody kills the outer loop and then the other two, or all three at once,
nobody watches the rules any more: the copy serves on by them, and should it die, too, the port is dead until the next \`up\`.

Debian's Docker 20.10, restarted on a machine that was loaded six times over, once came up with the service's port held for a
container that it had forgotten: nothing could be started there, the next \`up\` said so and what helps (to restart Docker once
more). It was seen in one of seven runs of that case, and not again, loaded or not.

`;

/**
 * Writes docs/faults.md, in the order of the cases. `whole`: this run's verdicts and nothing else; `again`: in place of older
 * ones of the same cases, of a run before a mend. Rows of cases that exist no more go.
 */
export function writeMatrix(
  cases: readonly FaultCase[],
  verdicts: readonly Verdict[],
  writes: "again" | "whole",
): void {
  const rows = new Map(writes === "again" ? earlierRows() : []);
  for (const verdict of verdicts) rows.set(verdict.name, rowOf(verdict));
  const all = cases.flatMap(({ name }) => rows.get(name) ?? []);
  const broken = all.filter((row) => !row.includes(HOLDS)).length;
  const again =
    writes === "again" ? ` (${verdicts.length} of them in the last run, the others before it)` : "";
  const sum = `${all.length} of ${cases.length} cases were run${again}, ${broken === 0 ? "and all hold" : `${broken} of them do not hold`}.\n\n`;
  const table = ["| case | what was done | verdict | what was seen |", "|---|---|---|---|", ...all];
  writeFileSync(FILE, `${HEAD}${sum}${table.join("\n")}\n`);
}

/** The cases that held when docs/faults.md was written. */
export function rowsThatHold(): ReadonlySet<string> {
  return new Set(readRows().flatMap(([name, row]) => (row.includes(HOLDS) ? [name] : [])));
}

/** As they were when this run began. */
let earlier: readonly (readonly [string, string])[] | undefined;
function earlierRows(): readonly (readonly [string, string])[] {
  return (earlier ??= readRows());
}

function readRows(): readonly (readonly [string, string])[] {
  return readFileSync(FILE, "utf8")
    .split("\n")
    .flatMap((line) => {
      const name = /^\| (.*?) \| /.exec(line)?.[1];
      return name === undefined || name === "case" ? [] : [[name, line] as const];
    });
}

function rowOf({ name, did, holds, seen }: Verdict): string {
  return `| ${cell(name)} | ${cell(did)} | ${holds ? "holds" : "**breaks**"} | ${cell(seen)} |`;
}

function cell(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[0-9a-f]{64}/g, "…")
    .replace(/svc\d+x/g, "web")
    .replace(/root@[\d.]+:\d+/g, "the host")
    .replace(/\b(\d+\.){3}\d+(:\d+)?\b/g, "…")
    .replaceAll("|", "\\|")
    .slice(0, 400);
}
