import assert from "node:assert/strict";
import { StepClock } from "../../../provider/rolling-container/step-clock";
import { FakeClock } from "../../support/fake-clock";

const STOP = { kind: "stop", container: { name: "web" }, interrupts: false } as const;
const START = { kind: "start", container: { name: "web" } } as const;

describe("StepClock", () => {
  it("must stand still during waits with a limit of their own, and count those at once only once", async () => {
    const clock = new FakeClock(5_000);
    const time = new StepClock(clock, 10_000);
    let endFirst = (): void => {};
    const first = time.during(STOP, () => new Promise<void>((resolve) => (endFirst = resolve)));
    clock.advance(60_000);
    await time.during(STOP, () => Promise.resolve(clock.advance(60_000)));
    assert.equal(time.leftMs, 10_000);
    endFirst();
    await first;
    await time.during(START, () => Promise.resolve(clock.advance(4_000)));
    assert.deepEqual([time.waitedMs, time.leftMs], [120_000, 6_000]);
  });

  it("must go on after a wait that failed", async () => {
    const clock = new FakeClock();
    const time = new StepClock(clock, 10_000);
    await assert.rejects(time.during(STOP, () => Promise.reject(new Error("no"))));
    clock.advance(10_000);
    assert.equal(time.leftMs, 0);
  });
});
