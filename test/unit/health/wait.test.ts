import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import Docker from "dockerode";
import { inCrowd } from "../../../provider/health/crowd";
import { formatReason } from "../../../provider/health/evaluate";
import { pauseAfter, type Verdict, waitForHealth } from "../../../provider/health/wait";
import type { HostSession } from "../../../provider/host/session";
import { silentLog } from "../../../provider/log";
import { FakeClock } from "../../support/fake-clock";

/** A clock on which nothing but pauses takes time; a probe's own limit never comes. */
class PausesOnly extends FakeClock {
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return ms === PROBE_LIMIT_MS ? new Promise(() => {}) : super.sleep(ms, signal);
  }
}

const PROBE_LIMIT_MS = 7_777;

let waits = 0;

interface Scene {
  /** The state at each inspect; the last one stays. */
  readonly states: readonly string[];
  readonly check?: "none" | "tcp";
  /** Open at each probe; the last one stays. */
  readonly open?: readonly boolean[];
  readonly onProbe?: () => void;
  /** @default 1_000 */
  readonly minHealthyMs?: number;
  /** Others that wait on the same host, each with an API client of its own. @default 0 */
  readonly others?: number;
  /** @default false */
  readonly othersAreHealthy?: boolean;
}

async function wait({
  states,
  check = "tcp",
  open = [true],
  onProbe,
  minHealthyMs = 1_000,
  others = 0,
  othersAreHealthy = false,
}: Scene) {
  const clock = new PausesOnly();
  const at = { inspect: 0, probe: 0 };
  const docker = new Docker({ host: "nowhere", port: 1, protocol: "http" });
  docker.getContainer = (() => ({
    inspect: () => {
      const Status = states[Math.min(at.inspect++, states.length - 1)];
      if (Status === "gone") return Promise.reject(Object.assign(new Error("no"), { statusCode: 404 }));
      const Networks = { bridge: { IPAddress: "172.17.0.2" } };
      return Promise.resolve({ Id: "c1", State: { Status, ExitCode: 5 }, NetworkSettings: { Networks } });
    },
  })) as unknown as Docker["getContainer"];
  // One target a wait: what waits on another host is no crowd here.
  const target = `root@host-${++waits}:22`;
  const session: Partial<HostSession> = {
    target,
    forward: () => {
      onProbe?.();
      const refused = Object.assign(new Error("refused"), { reason: 2 });
      return open[Math.min(at.probe++, open.length - 1)] === true
        ? Promise.resolve(new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() }))
        : Promise.reject(refused);
    },
  };
  const times = { intervalMs: 1, timeoutMs: PROBE_LIMIT_MS, retries: 1, startPeriodMs: 0 };
  const over = new AbortController();
  const ended = new Promise<void>((resolve) => over.signal.addEventListener("abort", () => resolve()));
  for (let at = 0; at < others; at += 1)
    void inCrowd(target, (_crowd, member) => {
      member.isHealthy = othersAreHealthy;
      return ended;
    });
  const verdict = await waitForHealth({
    session: session as HostSession,
    docker,
    id: "c1",
    check: check === "none" ? "none" : { test: { kind: "tcp", port: 80 }, ...times },
    minHealthyMs,
    deadlineMs: 5_000,
    clock,
    log: silentLog,
    signal: new AbortController().signal,
  });
  over.abort();
  return { verdict, sleeps: clock.sleeps, tookMs: clock.now(), probes: at.probe };
}

const told = (verdict: Verdict): string =>
  verdict.kind === "good" ? "good" : `bad: ${formatReason(verdict.reason)}`;

describe("waitForHealth", () => {
  it("must probe at once, then every 250 ms, until the health is long enough", async () => {
    const { verdict, sleeps, tookMs, probes } = await wait({ states: ["running"] });
    assert.equal(told(verdict), "good");
    assert.deepEqual(sleeps, [250, 250, 250, 250]);
    assert.deepEqual([tookMs, probes, verdict.samples.length], [1_000, 5, 6]);
  });

  it("must ask less often beside others on one host, and four times in its time all the same", async () => {
    const sleeps = async (others: number): Promise<readonly number[]> =>
      (await wait({ states: ["running"], others, minHealthyMs: 3_000 })).sleeps;
    assert.deepEqual(await sleeps(4), [500, 500, 500, 500, 500, 500]);
    assert.deepEqual(await sleeps(40), [750, 750, 750, 750]);
  });

  it("must ask at the moment from which an answer decides, and not first after the pause", async () => {
    const { verdict, sleeps, tookMs } = await wait({ states: ["running"], minHealthyMs: 600 });
    assert.equal(told(verdict), "good");
    assert.deepEqual([sleeps, tookMs], [[250, 250, 100], 600]);
  });

  it("must ask one that is starting sooner, and less often the longer it takes", async () => {
    const open = [false, false, false, false, false, false, false, false, true];
    const { verdict, sleeps, tookMs } = await wait({ states: ["running"], open, minHealthyMs: 250 });
    assert.equal(told(verdict), "good");
    assert.deepEqual(sleeps, [20, 20, 20, 30, 45, 67.5, 101.25, 151.875, 250]);
    assert.equal(tookMs, 705.625);
  });

  it("must ask one that is starting less often while others on its host are started, and not when those are healthy", async () => {
    const sleeps = async (othersAreHealthy: boolean): Promise<readonly number[]> =>
      (
        await wait({
          states: ["running"],
          open: [false, false, false, true],
          others: 9,
          othersAreHealthy,
          minHealthyMs: 250,
        })
      ).sleeps;
    assert.deepEqual(await sleeps(false), [200, 200, 200, 250]);
    assert.deepEqual(await sleeps(true), [20, 20, 20, 250]);
  });

  it("must begin anew after each failure", async () => {
    const { verdict, tookMs } = await wait({ states: ["running"], open: [false, true, true, false, true] });
    assert.equal(told(verdict), "good");
    assert.equal(tookMs, 1_770);
  });

  it("must not pass a container that died under the last probe", async () => {
    const states = ["running", "running", "running", "running", "running", "exited"];
    assert.equal(told((await wait({ states })).verdict), "bad: exited with code 5");
  });

  it("must end at the deadline", async () => {
    const { verdict, tookMs } = await wait({ states: ["running"], open: [false] });
    assert.equal(told(verdict), "bad: was not healthy within 5s (its check fails)");
    assert.equal(tookMs, 5_000);
    assert.equal(
      verdict.kind === "bad" && verdict.reason.kind === "late" && verdict.reason.output,
      "port 80: connection refused",
    );
  });

  it("must not ask a container that does not run", async () => {
    const { verdict, probes } = await wait({ states: ["exited"] });
    assert.deepEqual([told(verdict), probes], ["bad: exited with code 5", 0]);
    assert.equal(told((await wait({ states: ["gone"] })).verdict), "bad: was removed by somebody");
  });

  it("must watch one without a check for as long", async () => {
    const { verdict, tookMs, probes } = await wait({ states: ["running"], check: "none" });
    assert.deepEqual([told(verdict), tookMs, probes], ["good", 1_000, 0]);
  });
});

describe("pauseAfter", () => {
  it("must be three times the probe's duration, 250 ms at least", () => {
    assert.equal(pauseAfter({ verdict: "pass", durationMs: 2 }), 250);
    assert.equal(pauseAfter({ verdict: "fail", durationMs: 100, output: "" }), 300);
    assert.equal(pauseAfter(undefined), 250);
  });
});
