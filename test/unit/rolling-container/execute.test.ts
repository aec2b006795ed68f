import assert from "node:assert/strict";
import { LABEL } from "../../../provider/container/labels";
import { SlipwayError } from "../../../provider/errors";
import { silentLog } from "../../../provider/log";
import { executeSteps } from "../../../provider/rolling-container/execute";
import { formatGap, StepFailure } from "../../../provider/rolling-container/step-failure";
import type { Step } from "../../../provider/rolling-container/operation";
import { inStartTurn } from "../../../provider/rolling-container/start-turn";
import { recover } from "../../../provider/rolling-container/recover";
import { planHost, stepsOf } from "../../../provider/rolling-container/plan";
import { UPDATE_DEFAULTS } from "../../../provider/rolling-container/update-settings";
import { FakeEngine } from "../../support/fake-engine";
import { desiredService, foundContainer, foundHost, wantedContainer } from "../../support/rollout";

const STEPS = stepsOf(
  planHost(
    foundHost([foundContainer()]),
    desiredService({ update: { ...UPDATE_DEFAULTS, switch: "plain" } }),
  ),
);
const OPTIONS = { deadlineMs: 600_000 };
const FORWARD = [
  "create web.next",
  "update id-web",
  "stop id-web",
  "start id-web.next",
  "rename id-web web.aaaaaaaa",
  "update id-web.next",
  "rename id-web.next web",
  "update id-web",
];

async function failureOf(engine: FakeEngine): Promise<StepFailure> {
  const outcome = await executeSteps(engine.access(), STEPS.slice(0, -1), OPTIONS).catch(
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof StepFailure, "it had to fail");
  return outcome;
}

