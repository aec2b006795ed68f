import assert from "node:assert/strict";
import {
  changedKeys,
  keysThatRestart,
  mergeDaemonConfig,
  parseDaemonConfig,
} from "../../../../provider/docker-host/daemon/config";

describe("mergeDaemonConfig", () => {
  it("must keep what others wrote, nested keys too", () => {
    const current = { debug: true, "log-opts": { "max-size": "5m", tag: "x" } };
    const merged = mergeDaemonConfig(current, { "log-opts": { "max-size": "10m" } });
    assert.deepEqual(merged, { debug: true, "log-opts": { "max-size": "10m", tag: "x" } });
  });

  it("must take out what the program set before and no longer sets, unless somebody changed it", () => {
    const former = { debug: true, mtu: 1400, "log-opts": { tag: "x" } };
    const current = { debug: true, mtu: 1450, "log-opts": { tag: "x" } };
    assert.deepEqual(mergeDaemonConfig(current, {}, former), { mtu: 1450 });
  });

  it("must name the changed keys, and those that need a restart", () => {
    const [before, after] = [
      { debug: true, mtu: 1400 },
      { mtu: 1450, "live-restore": true },
    ];
    const keys = changedKeys(before, after);
    assert.deepEqual(keys, ["debug", "live-restore", "mtu"]);
    assert.deepEqual(keysThatRestart(before, after), ["mtu"]);
  });

  it("must restart for the feature that chooses the image store, and for no other", () => {
    const features = { "containerd-snapshotter": true };
    assert.deepEqual(keysThatRestart({}, { features }), ["features"]);
    assert.deepEqual(keysThatRestart({ features }, { features: { ...features, buildkit: false } }), []);
  });

  it("must read an empty file as empty, and anything but an object as none", () => {
    assert.deepEqual(parseDaemonConfig("\n"), {});
    assert.equal(parseDaemonConfig("[1]"), undefined);
    assert.equal(parseDaemonConfig("{"), undefined);
  });
});
