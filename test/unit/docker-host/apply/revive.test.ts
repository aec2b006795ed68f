import assert from "node:assert/strict";
import { reviveContainers } from "../../../../provider/docker-host/apply/revive";
import type { HostSession } from "../../../../provider/host/session";
import { silentLog } from "../../../../provider/log";
import type { Clock } from "../../../../provider/clock";

interface State {
  readonly Running: boolean;
  readonly Status?: string;
  readonly ExitCode?: number;
  readonly Health?: { readonly Status: string };
}
const RUNS: State = { Running: true };
const DOWN: State = { Running: false };
const ended = (ExitCode: number): State => ({ Running: false, Status: "exited", ExitCode });
const health = (Status: string): State => ({ Running: true, Health: { Status } });

const LOOKS = 8;

/** A clock whose long sleep, the limit, ends after some short ones. */
function limitedLooks(): Clock {
  let polls = 0;
  let limit = (): void => {};
  return {
    now: () => 0,
    wall: () => 0,
    sleep: (ms) =>
      new Promise((resolve) => {
        if (ms >= 60_000) limit = resolve;
        else if (++polls < LOOKS) setImmediate(resolve);
        else limit();
      }),
  };
}

/** Containers by id, each with its states one look after another; the last one stays. */
function reviving(
  states: Readonly<Record<string, readonly State[]>>,
  healthy: readonly string[] = [],
  { outlived = false, restart = "no" } = {},
) {
  const HostConfig = { RestartPolicy: { Name: restart } };
  const looks = new Map<string, number>();
  const started: string[] = [];
  const warnings: string[] = [];
  const docker = {
    getContainer: (id: string) => ({
      inspect: () => {
        const at = looks.get(id) ?? 0;
        looks.set(id, at + 1);
        const known = states[id] ?? [];
        const state = known[Math.min(at, known.length - 1)];
        const gone = Object.assign(new Error("no such container"), { statusCode: 404 });
        return state === undefined ? Promise.reject(gone) : Promise.resolve({ State: state, HostConfig });
      },
      start: () => Promise.resolve(void started.push(id)),
    }),
  };
  const session = { target: "root@h:22", docker: () => Promise.resolve(docker) } as unknown as HostSession;
  const done = reviveContainers(
    { containers: Object.keys(states), healthy, outlived },
    {
      session,
      clock: limitedLooks(),
      signal: new AbortController().signal,
      log: { ...silentLog, warn: (line) => void warnings.push(line) },
    },
  );
  return { done, started, warnings };
}

describe("containers after a restart of the daemon", () => {
  it("must all run again, and be started where the daemon did not", async () => {
    const { done, started, warnings } = reviving({ a: [RUNS], b: [DOWN, RUNS] });
    await done;
    assert.deepEqual(started, ["b"]);
    assert.deepEqual(warnings, []);
  });

  it("must be healthy again where they were healthy", async () => {
    const { done } = reviving({ a: [health("starting"), health("unhealthy"), health("healthy")] }, ["a"]);
    await done;
  });

  it("must fail the run when one stays unhealthy that was healthy, and not when it was not", async () => {
    await assert.rejects(reviving({ a: [health("unhealthy")] }, ["a"]).done, {
      code: "unhealthy",
      message: /1 containers that ran before are not as they were: a is unhealthy \(after 3m\)/,
    });
    await reviving({ a: [health("unhealthy")] }).done;
  });

  it("must not do a job twice that ended by itself, and start what the end of the daemon took along", async () => {
    const done = reviving({ job: [ended(0), RUNS] }, [], { outlived: true });
    await done.done;
    assert.deepEqual(done.started, []);
    assert.match(done.warnings[0] ?? "", /job on root@h:22 ended by itself/);
    for (const how of [{}, { outlived: true, restart: "always" }]) {
      const taken = reviving({ web: [ended(0), RUNS] }, [], how);
      await taken.done;
      assert.deepEqual(taken.started, ["web"]);
    }
    const broken = reviving({ web: [ended(137), RUNS] }, [], { outlived: true });
    await broken.done;
    assert.deepEqual(broken.started, ["web"]);
  });

  it("must be said when they are gone, or have not said yet whether they are healthy", async () => {
    const gone = reviving({ a: [] });
    await gone.done;
    assert.match(gone.warnings[0] ?? "", /container a on root@h:22 is gone/);
    const slow = reviving({ a: [health("starting")] }, ["a"]);
    await slow.done;
    assert.match(slow.warnings[0] ?? "", /have not said yet whether they are healthy/);
  });
});
