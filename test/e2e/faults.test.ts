import assert from "node:assert/strict";
import { CASES } from "../faults/all-cases";
import { Sites } from "../faults/run-case";

describe("the quick ones of the fault suite", () => {
  const sites = new Sites();

  after(() => sites.dispose());

  for (const fault of CASES.filter(({ quick }) => quick === true)) {
    it(`must hold: ${fault.name}`, async () => {
      const { verdict, log } = await sites.run(fault);
      assert.ok(verdict.holds, `${verdict.seen}\n${log}`);
    }).timeout(180_000);
  }
});
