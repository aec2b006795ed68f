import assert from "node:assert/strict";
import { executePlan } from "../../../provider/health-policy/execute";
import type { Operation } from "../../../provider/health-policy/plan";
import type { Reach } from "../../../provider/health-policy/reach";
import { silentLog } from "../../../provider/log";
import { FakeClock } from "../../support/fake-clock";

function restart(target: string): Operation {
  const subject = { target, container: { id: "1", name: "web" } };
  return { kind: "restart", subject, spent: [] } as unknown as Operation;
}

describe("executePlan", () => {
  for (const [how, lanes] of [
    ["lanes", [[restart("a")], [restart("b")]]],
    ["one lane", [[restart("a"), restart("b")]]],
  ] as const) {
    it(`must not end while a host is still being worked on: ${how}`, async () => {
      const events: string[] = [];
      let end = (): void => {};
      const working = new Promise<void>((resolve) => (end = resolve));
      const reach: Reach = {
        targets: ["a", "b"],
        async on(target) {
          if (target === "b") await working;
          events.push(target);
          throw new Error(`${target} is gone`);
        },
      };
      const plan = { lanes: lanes.map((operations) => ({ service: "web", width: 2, operations })) };
      const budget = { maxRestarts: 1, windowMs: 1_000, backoffMs: 1 };
      const signal = new AbortController().signal;
      const run = executePlan(plan, {
        clock: new FakeClock(),
        log: silentLog,
        signal,
        reach,
        budget,
        noteRestart: () => Promise.resolve(),
      });
      const told = run.catch((error: unknown) => void events.push(String(error)));
      await new Promise(setImmediate);
      end();
      await told;
      assert.deepEqual(events, ["a", "b", "Error: a is gone\nb is gone"]);
    });
  }
});
