import { CASES } from "./all-cases";
import type { FaultCase } from "./fault-case";
import { type Verdict, writeMatrix } from "./matrix";
import { Sites } from "./run-case";

const USAGE = "npm run test:faults -- [--list] [--quick] [--grep REGEX]...";

/** Runs the cases that the arguments choose, prints what became of each, and writes the matrix. */
async function main(argv: readonly string[]): Promise<number> {
  const chosen = choose(argv);
  if (argv.includes("--list")) {
    for (const { name, quick } of chosen) console.log(`${quick === true ? "quick " : "      "}${name}`);
    console.log(`${chosen.length} cases`);
    return 0;
  }
  const sites = new Sites();
  const verdicts: Verdict[] = [];
  const began = performance.now();
  try {
    for (const [index, fault] of chosen.entries()) {
      const startMs = performance.now();
      const verdict = await sites.run(fault);
      verdicts.push(verdict);
      const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
      console.log(
        `${index + 1}/${chosen.length} ${verdict.holds ? "holds " : "BREAKS"} ${verdict.name} (${seconds} s)\n      ${verdict.seen}`,
      );
      writeMatrix(CASES, verdicts);
    }
  } finally {
    await sites.dispose();
  }
  const broken = verdicts.filter(({ holds }) => !holds);
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  console.log(`\n${verdicts.length - broken.length} hold, ${broken.length} break, in ${minutes} min`);
  for (const { name, seen } of broken) console.log(`  ${name}\n      ${seen}`);
  return broken.length > 0 || verdicts.length === 0 ? 1 : 0;
}

function choose(argv: readonly string[]): readonly FaultCase[] {
  const patterns: RegExp[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at];
    if (word === "--grep") patterns.push(new RegExp(argv[++at] ?? ""));
    else if (word !== "--list" && word !== "--quick")
      throw new Error(`unknown argument ${word ?? ""}; usage: ${USAGE}`);
  }
  const quick = argv.includes("--quick");
  return CASES.filter(
    (fault) =>
      (!quick || fault.quick === true) &&
      (patterns.length === 0 || patterns.some((each) => each.test(fault.name))),
  );
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  },
);
