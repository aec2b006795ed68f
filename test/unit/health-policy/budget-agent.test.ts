import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { GROUND } from "../../../provider/health-policy/agent/ground";
import {
  type Budget,
  pauseAfterMs,
  pauseLeftMs,
  restartsWithin,
} from "../../../provider/health-policy/budget";
import { TemporaryFolder } from "../../support/temporary-folder";

const SHELLS = [["dash"], ["bash"], ["busybox", "sh"]].filter(
  ([command = ""]) => spawnSync(command, ["-c", ":"]).error === undefined,
);
const NOW = 100_000;

/** All in seconds, which is what the agent knows; restarts as they lie before now. */
interface Case {
  readonly maxRestarts: number;
  readonly window: number;
  readonly backoff: number;
  readonly ago: readonly number[];
}

const BUDGETS = [
  [3, 600, 10],
  [1, 60, 10],
  [5, 600, 120],
  [20, 600, 10],
  [7, 600, 1],
  [3, 10, 300],
  [100, 3_600, 2],
] as const;
const HISTORIES = [
  [],
  [0],
  [1],
  [9],
  [10],
  [11],
  [30, 10],
  [39, 19],
  [600],
  [601, 599],
  [599, 300, 85],
  [90, 80, 60, 30, 29],
  [-5],
  [-599],
  [-600],
  [20, -5],
  [-90_000, 3],
];
const CASES: readonly Case[] = BUDGETS.flatMap(([maxRestarts, window, backoff]) =>
  HISTORIES.map((ago) => ({ maxRestarts, window, backoff, ago })),
);

describe("the budget of a policy and of its agent", () => {
  const folder = new TemporaryFolder();
  after(() => folder.remove());

  const wanted = ({ maxRestarts, window, backoff, ago }: Case): string => {
    const budget: Budget = { maxRestarts, windowMs: window * 1_000, backoffMs: backoff * 1_000 };
    const times = restartsWithin(
      ago.map((seconds) => (NOW - seconds) * 1_000),
      budget,
      NOW * 1_000,
    );
    const pauseMs = pauseAfterMs(times.length, budget);
    // the agent counts whole seconds, and rounds a pause down, so that all of them find room in the window
    const fractionMs = pauseMs % 1_000;
    const leftMs = Math.max(0, pauseLeftMs(times, budget, NOW * 1_000) - fractionMs);
    return [times.length, (pauseMs - fractionMs) / 1_000, Math.ceil(leftMs / 1_000)].join(" ");
  };

  for (const [command = "", ...args] of SHELLS) {
    it(`must be the same in every case, in ${[command, ...args].join(" ")}`, () => {
      const calls = CASES.map(({ maxRestarts, window, backoff, ago }) => {
        const ledger =
          ago.map((seconds) => `echo "a1 ${NOW - seconds}"; echo "b2 ${NOW - 1}"`).join("; ") || ":";
        return `{ ${ledger}; } >ledger; rm -f ahead; MAX=${maxRestarts} WINDOW=${window} BACKOFF=${backoff}
          spent a1; pause_of "$MADE"; paused a1; echo "$MADE $PAUSE $LEFT"`;
      });
      const program = [GROUND, `NOW=${NOW} TMP=.`, ...calls].join("\n");
      const { stdout, stderr } = spawnSync(command, [...args, "-c", program], {
        ...{ cwd: folder.path, encoding: "utf8" },
      });
      assert.equal(stderr, "");
      const said = stdout.trim().split("\n");
      assert.deepEqual(
        CASES.map((each, at) => [each, said[at]]),
        CASES.map((each) => [each, wanted(each)]),
      );
    });
  }
});
