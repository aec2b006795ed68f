import assert from "node:assert/strict";
import { isSlipwayError, SlipwayError } from "../../../provider/errors";
import { silentLog } from "../../../provider/log";
import { JUST_SEEN_MS } from "../../../provider/rolling-container/lock";
import { planHost } from "../../../provider/rolling-container/plan";
import { type HostRollout, rollHosts } from "../../../provider/rolling-container/roll-hosts";
import { UPDATE_DEFAULTS } from "../../../provider/rolling-container/update-settings";
import { FakeEngine } from "../../support/fake-engine";
import { desiredService, foundContainer, foundHost, LIMITS, wantedContainer } from "../../support/rollout";

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

  const lostLock = async (engine: FakeEngine, message: RegExp): Promise<void> => {
    const taken = new SlipwayError({
      code: "service-locked",
      what: "changing it",
      why: "they took over its lock",
    });
    const lock = { id: "lock", release: () => Promise.resolve(), assertHeld: () => Promise.reject(taken) };
    // what they have brought about meanwhile: another version serves, and ours is kept
    const theirs = foundHost(
      [
        wantedContainer({ id: "id-theirs" }),
        foundContainer({ name: "web.aaaaaaaa", id: "id-web", state: "exited" }),
      ],
      { target: "root@a:22" },
    );
    const given = { spec: {}, update: UPDATE_DEFAULTS };
    const lost: HostRollout = {
      ...rollout(engine, "root@a:22", given),
      locks: [lock],
      observe: () => Promise.resolve(theirs),
    };
    await assert.rejects(rollHosts([lost]), message);
    assert.deepEqual(
      engine.calls.filter((call) => call.includes("id-web") && !call.includes("id-web.next")),
      [],
    );
  };

  it("must put nothing back where somebody else took over the lock", () =>
    lostLock(new FakeEngine(), /could not rename web.*they took over its lock/));

  it("must put nothing back under a lock that is lost, when something else failed before it was seen", () => {
    const engine = new FakeEngine();
    engine.failing.set("start id-web.next", 500);
    return lostLock(engine, /could not start web\.next.*they took over its lock/);
  });

  it("must know its lock held just now before the live one is touched, and before the first commit", async () => {
    const engine = new FakeEngine();
    const order: string[] = [];
    engine.onCall = (call) => order.push(call);
    const assertHeld = (seenWithinMs?: number): Promise<void> => {
      order.push(`held ${seenWithinMs ?? "lately"}`);
      return Promise.resolve();
    };
    const lock = { id: "lock", release: () => Promise.resolve(), assertHeld };
    const locked = { ...rollout(engine, "root@a:22"), locks: [lock] };
    await rollHosts([locked]);
    const before = (call: string): string | undefined =>
      order.slice(0, order.indexOf(call)).findLast((each) => each.startsWith("held"));
    assert.equal(before("stop id-web"), `held ${JUST_SEEN_MS}`);
    assert.equal(before("rename id-web web.aaaaaaaa"), `held ${JUST_SEEN_MS}`);
    assert.equal(before("rename id-web.next web"), "held lately");
  });

  const ATOMIC = { ...UPDATE_DEFAULTS, strategy: "atomic" } as const;

  it("must touch no live one when another host's gate fails, with the strategy atomic, and name that host alone", async () => {
    const [a, b] = [new FakeEngine(), new FakeEngine()];
    b.failing.set("start id-web.try", 500);
    const given = { update: ATOMIC };
    await assert.rejects(
      rollHosts([rollout(a, "root@a:22", given), rollout(b, "root@b:22", given)]),
      (error) => {
        assert.ok(isSlipwayError(error, "rollout-failed"));
        assert.match(error.message, /on root@b:22: could not start web\.try/);
        assert.doesNotMatch(error.message, /root@a/);
        return true;
      },
    );
    for (const engine of [a, b]) {
      assert.ok(
        !engine.calls.some((call) => /^(stop|update|rename) id-web$/.test(call)),
        String(engine.calls),
      );
      assert.ok(engine.calls.includes("remove id-web.next"));
    }
  });

  it("must prove every slot on every host before the first is switched, with the strategy atomic", async () => {
    const [a, b] = [new FakeEngine(), new FakeEngine()];
    const given = { update: ATOMIC, spec: {}, replicas: 2 };
    const two = [foundContainer(), foundContainer({ name: "web-2" })];
    const order: string[] = [];
    for (const [name, engine] of Object.entries({ a, b }))
      engine.onCall = (call) => order.push(`${name} ${call}`);
    await rollHosts([rollout(a, "root@a:22", given, two), rollout(b, "root@b:22", given, two)]);
    const starts = order.map((call, at) => (call.includes(" start ") ? at : -1));
    const firstRename = order.findIndex((call) => call.includes(" rename "));
    assert.equal(starts.filter((at) => at >= 0).length, 4);
    assert.ok(Math.max(...starts) < firstRename, order.join("\n"));
  });

  it("must put every host back when one fails in the switch, with the strategy atomic", async () => {
    const [a, b] = [new FakeEngine(), new FakeEngine()];
    b.failing.set("start id-web.next", 500);
    const done = rollout(a, "root@a:22", { update: ATOMIC });
    const now = foundHost([
      wantedContainer({ id: "new" }),
      foundContainer({ id: "id-web", name: "web.aaaaaaaa", state: "exited" }),
    ]);
    const observe = () => Promise.resolve(now);
    await assert.rejects(
      rollHosts([{ ...done, observe }, rollout(b, "root@b:22", { update: ATOMIC })]),
      /on root@b:22: could not start web\.next[^]*were put back/,
    );
    assert.ok(b.calls.includes("start id-web"), "the failing one takes its own back");
    assert.deepEqual(a.calls.slice(-6), [
      "stop new",
      "start id-web",
      "rename new web.next",
      "rename id-web web",
      "update id-web",
      "remove new",
    ]);
  });

  it("must take as many hosts at a time as parallelism says, the canary alone, with the delay between them", async () => {
    const engines = Array.from({ length: 4 }, () => new FakeEngine());
    const update = { ...PLAIN, parallelism: { percent: 50 }, canary: true, delayMs: 60_000 };
    const ended: number[] = [];
    const clock = engines[0]?.clock ?? new FakeEngine().clock;
    const rollouts = engines.map((engine, index) => {
      engine.onCall = (call) => call === "create web.next" && ended.push(index);
      const one = rollout(engine, `root@${index}:22`, { update });
      return { ...one, host: { ...one.host, clock } };
    });
    await rollHosts(rollouts);
    assert.deepEqual(ended, [0, 1, 2, 3]);
    // canary, then two, then one: two pauses
    assert.ok(clock.now() >= 120_000 && clock.now() < 180_000, String(clock.now()));
  });

  /** Two hosts, of which the first is done when the run is stopped in the pause before the second. */
  async function stoppedInPause(a: FakeEngine, b: FakeEngine, message: RegExp): Promise<void> {
    const stopped = new AbortController();
    const update = { ...PLAIN, parallelism: 1, delayMs: 60_000 };
    const log = {
      ...silentLog,
      progress: (line: string): void => {
        if (line.includes("update.delay")) stopped.abort(new Error("the run was stopped"));
      },
    };
    const now = foundHost([
      wantedContainer({ id: "new" }),
      foundContainer({ id: "id-web", name: "web.aaaaaaaa", state: "exited" }),
    ]);
    const stopping = (one: HostRollout): HostRollout => ({
      ...one,
      host: { ...one.host, log, signal: stopped.signal },
    });
    const done = { ...rollout(a, "root@a:22", { update }), observe: () => Promise.resolve(now) };
    const next = rollout(b, "root@b:22", { update });
    await assert.rejects(rollHosts([stopping(done), stopping(next)]), message);
    assert.deepEqual(b.calls, []);
  }

  it("must put the hosts back that are done when the run is stopped in the pause before the next", async () => {
    const a = new FakeEngine();
    await stoppedInPause(
      a,
      new FakeEngine(),
      /on root@b:22: the run was stopped[^]*hosts done before \(1\) were put back/,
    );
    assert.equal(a.calls.filter((call) => call === "rename id-web web").length, 1, a.calls.join("\n"));
  });

  it("must say which host could not be put back when the run is stopped in a pause", () => {
    const a = new FakeEngine();
    a.failing.set("start id-web", 500);
    return stoppedInPause(a, new FakeEngine(), /the run was stopped[^]*Taking it back failed too: root@a:22/);
  });

  it("must put limits that were changed in place back on the hosts before the one that refused them", async () => {
    const [a, b] = [new FakeEngine(), new FakeEngine()];
    b.failing.set("update id-web", 500);
    const given = { update: { ...PLAIN, parallelism: 1 }, limits: { ...LIMITS, memory: 256 } };
    const had = { ...LIMITS, memory: 512 };
    const done = rollout(a, "root@a:22", given, [wantedContainer({ limits: had })]);
    const now = foundHost([wantedContainer({ limits: given.limits })]);
    const observe = () => Promise.resolve(now);
    const refusing = rollout(b, "root@b:22", given, [wantedContainer({ limits: had })]);
    await assert.rejects(
      rollHosts([{ ...done, observe }, refusing]),
      /hosts done before \(1\) were put back/,
    );
    assert.deepEqual(a.calls, ["update id-web", "update id-web"]);
  });

  it("must show in the one row which host is at work, who is queued behind it, and the pause before the next", async () => {
    const shown: string[] = [];
    const log = { ...silentLog, progress: (line: string): void => void shown.push(line) };
    const update = { ...PLAIN, parallelism: 1, delayMs: 60_000 };
    const engines = ["a", "b", "c", "d"].map((name) => [new FakeEngine(), `root@${name}:22`] as const);
    const rollouts = engines.map(([engine, target]) => {
      const one = rollout(engine, target, { update });
      return { ...one, host: { ...one.host, log } };
    });
    await rollHosts(rollouts);
    const starts = shown.filter((line) => line.includes("start web.next"));
    assert.deepEqual(
      starts.map((line) => line.replace(/start web\.next.*\)/, "start")),
      [
        "root@a:22: start; queued behind it: root@b:22, root@c:22 and 1 more",
        "root@b:22: start; queued behind it: root@c:22, root@d:22",
        "root@c:22: start; queued behind it: root@d:22",
        "root@d:22: start",
      ],
    );
    assert.ok(shown.includes("root@d:22: begins in 1m, after update.delay"), shown.join("\n"));
    shown.length = 0;
    await rollHosts(rollouts.slice(0, 1));
    assert.ok(shown.length > 0 && shown.every((line) => !line.includes("root@a:22")), shown.join("\n"));
  });

  it("must not count a slot's stop against the progressDeadline of the slots after it", async () => {
    const engine = new FakeEngine();
    const update = { ...PLAIN, progressDeadlineMs: 20_000 };
    const two = [foundContainer(), foundContainer({ name: "web-2" })];
    engine.onCall = (call) => call === "stop id-web" && engine.clock.advance(60_000);
    await rollHosts([rollout(engine, "root@a:22", { replicas: 2, spec: { ports: [] }, update }, two)]);
    assert.ok(engine.calls.includes("rename id-web-2.next web-2"));
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
