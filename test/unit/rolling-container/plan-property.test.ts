import assert from "node:assert/strict";
import fc from "fast-check";
import { MUTANTS } from "../../support/planner-mutants";
import { ROLLOUT_CASES } from "../../support/rollout-cases";
import type { Planner } from "../../support/rollout-model";
import { brokenPromise } from "../../support/rollout-promises";

/** More, or fewer, by the environment; CI runs this many. */
const RUNS = Number(process.env.SLIPWAY_PROPERTY_RUNS ?? 20_000);
/** The same cases every time, so that a change is judged by what it changes; "random" looks for new ones. */
const ASKED = process.env.SLIPWAY_PROPERTY_SEED ?? "1";
const SEED = ASKED === "random" ? Date.now() % 2 ** 31 : Number(ASKED);
const MUTANT_RUNS = 6_000;

function promisesHold(planner?: Planner) {
  return fc.property(ROLLOUT_CASES, (given) => {
    const broken = brokenPromise(given, planner);
    if (broken !== undefined) assert.fail(broken);
  });
}

describe("every plan", function () {
  this.timeout(Math.max(300_000, RUNS * 10));

  it(`must hold its promises from whatever stands there, cut wherever (${RUNS} cases, seed ${SEED})`, () => {
    fc.assert(promisesHold(), { numRuns: RUNS, seed: SEED });
  });

  for (const [name, planner] of MUTANTS) {
    it(`must be caught when it ${name}`, () => {
      const { failed } = fc.check(promisesHold(planner), {
        numRuns: MUTANT_RUNS,
        seed: 1,
        endOnFailure: true,
      });
      assert.ok(failed, `no case of ${MUTANT_RUNS} shows it`);
    });
  }
});
