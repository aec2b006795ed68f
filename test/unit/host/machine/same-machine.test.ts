import assert from "node:assert/strict";
import { type Connection, targetOf } from "../../../../provider/host/connection";
import {
  machineIdOf,
  machineIdsFrom,
  recordedMachineIds,
  refuseTwins,
} from "../../../../provider/host/machine/machine-id";
import {
  formatMoves,
  formerOf,
  leftOf,
  type Machines,
  movesOf,
} from "../../../../provider/host/machine/same-machine";

const ONE = "1".repeat(32);
const TWO = "2".repeat(32);

/** Hosts by address, each with its machine-id; empty text for one that has none. */
function machines(ids: Readonly<Record<string, string>>): Machines {
  const hosts = Object.keys(ids).map((host): Connection => ({ host }));
  const entries = hosts.map((host) => [targetOf(host), ids[host.host] ?? ""] as const);
  return { hosts, machineIds: machineIdsFrom(entries) };
}

const formerName = (name: string, now: Machines, before: Machines): string | undefined => {
  const host = now.hosts.find((each) => each.host === name);
  return host === undefined ? undefined : formerOf(host, now, before)?.host;
};
const leftNames = (before: Machines, now: Machines): readonly string[] =>
  leftOf(before, now).map(({ host }) => host);

describe("formerOf and leftOf", () => {
  it("must know a machine under another address, and take nothing out", () => {
    const before = machines({ a: ONE });
    const now = machines({ b: ONE });
    assert.equal(formerName("b", now, before), "a");
    assert.deepEqual(leftNames(before, now), []);
    assert.equal(formatMoves(movesOf(before, now)), "host moved from root@a:22 to root@b:22");
  });

  it("must call another machine new, and the old one taken out", () => {
    const before = machines({ a: ONE });
    const now = machines({ b: TWO });
    assert.equal(formerName("b", now, before), undefined);
    assert.deepEqual(leftNames(before, now), ["a"]);
    assert.equal(formatMoves(movesOf(before, now)), "");
  });

  it("must take a machine that was installed anew at its address for a new one, with nothing to remove there", () => {
    const before = machines({ a: ONE });
    const now = machines({ a: TWO });
    assert.equal(formerName("a", now, before), undefined);
    assert.deepEqual(leftNames(before, now), []);
  });

  it("must tell by the address where a machine-id is not known", () => {
    for (const [old, id] of [
      ["", ONE],
      [ONE, ""],
      ["", ""],
    ] as const) {
      const before = machines({ a: old });
      assert.equal(formerName("a", machines({ a: id }), before), "a");
      assert.equal(formerName("b", machines({ b: id }), before), undefined);
      assert.deepEqual(leftNames(before, machines({ b: id })), ["a"]);
    }
  });

  it("must follow two machines that changed addresses", () => {
    const before = machines({ a: ONE, b: TWO });
    const now = machines({ a: TWO, b: ONE });
    assert.deepEqual([formerName("a", now, before), formerName("b", now, before)], ["b", "a"]);
    assert.deepEqual(leftNames(before, now), []);
  });

  it("must take out the one that is gone when another moved", () => {
    const before = machines({ a: ONE, b: TWO });
    assert.deepEqual(leftNames(before, machines({ c: ONE })), ["b"]);
  });
});

describe("machineIdOf", () => {
  it("must take for an id only what tells machines apart", () => {
    assert.equal(machineIdOf({ machineId: ONE }), ONE);
    for (const machineId of ["", "uninitialized", "0".repeat(32), "1234"]) {
      assert.equal(machineIdOf({ machineId }), "");
    }
  });
});

describe("recordedMachineIds", () => {
  it("must read those of a DockerHost of a release that recorded one alone", () => {
    const target = "root@a:22";
    assert.deepEqual(recordedMachineIds({ targets: [target], machineId: ONE }), { [target]: ONE });
    assert.deepEqual(
      recordedMachineIds({ targets: [target], machineIds: { [target]: TWO }, machineId: ONE }),
      {
        [target]: TWO,
      },
    );
    assert.deepEqual(recordedMachineIds({ targets: [target] }), {});
  });
});

describe("refuseTwins", () => {
  it("must name both hosts with one machine-id, and the way out of a cloned image", () => {
    const ids = { "root@a:22": ONE, "root@b:22": TWO, "root@c:22": ONE };
    assert.throws(() => refuseTwins(ids), {
      code: "machine-twice",
      message: /root@a:22 and root@c:22: .*machine-id.*Nothing was touched.*systemd-machine-id-setup/,
    });
  });

  it("must let hosts without an id pass", () => {
    assert.doesNotThrow(() => refuseTwins(machineIdsFrom([["root@a:22", ""] as const, ["root@b:22", ""]])));
  });
});
