import { parseArgs } from "node:util";
import { engineBench } from "./engine";
import { healthBench } from "./health";
import { hostBench } from "./host";
import { imageBench } from "./image";
import { rolloutBench } from "./rollout";
import { type Bench, formatBounds, missedBounds } from "./bench";
import { writeResult } from "./result";
import { formatTable } from "./table";

/** Every bench by its name on the command line. */
const BENCHES: Readonly<Record<string, Bench>> = {
  engine: engineBench,
  health: healthBench,
  host: hostBench,
  image: imageBench,
  rollout: rolloutBench,
};

const USAGE = `npm run bench -- NAME [--check] [--quick] [--only PART]   NAME is one of: ${Object.keys(BENCHES).join(", ")}
  --check       exit with 1 when a figure is outside its bound
  --quick       fewer and shorter samples, and no file
  --only PART   one part of it (rollout has parts), and no file`;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      check: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      only: { type: "string" },
    },
    allowPositionals: true,
  });
  const [name = ""] = positionals;
  const bench = BENCHES[name];
  if (bench === undefined || positionals.length !== 1) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const started = performance.now();
  const { rows, figures, versions } = await bench.run(print, { quick: values.quick, only: values.only });
  const isWhole = !values.quick && values.only === undefined;
  const file = isWhole ? writeResult({ bench: name, versions, figures, rows }) : "no file";
  const seconds = Math.round((performance.now() - started) / 1_000);
  print(`\n${formatTable(bench.columns, rows)}\n\n${formatBounds(bench.bounds, figures)}`);
  print(`\n${file}, ${seconds} s`);
  return values.check && missedBounds(bench.bounds, figures).length > 0 ? 1 : 0;
}

main().then(
  // what a contender leaves open (a ControlMaster's socket) must not keep us
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(
      `bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exit(1);
  },
);
