import { CASES } from "./all-cases";
import { parseArguments, type Request } from "./arguments";
import type { FaultCase } from "./fault-case";
import { Lane } from "./lane";
import { type Verdict, writeMatrix } from "./matrix";

const INTERRUPTED = 130;

/** Runs the cases that the arguments choose, several at once, prints what became of each, and writes the matrix. */
async function main(argv: readonly string[]): Promise<number> {
  const request = parseArguments(CASES, argv);
  const { chosen, list, jobs } = request;
  if (list) {
    for (const { name, quick } of chosen) console.log(`${quick === true ? "quick " : "      "}${name}`);
    console.log(`${chosen.length} cases`);
    return 0;
  }
  const began = performance.now();
  const lanes = Array.from({ length: Math.min(jobs, chosen.length) }, () => new Lane());
  const stopped = new AbortController();
  const stop = (): void => {
    stopped.abort();
    for (const lane of lanes) void lane.end("now");
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  const verdicts: Verdict[] = [];
  const left = new Set(chosen);
  const work = async (lane: Lane, index: number): Promise<void> => {
    for (let fault = take(left, index); fault !== undefined; fault = take(left, index)) {
      const startMs = performance.now();
      const { verdict, log } = await lane.run(fault);
      if (stopped.signal.aborted) return;
      verdicts.push(verdict);
      print(verdict, log, `${verdicts.length}/${chosen.length}`, performance.now() - startMs);
      record(request, verdicts);
    }
    await lane.end("in order");
  };
  await Promise.all(lanes.map(work));
  const broken = verdicts.filter(({ holds }) => !holds);
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  console.log(`\n${verdicts.length - broken.length} hold, ${broken.length} break, in ${minutes} min`);
  for (const { name, seen } of broken) console.log(`  ${name}\n      ${seen}`);
  if (stopped.signal.aborted) return INTERRUPTED;
  return broken.length > 0 || verdicts.length === 0 ? 1 : 0;
}

/** A lane's next case. Those on a small disk need a host of their own: the first lane does them, before all others. */
function take(left: Set<FaultCase>, lane: number): FaultCase | undefined {
  const all = [...left];
  const small = lane === 0 ? all.find(({ smallDisk }) => smallDisk === true) : undefined;
  const fault = small ?? all.find(({ smallDisk }) => smallDisk !== true);
  if (fault !== undefined) left.delete(fault);
  return fault;
}

function print({ name, holds, seen }: Verdict, log: string, count: string, tookMs: number): void {
  if (log !== "") console.log(`${log}\n`);
  const seconds = (tookMs / 1_000).toFixed(1);
  console.log(`${count} ${holds ? "holds " : "BREAKS"} ${name} (${seconds} s)\n      ${seen}`);
}

function record({ writes }: Request, verdicts: readonly Verdict[]): void {
  if (writes !== "nothing") writeMatrix(CASES, verdicts, writes);
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  },
);
