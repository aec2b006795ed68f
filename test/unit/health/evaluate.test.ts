import assert from "node:assert/strict";
import type { ObservedContainer } from "../../../provider/container/observed";
import { type Demand, evaluate, formatReason, type Sample } from "../../../provider/health/evaluate";
import type { ProbeResult } from "../../../provider/health/policy";
import { observedContainer } from "../../support/observed-container";

const PASS: ProbeResult = { verdict: "pass", durationMs: 2 };
const FAIL: ProbeResult = { verdict: "fail", durationMs: 2, output: "status 503" };
const PROBED: Demand = { check: "probe", startMs: 0, minHealthyMs: 3_000, deadlineMs: 10_000 };

type Look = readonly [
  atMs: number,
  probe?: ProbeResult | undefined,
  container?: Partial<ObservedContainer> | "gone",
];

const samples = (looks: readonly Look[]): readonly Sample[] =>
  looks.map(([atMs, probe, container]) => ({
    atMs,
    probe,
    container: container === "gone" ? undefined : observedContainer(container),
  }));

/** `good`, `wait: why` or `bad at ms: reason`. */
function told(looks: readonly Look[], demand: Partial<Demand> = {}): string {
  const evaluation = evaluate(samples(looks), { ...PROBED, ...demand });
  switch (evaluation.kind) {
    case "good":
      return "good";
    case "wait":
      return `wait: ${evaluation.why}`;
    case "bad":
      return `bad at ${evaluation.since}: ${formatReason(evaluation.reason)}`;
  }
}

describe("evaluate", () => {
  const cases: readonly (readonly [what: string, looks: readonly Look[], told: string, Partial<Demand>?])[] =
    [
      ["must wait before the first sample", [], "wait: not looked at yet"],
      ["must wait until it was asked", [[0]], "wait: not asked yet"],
      ["must not take one pass for health", [[0], [10, PASS]], "wait: healthy for 0ms of 3s"],
      ["must pass after unbroken health", [[0], [10, PASS], [1_500, PASS], [3_010, PASS]], "good"],
      ["must not pass a moment early", [[0], [10, PASS], [3_009, PASS]], "wait: healthy for 3s of 3s"],
      [
        "must begin anew after a failure",
        [[0], [10, PASS], [2_900, FAIL], [3_100, PASS], [4_000, PASS]],
        "wait: healthy for 900ms of 3s",
      ],
      ["must bear failures at first", [[0], [10, FAIL], [300, FAIL]], "wait: its check fails"],
      [
        "must give up at the deadline",
        [[0], [10, FAIL], [10_000, FAIL]],
        "bad at 10000: was not healthy within 10s (its check fails)",
      ],
      [
        "must give up at the deadline though healthy of late",
        [[0], [9_000, PASS], [10_000, PASS]],
        "bad at 10000: was not healthy within 10s (healthy for 1s of 3s)",
      ],
      [
        "must see an exit at once",
        [[0], [10, PASS], [300, PASS, { state: "exited", exitCode: 3 }]],
        "bad at 300: exited with code 3",
      ],
      [
        "must tell want of memory from an exit",
        [[0], [10, PASS, { state: "exited", exitCode: 137, oomKilled: true }]],
        "bad at 10: was killed for want of memory (exit code 137)",
      ],
      [
        "must see a restart by the count",
        [[0], [10, PASS], [300, PASS, { restartCount: 1 }]],
        "bad at 300: restarted by itself",
      ],
      [
        "must see a restart by the start",
        [[0], [10, PASS], [300, PASS, { startedAt: "2026-01-01T00:00:09Z" }]],
        "bad at 300: restarted by itself",
      ],
      [
        "must see a restart that goes on",
        [[0, undefined, { state: "restarting" }]],
        "bad at 0: restarted by itself",
      ],
      [
        "must not take the first start for a restart",
        [
          [0, undefined, { state: "created", startedAt: "0001-01-01T00:00:00Z" }],
          [10, PASS],
        ],
        "wait: healthy for 0ms of 3s",
      ],
      ["must see a removal", [[0], [10, PASS, "gone"]], "bad at 10: was removed by somebody"],
      [
        "must fail on a hanging probe",
        [[0], [5_000, { verdict: "fail", durationMs: 5_000, output: "", hung: true }]],
        "bad at 5000: its check hung",
      ],
      [
        "must fail when it cannot be asked",
        [[0], [5, { verdict: "cannot", reason: "no network" }]],
        "bad at 5: there is no way to ask it: no network",
      ],
      ["must not count a pause as health", [[0], [10, PASS, { state: "paused" }]], "wait: it is paused"],
      [
        "must stay bad",
        [[0], [10, PASS, "gone"], [20, PASS], [4_000, PASS]],
        "bad at 10: was removed by somebody",
      ],
      ["must take running for health without a check", [[0], [3_000]], "good", { check: "none" }],
      [
        "must see a crash without a check",
        [[0], [2_000, undefined, { state: "exited", exitCode: 1 }]],
        "bad at 2000: exited with code 1",
        { check: "none" },
      ],
      [
        "must take Docker's word where that is asked for",
        [
          [0, undefined, { health: "starting" }],
          [10, undefined, { health: "healthy" }],
          [3_010, undefined, { health: "healthy" }],
        ],
        "good",
        { check: "docker" },
      ],
      [
        "must wait for Docker's word",
        [[0, undefined, { health: "starting" }]],
        "wait: Docker says starting",
        { check: "docker" },
      ],
    ];
  for (const [what, looks, expected, demand] of cases) {
    it(what, () => assert.equal(told(looks, demand), expected));
  }
});
