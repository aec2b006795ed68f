import assert from "node:assert/strict";
import type Docker from "dockerode";
import type { ObservedContainer } from "../../../provider/container/observed";
import { bringBack } from "../../../provider/health-policy/bring-back";
import type { ContainerHealth } from "../../../provider/health-policy/observed";
import type { Operation } from "../../../provider/health-policy/plan";
import type { HostSession } from "../../../provider/host/session";
import { formatHealthcheck } from "../../../provider/health/label";
import { HEALTHCHECK_DEFAULTS } from "../../../provider/health/policy";
import { silentLog } from "../../../provider/log";
import { IdleClock } from "../../support/idle-clock";
import { observedContainer } from "../../support/observed-container";

interface Scene {
  readonly kind?: "restart" | "wait";
  readonly mayRestart?: boolean;
  readonly spent?: readonly number[];
  /** The container's State at first. */
  readonly first?: object;
  /** Its State after each restart; the last one stays. */
  readonly then?: readonly object[];
  readonly locked?: boolean;
  /** A deployment takes the lock while what the container has open ends. */
  readonly lockedMeanwhile?: boolean;
  /** As the look before the plan found it. @default exited */
  readonly was?: Partial<ObservedContainer>;
  readonly name?: string;
}

const RUNNING = { Status: "running" };
const EXITED = { Status: "exited", ExitCode: 3 };

/** One container without a check of its own, which is what its State says it is, and an engine that restarts it. */
async function run({
  kind = "restart",
  mayRestart = true,
  spent = [],
  first = EXITED,
  then = [EXITED],
  locked = false,
  lockedMeanwhile = false,
  was = { state: "exited" },
  name = "web",
}: Scene) {
  let isLocked = locked;
  const clock = new IdleClock();
  const restarts: number[] = [];
  const gone = () => Promise.reject(Object.assign(new Error("no such container"), { statusCode: 404 }));
  const docker = {
    getContainer: (id: string) => ({
      inspect: () => {
        const lock = { Id: "lock", Created: "2026-01-01T00:00:00Z", Config: { Labels: {} } };
        if (id !== "c1") return isLocked ? Promise.resolve(lock) : gone();
        const State = restarts.length === 0 ? first : then[Math.min(restarts.length, then.length) - 1];
        const started = { StartedAt: `start ${restarts.length}`, ...State };
        return Promise.resolve({ Id: "c1", Name: `/${name}`, State: started, Config: { Env: [] } });
      },
      restart: () => {
        restarts.push(clock.wall());
        return Promise.resolve();
      },
      logs: () => Promise.resolve(Buffer.from([1, 0, 0, 0, 0, 0, 0, 8, ...Buffer.from("no disk\n")])),
    }),
    getImage: () => ({ inspect: gone }),
    info: () => Promise.resolve({ SystemTime: "2026-01-01T00:00:10Z" }),
  } as unknown as Docker;
  const container: ObservedContainer = observedContainer(was);
  const subject: ContainerHealth = {
    target: "a",
    container,
    isWhole: true,
    service: "web",
    check: "none",
    health: "unhealthy",
    cause: "it exited with code 3",
  };
  const operation: Exclude<Operation, { kind: "leave" }> =
    kind === "wait" ? { kind, subject, spent, mayRestart } : { kind, subject, spent };
  // no proxy has a route to it
  const session = {
    target: "a",
    redact: (text: string) => text,
    facts: () => Promise.resolve({ sessionProcess: "1 1" }),
    script: () => {
      isLocked ||= lockedMeanwhile;
      return Promise.resolve({ kind: "exited", code: 0, stdout: "", stderr: "" });
    },
  } as unknown as HostSession;
  const kept: string[] = [];
  const noted: string[] = [];
  const repaired = await bringBack(operation, {
    clock,
    docker,
    log: { ...silentLog, keep: (text) => void kept.push(text) },
    signal: new AbortController().signal,
    session,
    reach: { targets: [], on: () => Promise.reject(new Error("not needed")) },
    budget: { maxRestarts: 3, windowMs: 600_000, backoffMs: 10_000 },
    noteRestart: ({ id, at }) => {
      noted.push(`${id} ${at}`);
      return Promise.resolve();
    },
  });
  return { repaired, restarts, kept, noted };
}

