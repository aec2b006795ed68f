import assert from "node:assert/strict";
import {
  addToLedger,
  mergeLedgers,
  LEDGER_KEY,
  pauseAfterMs,
  pauseLeftMs,
  recordedLedger,
  restartsWithin,
} from "../../../provider/health-policy/budget";

const BUDGET = { maxRestarts: 3, windowMs: 600_000, backoffMs: 10_000 };

describe("the budget of a HealthPolicy", () => {
  it("must double the pause with each restart, so that all of them find room in the window", () => {
    const pauses = (budget: typeof BUDGET) => [0, 1, 2, 3, 4, 5].map((made) => pauseAfterMs(made, budget));
    assert.deepEqual(pauses(BUDGET), [0, 10_000, 20_000, 40_000, 80_000, 160_000]);
    assert.deepEqual(pauses({ ...BUDGET, maxRestarts: 20 }), [0, 10_000, 20_000, 30_000, 30_000, 30_000]);
    assert.equal(pauseAfterMs(1, { ...BUDGET, backoffMs: 300_000 }), 300_000);
  });

  it("must count a pause from the last restart, whoever made it", () => {
    assert.equal(pauseLeftMs([], BUDGET, 5_000), 0);
    assert.equal(pauseLeftMs([1_000], BUDGET, 5_000), 6_000);
    assert.equal(pauseLeftMs([1_000], BUDGET, 11_000), 0);
    assert.equal(pauseLeftMs([0, 1_000], BUDGET, 5_000), 16_000);
  });

  it("must never wait longer than the pause, though a clock was put back", () => {
    assert.equal(pauseLeftMs([100_000], BUDGET, 0), 10_000);
    assert.deepEqual(restartsWithin([700_000], BUDGET, 0), []);
  });

  it("must forget what fell out of the window, and keep what others of the same policy did", () => {
    const ledger = { old: [1], other: [500_000] };
    const made = [
      { id: "web", at: 600_500 },
      { id: "web", at: 600_700 },
    ];
    assert.deepEqual(addToLedger({ ledger, nowMs: 601_000 }, made, BUDGET), {
      other: [500_000],
      web: [600_500, 600_700],
    });
  });

  it("must count what two know of once, though their clocks were compared at two times", () => {
    const agents = { a1: [1_000_000, 1_010_000, 1_020_000], c3: [7_000] };
    const recorded = { a1: [1_001_400, 1_009_000, 1_030_000], b2: [5_000] };
    assert.deepEqual(mergeLedgers(agents, recorded), {
      a1: [1_000_000, 1_010_000, 1_020_000, 1_030_000],
      b2: [5_000],
      c3: [7_000],
    });
  });

  it("must read what it recorded, and nothing into what is none of it", () => {
    assert.deepEqual(recordedLedger({ [LEDGER_KEY]: { web: [1, 2] } }), { web: [1, 2] });
    assert.deepEqual(recordedLedger({ [LEDGER_KEY]: { web: ["1"] } }), { web: [] });
    for (const recorded of [undefined, "x", []])
      assert.deepEqual(recordedLedger({ [LEDGER_KEY]: recorded }), {});
  });
});
