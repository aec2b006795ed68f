import assert from "node:assert/strict";
import { isSlipwayError } from "../../../provider/errors";
import { planHost } from "../../../provider/rolling-container/plan";
import { type HostRollout, rollHosts } from "../../../provider/rolling-container/roll-hosts";
import { UPDATE_DEFAULTS } from "../../../provider/rolling-container/update-settings";
import { FakeEngine } from "../../support/fake-engine";
import { desiredService, foundContainer, foundHost } from "../../support/rollout";

const PLAIN = { ...UPDATE_DEFAULTS, switch: "plain", parallelism: 2 } as const;

/** A host where these containers stand and another is wanted. */
function rollout(
  engine: FakeEngine,
  target: string,
  given = {},
  containers = [foundContainer()],
): HostRollout {
  const access = engine.access();
  const before = foundHost(containers, { target });
  const desired = desiredService({ update: PLAIN, ...given });
  return {
    host: { ...access, session: { ...access.session, target } },
    locks: [],
    desired,
    before,
    plan: planHost(before, desired),
    observe: () => Promise.resolve(before),
  };
}

describe("rollHosts", () => {
  it("must say what failed on every host of a batch, and what could not be taken back there", async () => {
    const [a, b] = [new FakeEngine(), new FakeEngine()];
    a.failing.set("create web.next", 500);
    b.failing.set("start id-web.next", 500);
    b.failing.set("start id-web", 500);
    await assert.rejects(rollHosts([rollout(a, "root@a:22"), rollout(b, "root@b:22")]), (error) => {
      assert.ok(isSlipwayError(error, "rollback-failed"));
      assert.match(error.message, /on root@a:22: could not create web\.next/);
      assert.match(error.message, /It failed on root@b:22 too: Docker says: no/);
      assert.match(error.message, /root@b:22: start web: Docker says: no/);
      return true;
    });
  });

  it("must count one progressDeadline for all slots of a host", async () => {
    const engine = new FakeEngine();
    const update = { ...PLAIN, progressDeadlineMs: 6_000 };
    const spec = { ports: [] };
    const run = rollHosts([rollout(engine, "root@a:22", { replicas: 3, spec, update }, [])]);
    await assert.rejects(run, /web-2\.next did not pass its gate/);
    assert.ok(!engine.calls.includes("create web-3.next"));
  });
});