describe("bringing a container back", () => {
  it("must restart it with growing pauses, then give up with its last words", async () => {
    const { repaired, restarts } = await run({});
    assert.deepEqual(restarts, [0, 10_000, 30_000]);
    assert.deepEqual(repaired.restartedAt, restarts);
    assert.equal(repaired.gaveUp, true);
    assert.equal(repaired.health, "unhealthy");
    assert.equal(repaired.reason, "exited with code 3; given up after 3 restarts within 10m");
    assert.equal(repaired.output, "It exited with code 3.\nIts last lines:\n  no disk");
  });

  it("must stop when it is well, and say so", async () => {
    const { repaired, restarts, kept } = await run({ then: [EXITED, RUNNING] });
    assert.equal(restarts.length, 2);
    assert.equal(repaired.health, "unchecked");
    assert.deepEqual([repaired.gaveUp, repaired.reason], [false, ""]);
    assert.deepEqual(kept, ["restarted web on a: it runs again (it exited with code 3)"]);
  });

  it("must not take Docker's word for one whose check is our label's", async () => {
    const Health = { Status: "healthy" };
    const labels = {
      "slipway.healthcheck": formatHealthcheck({
        ...HEALTHCHECK_DEFAULTS,
        test: { kind: "tcp", port: 3_000 },
      }),
    };
    const { restarts } = await run({
      ...{ was: { labels }, first: { ...RUNNING, Health }, then: [{ ...RUNNING, Health }] },
    });
    assert.equal(restarts.length, 1);
  });

  it("must count what was restarted before: pause and number", async () => {
    const { repaired, restarts } = await run({ spent: [-5_000, -1_000] });
    assert.deepEqual(restarts, [19_000]);
    assert.match(repaired.reason, /given up after 3 restarts within 10m$/);
  });

  it("must not restart what a deployment has locked, what is paused, or has another name by then", async () => {
    const left = async (scene: Scene) => {
      const { repaired, restarts } = await run(scene);
      assert.deepEqual([restarts, repaired.excused, repaired.gaveUp], [[], true, false]);
      return repaired.reason;
    };
    assert.equal(await left({ locked: true }), "a deployment holds the lock of its service");
    assert.equal(await left({ first: { Status: "paused" } }), "it is paused");
    assert.equal(await left({ name: "web.0a1b2c3d" }), "it is called web.0a1b2c3d now");
  });

  it("must not restart it when a deployment has begun while what it had open ended", async () => {
    const { repaired, restarts } = await run({ lockedMeanwhile: true });
    assert.deepEqual([restarts, repaired.restartedAt, repaired.excused], [[], [], true]);
    assert.equal(repaired.reason, "a deployment holds the lock of its service");
  });

  it("must wait for one that somebody has restarted since the look, before it is restarted once more", async () => {
    const was = { state: "running", health: "unhealthy", startedAt: "start before" } as const;
    const starting = { ...RUNNING, Health: { Status: "starting" } };
    const { repaired, restarts } = await run({ was, first: starting });
    assert.deepEqual([restarts, repaired.health, repaired.excused], [[], "unchecked", false]);
    const still = await run({ was: { ...was, startedAt: "start 0" }, first: starting, then: [RUNNING] });
    assert.equal(still.restarts.length, 1);
  });

  it("must not restart what Docker calls healthy by then", async () => {
    const { repaired, restarts } = await run({ first: { ...RUNNING, Health: { Status: "healthy" } } });
    assert.deepEqual([restarts, repaired.health, repaired.excused], [[], "healthy", false]);
  });

  it("must wait for what starts, and restart it only when that ends badly and the policy may", async () => {
    const starts = { kind: "wait", first: RUNNING } as const;
    assert.deepEqual((await run(starts)).restarts, []);
    assert.equal((await run({ kind: "wait", then: [RUNNING] })).restarts.length, 1);
    const forbidden = await run({ kind: "wait", mayRestart: false });
    assert.deepEqual([forbidden.restarts, forbidden.repaired.gaveUp], [[], false]);
    assert.equal(forbidden.repaired.reason, "exited with code 3");
  });
});