describe("executeSteps", () => {
  it("must make one call a step, by the ids, and measure the gap", async () => {
    const engine = new FakeEngine();
    const execution = await executeSteps(engine.access(), STEPS.slice(0, -1), OPTIONS);
    assert.deepEqual(engine.calls, FORWARD);
    // it may have served on while it was being stopped
    assert.equal(formatGap(execution), "nobody served for at most 200ms", "a stop and a start");
    assert.equal(execution.operations.length, STEPS.length - 1);
  });

  it("must take back each step before the gate in reverse, the live one first of all", async () => {
    const engine = new FakeEngine();
    engine.failing.set("start id-web.next", 500);
    const failure = await failureOf(engine);
    assert.deepEqual(engine.calls.slice(4), [
      "stop id-web.next",
      "start id-web",
      "update id-web",
      "remove id-web.next",
    ]);
    assert.equal(failure.why, "Docker says: no");
    assert.equal(failure.undoFailure, undefined);
    assert.equal(failure.interrupted, true);
    assert.equal(failure.committed, false);
  });

  it("must start the live one again even when the candidate cannot be stopped, and say what failed", async () => {
    const engine = new FakeEngine();
    engine.failing.set("start id-web.next", 500);
    engine.failing.set("stop id-web.next", 500);
    const failure = await failureOf(engine);
    assert.ok(engine.calls.includes("start id-web"));
    assert.equal(failure.undoFailure, "stop web.next: Docker says: no");
  });

  it("must take nothing back past the commit", async () => {
    const engine = new FakeEngine();
    engine.failing.set("rename id-web.next web", 500);
    const failure = await failureOf(engine);
    assert.deepEqual(engine.calls, FORWARD, "what runs beside it has begun, too");
    assert.equal(failure.committed, true);
  });

  const create = (name: string, beside = false): Step => ({
    operation: { kind: "create", container: { name }, options: {} },
    cause: "wanted",
    beside,
    undo: [{ kind: "remove", container: { name }, volumes: true }],
  });

  it("must begin at once what may run beside the step before it, and the rest when all of it has ended", async () => {
    const engine = new FakeEngine();
    let ended = (): void => {};
    const slow = new Promise<void>((resolve) => (ended = resolve));
    const host = engine.access();
    const createContainer = host.docker.createContainer.bind(host.docker);
    host.docker.createContainer = async (options) => {
      const container = await createContainer(options);
      if (container.id === "id-a") await slow;
      return container;
    };
    const start: Step = { operation: { kind: "start", container: { name: "b" } }, cause: "wanted" };
    const running = executeSteps(host, [create("a"), create("b", true), start], OPTIONS);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(engine.calls, ["create a", "create b"]);
    ended();
    await running;
    assert.deepEqual(engine.calls, ["create a", "create b", "start id-b"]);
  });

  it("must take all back that ran at once, in reverse, but what found its name taken", async () => {
    const engine = new FakeEngine();
    engine.failing.set("create b", 409);
    engine.failing.set("create c", 500);
    const steps = [create("a"), create("b", true), create("c", true)];
    await assert.rejects(executeSteps(engine.access(), steps, OPTIONS), (error) => {
      assert.ok(error instanceof StepFailure);
      assert.equal(error.step, steps[1]);
      assert.equal(error.why, "Docker says: no; create c: Docker says: no");
      return true;
    });
    assert.deepEqual(engine.calls.slice(3), ["remove c", "remove id-a"]);
  });

  it("must not touch the live one when the lock is lost", async () => {
    const engine = new FakeEngine();
    const beforeEach = ({ operation: { kind } }: Step): Promise<void> =>
      kind === "stop" ? Promise.reject(new Error("lost")) : Promise.resolve();
    await assert.rejects(executeSteps(engine.access(), STEPS, { ...OPTIONS, beforeEach }), StepFailure);
    assert.deepEqual(engine.calls, [
      "create web.next",
      "update id-web",
      "update id-web",
      "remove id-web.next",
    ]);
  });

  it("must take nothing back, by any name or id, once somebody else holds the lock", async () => {
    const engine = new FakeEngine();
    const taken = new SlipwayError({
      code: "service-locked",
      what: "changing",
      why: "somebody took it over",
    });
    const beforeEach = ({ operation: { kind } }: Step): Promise<void> =>
      kind === "rename" ? Promise.reject(taken) : Promise.resolve();
    const failure = await executeSteps(engine.access(), STEPS.slice(0, -1), { ...OPTIONS, beforeEach }).catch(
      (error: unknown) => error,
    );
    assert.deepEqual(engine.calls, FORWARD.slice(0, 4));
    assert.ok(failure instanceof StepFailure);
    assert.match(failure.undoFailure ?? "", /nothing was taken back/);
  });

  it("must not remove by its name what the engine refused to create: somebody else has the name", async () => {
    const engine = new FakeEngine();
    engine.failing.set("create web.next", 409);
    const failure = await failureOf(engine);
    assert.deepEqual(engine.calls, ["create web.next"]);
    assert.equal(failure.undoFailure, undefined);
  });

  it("must start the live one when the run is stopped, and ask it nothing: the sessions are stopped too", async () => {
    const check = JSON.stringify({ test: { kind: "tcp", port: 1 } });
    const live = foundContainer();
    const asked = { ...live, labels: { ...live.labels, [LABEL.healthcheck]: check } };
    const desired = desiredService({ update: { ...UPDATE_DEFAULTS, switch: "plain" } });
    const steps = stepsOf(planHost(foundHost([asked]), desired));
    const stopped = new AbortController();
    const engine = new FakeEngine();
    const access = engine.access();
    const host = { ...access, signal: stopped.signal };
    const beforeEach = ({ operation: { kind } }: Step): Promise<void> => {
      if (kind === "gate") stopped.abort(new Error("the run was stopped"));
      return Promise.resolve();
    };
    const failure = await executeSteps(host, steps, { ...OPTIONS, beforeEach }).catch(
      (error: unknown) => error,
    );
    assert.ok(failure instanceof StepFailure);
    assert.equal(engine.calls.includes("start id-web"), true);
    assert.equal(failure.undoFailure, undefined);
  });

  it("must leave all as it was found when the run is stopped before a verdict", async () => {
    const stopped = new AbortController();
    const engine = new FakeEngine();
    const found = foundHost([foundContainer({ state: "exited" }), wantedContainer({ name: "web.next" })]);
    const steps = recover(found, desiredService()).flatMap((row) => row.steps);
    const host = { ...engine.access(), signal: stopped.signal };
    const whileWaiting = (): Promise<void> => {
      stopped.abort(new Error("the run was stopped"));
      return Promise.resolve();
    };
    await assert.rejects(executeSteps(host, steps, { ...OPTIONS, whileWaiting }), StepFailure);
    assert.deepEqual(engine.calls, []);
  });

  it("must not start what was queued behind others when the run is stopped before its turn", async () => {
    const stopped = new AbortController();
    const engine = new FakeEngine();
    const machineId = "must-not-start-what-was-queued";
    let free = (): void => {};
    const busy = new Promise<void>((resolve) => (free = resolve));
    const others = [1, 2, 3].map(() => inStartTurn(machineId, () => busy));
    const progress = (line: string): void => {
      if (line.includes("queued behind")) stopped.abort(new Error("the run was stopped"));
    };
    const log = { ...silentLog, progress };
    const host = { ...engine.access(), machineId, log, signal: stopped.signal };
    const start: Step = { operation: { kind: "start", container: { name: "a" } }, cause: "wanted" };
    await assert.rejects(executeSteps(host, [create("a"), start], OPTIONS), StepFailure);
    free();
    await Promise.all(others);
    await inStartTurn(machineId, () => Promise.resolve());
    assert.deepEqual(engine.calls, ["create a", "remove id-a"]);
  });

  it("must not wait for ever for an engine that hangs, nor as long again for each step that is taken back", async () => {
    const engine = new FakeEngine();
    engine.hanging.add("start id-web.next");
    engine.hanging.add("stop id-web.next");
    engine.hanging.add("start id-web");
    const failure = await failureOf(engine);
    assert.match(
      failure.why,
      /start web\.next on root@host:22: the engine did not answer, and whether it was done/,
    );
    assert.match(failure.undoFailure ?? "", /stop web\.next/);
    assert.deepEqual(engine.calls.slice(4), [
      "stop id-web.next",
      "start id-web",
      "update id-web",
      "remove id-web.next",
    ]);
    const minutes = engine.clock.now() / 60_000;
    assert.ok(minutes > 3 && minutes < 8, `it took ${minutes} minutes`);
  });

  it("must wait for a stop as long as the container may take, and a minute more", async () => {
    const engine = new FakeEngine();
    engine.hanging.add("stop id-web");
    const live = foundContainer({ stopTimeoutMs: 300_000 });
    const update = { ...UPDATE_DEFAULTS, switch: "plain" as const };
    const steps = stepsOf(planHost(foundHost([live]), desiredService({ update })));
    await assert.rejects(executeSteps(engine.access(), steps, OPTIONS), /\(waited 6m\)/);
  });

  it("must not count what has a time limit of its own against the progressDeadline", async () => {
    const engine = new FakeEngine();
    engine.onCall = (call) => call === "stop id-web" && engine.clock.advance(900_000);
    const { waitedMs } = await executeSteps(engine.access(), STEPS.slice(0, -1), OPTIONS);
    assert.deepEqual(engine.calls, FORWARD);
    assert.equal(waitedMs, 900_100, "a stop that took its time");
  });

  it("must stop and remove a task of a dead run that does not end, however long it was waited for", async () => {
    const engine = new FakeEngine();
    const found = foundHost([foundContainer(), foundContainer({ name: "web.task" })]);
    const steps = recover(found, desiredService()).flatMap((row) => row.steps);
    await executeSteps(engine.access(), steps, OPTIONS);
    assert.deepEqual(engine.calls, ["stop id-web.task", "remove id-web.task"]);
    assert.ok(engine.clock.now() >= 600_000);
  });

  it("must begin no step after the deadline", async () => {
    const engine = new FakeEngine();
    await assert.rejects(executeSteps(engine.access(), STEPS, { deadlineMs: 100 }), /progressDeadline/);
    assert.deepEqual(engine.calls, ["create web.next", "remove id-web.next"]);
  });
});
