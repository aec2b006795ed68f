import assert from "node:assert/strict";
import type { ContainerCreateOptions } from "dockerode";
import { LABEL } from "../../../provider/container/labels";
import { isSlipwayError } from "../../../provider/errors";
import type { HostAccess } from "../../../provider/rolling-container/host-access";
import { acquireLock, JUST_SEEN_MS, keepInSight } from "../../../provider/rolling-container/lock";
import { FakeEngine } from "../../support/fake-engine";
import { IdleClock } from "../../support/idle-clock";

const OPTIONS = { service: "web", holder: "p/s, me@here", operation: "ab", ttlMs: 60_000, waitMs: 1_000 };

/** A host whose engine answers a creation so; there is never a container to look at. */
function hostWhere(
  create: (call: { readonly _body: ContainerCreateOptions }) => Promise<{ readonly id: string }>,
): HostAccess {
  const access = new FakeEngine().access();
  const gone = Object.assign(new Error("gone"), { statusCode: 404 });
  const docker = {
    createContainer: create,
    getContainer: () => ({ inspect: () => Promise.reject(gone) }),
    info: () => Promise.resolve({}),
  };
  const facts = () => Promise.resolve({ bootId: "", sessionProcess: "" });
  return { ...access, ...({ docker, session: { ...access.session, facts } } as unknown as HostAccess) };
}

describe("acquireLock", () => {
  it("must label the lock as the service's, so that clean-up jobs that spare services spare it", async () => {
    const labels: Readonly<Record<string, string>>[] = [];
    const host = hostWhere(({ _body: { Labels } }) => {
      labels.push(Labels ?? {});
      return Promise.resolve({ id: "lock" });
    });
    assert.equal((await acquireLock(host, OPTIONS)).id, "lock");
    assert.equal(labels[0]?.[LABEL.service], "web");
  });

  it("must end its wait where the engine gives the name to nobody", async () => {
    const taken = Object.assign(new Error("conflict"), { statusCode: 409 });
    const host = hostWhere(() => Promise.reject(taken));
    await assert.rejects(acquireLock(host, OPTIONS), (error) => isSlipwayError(error, "service-locked"));
  });

  it("must not wait for ever for an engine that hangs, and say that nothing was touched", async () => {
    const host = hostWhere(() => new Promise(() => {}));
    await assert.rejects(
      acquireLock(host, OPTIONS),
      /taking the lock of "web" on root@host:22: the engine did not answer \(waited 1m\)\. Nothing was touched; what runs there goes on/,
    );
  });
});

/** A lock that is held, and an engine that counts the looks at it. */
async function heldLock() {
  const looks: string[] = [];
  let answer = (): Promise<{ readonly Id: string }> => Promise.resolve({ Id: "lock" });
  const clock = new IdleClock();
  const base = hostWhere(() => Promise.resolve({ id: "lock" }));
  const container = {
    inspect: () => {
      looks.push("look");
      return answer();
    },
    remove: () => new Promise(() => {}),
  };
  const docker = { createContainer: () => Promise.resolve({ id: "lock" }), getContainer: () => container };
  const host = { ...base, clock, docker: docker as unknown as HostAccess["docker"] };
  const stopped = new AbortController();
  const lock = await acquireLock({ ...host, signal: stopped.signal }, OPTIONS);
  const answers = (next: typeof answer): void => void (answer = next);
  return { lock, looks, clock, stopped, answers };
}

describe("a held lock", () => {
  it("must be looked at anew when it was seen too long ago, by whichever clock counts longer", async () => {
    const { lock, looks, clock } = await heldLock();
    await lock.assertHeld();
    assert.equal(looks.length, 0, "it was just taken");
    clock.sleepMachine(10_000);
    await lock.assertHeld();
    assert.equal(looks.length, 1, "the machine slept");
    await lock.assertHeld();
    assert.equal(looks.length, 1, "seen since");
    clock.advance(JUST_SEEN_MS);
    await lock.assertHeld();
    assert.equal(looks.length, 1, "for what can be taken back that is soon enough");
    await lock.assertHeld(JUST_SEEN_MS);
    assert.equal(looks.length, 2);
  });

  it("must be looked at once by all who ask at the same time, and again after a look that failed", async () => {
    const { lock, looks, clock, answers } = await heldLock();
    clock.advance(60_000);
    await Promise.all([lock.assertHeld(), lock.assertHeld(JUST_SEEN_MS)]);
    assert.equal(looks.length, 1);
    clock.advance(60_000);
    answers(() => Promise.reject(new Error("the line")));
    await assert.rejects(lock.assertHeld(), /the line/);
    answers(() => Promise.resolve({ Id: "lock" }));
    await lock.assertHeld();
    assert.equal(looks.length, 3);
  });

  it("must be looked at by a run that was stopped, too, before it takes anything back", async () => {
    const { lock, looks, stopped } = await heldLock();
    stopped.abort(new Error("the run was stopped"));
    await lock.assertHeld(0);
    assert.equal(looks.length, 1);
  });

  it("must not be released for ever by an engine that hangs", async () => {
    const { lock } = await heldLock();
    await assert.rejects(lock.release(), /releasing the lock of "web".*the engine did not answer/);
  });

  it("must be seen beside a wait from its begin on, so that nobody looks after it", async () => {
    const { lock, looks, clock } = await heldLock();
    const over = new AbortController();
    clock.advance(60_000);
    const watching = keepInSight([lock], clock, over.signal);
    await new Promise((resolve) => setImmediate(resolve));
    over.abort();
    await watching;
    const before = looks.length;
    assert.ok(before > 0);
    await lock.assertHeld(JUST_SEEN_MS);
    assert.equal(looks.length, before);
  });
});
