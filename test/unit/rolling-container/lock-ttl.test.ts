import assert from "node:assert/strict";
import { rolloutTtlMs } from "../../../provider/rolling-container/lock-ttl";
import { UPDATE_DEFAULTS } from "../../../provider/rolling-container/update-settings";

const MINUTE_MS = 60_000;

describe("rolloutTtlMs", () => {
  const update = { ...UPDATE_DEFAULTS, delayMs: 30 * MINUTE_MS };
  const extent = { hosts: 3, leaving: 0, tasksMs: 0 };

  it("must leave a rollout its pauses between hosts, and their deadlines", () => {
    const { progressDeadlineMs, delayMs } = update;
    assert.ok(rolloutTtlMs(update, extent) >= 3 * progressDeadlineMs + 2 * delayMs);
  });

  it("must leave it the time to put every host back", () => {
    const { progressDeadlineMs, delayMs } = update;
    assert.ok(rolloutTtlMs(update, extent) >= 2 * 3 * progressDeadlineMs + 2 * delayMs);
  });
});
