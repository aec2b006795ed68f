import assert from "node:assert/strict";
import {
  both,
  recordedStanding,
  removalTtlMs,
  rolloutTtlMs,
  wantedStanding,
} from "../../../provider/rolling-container/lock-ttl";
import { recordedUpdate, UPDATE_DEFAULTS } from "../../../provider/rolling-container/update-settings";
import { desiredService } from "../../support/rollout";

const MINUTE_MS = 60_000;

describe("rolloutTtlMs", () => {
  const update = { ...UPDATE_DEFAULTS, delayMs: 30 * MINUTE_MS };
  const { progressDeadlineMs, delayMs } = update;
  const extent = { hosts: 3, leaving: 0, tasksMs: 0, standing: wantedStanding(desiredService()) };

  it("must leave a rollout its pauses between hosts, and their deadlines", () => {
    assert.ok(rolloutTtlMs(update, extent) >= 3 * progressDeadlineMs + 2 * delayMs);
  });

  it("must leave it the time to put every host back", () => {
    assert.ok(rolloutTtlMs(update, extent) >= 2 * 3 * progressDeadlineMs + 2 * delayMs);
  });

  it("must leave it what does not count against the progressDeadline: drains and stops of each slot", () => {
    const standing = { replicas: 4, stopMs: 5 * MINUTE_MS, drainMs: 15 * MINUTE_MS, exchanges: false };
    const none = { ...standing, stopMs: 0, drainMs: 0 };
    const waitsMs =
      rolloutTtlMs(update, { ...extent, standing }) - rolloutTtlMs(update, { ...extent, standing: none });
    assert.ok(waitsMs >= 2 * 3 * 4 * 20 * MINUTE_MS, `${waitsMs}`);
  });

  it("must leave it the switches of the program on the host, where there may be any", () => {
    const ttlMs = (exchanges: boolean): number =>
      rolloutTtlMs(update, { ...extent, standing: { ...extent.standing, exchanges } });
    assert.equal(extent.standing.exchanges, true, "it publishes a port");
    assert.ok(ttlMs(true) - ttlMs(false) >= 2 * 3 * update.healthyDeadlineMs);
    assert.equal(wantedStanding(desiredService({ spec: {} })).exchanges, false);
  });

  it("must count what served before, too", () => {
    const place = { target: "root@a:22", network: "edge", scheme: "http", address: "a", port: 80 };
    const proxy = { name: "edge", ...place, tcpPorts: [] };
    const route = { proxy, hosts: ["example.com"], port: 3000, drainTimeout: "15m" };
    const before = recordedStanding({ replicas: 3, stopTimeout: "5m", route });
    assert.deepEqual(both(wantedStanding(desiredService()), before), {
      replicas: 3,
      stopMs: 5 * MINUTE_MS,
      drainMs: 15 * MINUTE_MS,
      exchanges: true,
    });
    assert.deepEqual(recordedStanding({}), { replicas: 1, stopMs: 10_000, drainMs: 0, exchanges: false });
  });
});

describe("removalTtlMs", () => {
  it("must leave a removal the recorded progressDeadline, and the drains and stops of each slot", () => {
    const update = recordedUpdate({
      update: { progressDeadline: "40m", healthyDeadline: "5m", lockWait: "1s" },
    });
    const standing = { replicas: 4, stopMs: 5 * MINUTE_MS, drainMs: 15 * MINUTE_MS, exchanges: false };
    assert.ok(removalTtlMs(update, standing, 1) >= (40 + 4 * 20) * MINUTE_MS);
  });
});

describe("recordedUpdate", () => {
  it("must be what the outputs say, and the default for what does not read", () => {
    const update = { progressDeadline: "40m", lockWait: 7, parallelism: "half" };
    assert.deepEqual(recordedUpdate({ update }), { ...UPDATE_DEFAULTS, progressDeadlineMs: 2_400_000 });
    assert.deepEqual(recordedUpdate({}), UPDATE_DEFAULTS);
    assert.deepEqual(recordedUpdate({ update: "fast" }), UPDATE_DEFAULTS);
  });
});
