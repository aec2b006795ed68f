import assert from "node:assert/strict";
import { KEEPALIVE, startKeepalive } from "../../../../provider/host/transport/keepalive";

describe("startKeepalive", () => {
  const start = (count: number) => {
    const happened: string[] = [];
    let beat = (): void => {};
    const keepalive = startKeepalive(
      { intervalMs: 10_000, count },
      { ask: () => happened.push("ask"), dead: () => happened.push("dead") },
      (intervalMs, each) => {
        happened.push(`every ${intervalMs}`);
        beat = each;
        return () => happened.push("stop");
      },
    );
    return { happened, keepalive, beat: () => beat() };
  };

  it("must call a machine dead after as many unanswered questions, and ask no more", () => {
    const { happened, beat } = start(3);
    for (let beats = 0; beats < 4; beats += 1) beat();
    assert.deepEqual(happened, ["every 10000", "ask", "ask", "ask", "stop", "dead"]);
  });

  it("must begin to count anew with every sign of life", () => {
    const { happened, keepalive, beat } = start(2);
    for (let beats = 0; beats < 9; beats += 1) {
      beat();
      if (beats % 2 === 1) keepalive.heard();
    }
    assert.ok(!happened.includes("dead"));
  });

  it("must find a dead machine within 60 seconds by default", () => {
    assert.deepEqual(KEEPALIVE, { intervalMs: 10_000, count: 3 });
    assert.ok(KEEPALIVE.intervalMs * (KEEPALIVE.count + 1) <= 60_000);
  });
});
