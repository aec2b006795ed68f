import assert from "node:assert/strict";
import { silentLog } from "../../provider/log";
import { askBack, followSwitch } from "../../provider/switch/follow-switch";
import { observeSwitch } from "../../provider/switch/observe-switch";
import { recoverSwitch } from "../../provider/switch/start-switch";
import type { SwitchResult } from "../../provider/switch/switch-event";
import type { LabHost } from "../lab/lab-host";
import { until } from "../lab/until";
import { actAt } from "../support/act-at";
import { clearSwitchAfterEach, loadHost } from "../support/load-host";
import { clear, eventsOn, exchange, type Scene, setScene, standing } from "../support/switch-host";

const SWITCHED = { containers: ["web exited", "web.next running"], rules: 0 };
const KEPT = { containers: ["web running", "web.next exited"], rules: 0 };
const UNTOUCHED = { containers: ["web running", "web.next created"], rules: 0 };

describe("what befalls a switch on a lab host", function () {
  this.timeout(240_000);
  const load = loadHost({ apps: { v1: "serve", v2: "serve", v3: "deaf", slow: "slow" } });
  clearSwitchAfterEach(load);
  let host: LabHost;

  before(() => {
    host = load.host;
  });

  const page = async (): Promise<string> => (await fetch(host.url())).text();

  const underLoad = async (scene: Scene, program: string): Promise<SwitchResult> => {
    const probe = load.probe({ perSecond: 25, timeoutMs: 10_000 });
    const result = await load.onHost((session) => exchange(session, scene, { program }));
    const { requests, failed } = await probe.stop();
    console.log(
      `        ${result.kind} (${result.why}): ${failed} of ${requests} failed, gap ${result.gapMs} ms`,
    );
    return { ...result, gapMs: failed };
  };

  for (const [point, stands] of [
    ["begun", UNTOUCHED],
    ["ruled", UNTOUCHED],
    ["stopping", UNTOUCHED],
    ["oldstopped", SWITCHED],
    ["nextstarted", SWITCHED],
    ["nextgated", SWITCHED],
    ["unruled", SWITCHED],
    ["copystopped", SWITCHED],
  ] as const) {
    it(`must end what a program killed at "${point}" began, with no request lost`, async () => {
      const scene = await load.onHost((session) => setScene(session));
      const result = await underLoad(scene, actAt(point, "kill -9 $$"));
      assert.equal(result.gapMs, 0, "failed requests");
      const { containers, rules } = await standing(host);
      assert.equal(rules, 0);
      assert.equal(containers.includes("web.try running"), false);
      assert.deepEqual({ containers, rules }, stands);
      assert.equal(await page(), result.kind === "switched" ? "v2" : "v1");
      const seen = await load.onHost((session) => observeSwitch(session, "web"));
      assert.equal(seen.unfinished, undefined);
    });
  }

  it("must not take an old one for one that stays which was told to stop, and takes its time", async () => {
    const scene = await load.onHost((session) => setScene(session, { from: "app:slow" }));
    const result = await underLoad(scene, actAt("stopping", "{ sleep 0.5; kill -9 $$; } & :"));
    assert.equal(result.gapMs, 0, "failed requests");
    const { containers, rules } = await standing(host);
    assert.equal(rules, 0);
    const [running = "", ...others] = containers.filter((line) => line.endsWith(" running"));
    assert.deepEqual(others, []);
    // longer than the stop can take
    const ended = await host.exec(["timeout", "6", "docker", "wait", running.replace(/ .*/, "")]);
    assert.equal(ended.code, 124, `${running} ended after that`);
    assert.equal(await page(), result.kind === "switched" ? "v2" : "slow");
  });

  for (const point of ["back", "nextstopped", "oldstarted", "oldgated"]) {
    it(`must go on with the way back that a program killed at "${point}" was on, with no request lost`, async () => {
      // it serves on for three seconds while it is being stopped
      const scene = await load.onHost((session) => setScene(session, { next: "app:slow" }));
      const killed = actAt(point, point === "back" ? "{ sleep 0.5; kill -9 $$; } & :" : "kill -9 $$");
      const result = await underLoad(scene, actAt("nextstarted", "ASKED=1", killed));
      assert.equal(result.gapMs, 0, "failed requests");
      assert.equal(result.kind, "kept", result.why);
      assert.deepEqual(await standing(host), KEPT);
      assert.equal(await page(), "v1");
    });
  }

  it("must take the rules off at once when the copy dies behind them", async () => {
    const scene = await load.onHost((session) => setScene(session));
    const result = await load.onHost((session) =>
      exchange(session, scene, {
        program: actAt("oldstopped", `docker kill ${scene.copy ?? ""} >/dev/null`),
      }),
    );
    assert.equal(result.kind, "switched", result.why);
    assert.ok(result.events.some(({ name }) => name === "copydied"));
    assert.ok(result.gapMs > 0, "the gap is told");
    assert.deepEqual((await standing(host)).rules, 0);
    assert.equal(await page(), "v2");
  });

  it("must take a dead copy's rules off after the program died with it", async () => {
    const scene = await load.onHost((session) => setScene(session));
    const kill = `docker kill ${scene.copy ?? ""} >/dev/null; kill -9 $$`;
    const result = await load.onHost((session) =>
      exchange(session, scene, { program: actAt("oldstopped", kill) }),
    );
    // the new one had been started by then: it goes forward
    assert.equal(result.kind, "switched", result.why);
    assert.equal((await standing(host)).rules, 0);
    assert.equal(await page(), "v2");
  });

  it("must go back in order when it is asked to", async () => {
    const scene = await load.onHost((session) =>
      setScene(session, { nextMs: { minHealthyMs: 20_000, deadlineMs: 30_000 } }),
    );
    const stop = new AbortController();
    const probe = load.probe({ perSecond: 25, timeoutMs: 10_000 });
    const running = load.onHost((session) => exchange(session, scene, { signal: stop.signal }));
    await until("the new one to be started", async () =>
      (await eventsOn(host, "web")).includes("nextstarted"),
    );
    stop.abort();
    const result = await running;
    assert.equal((await probe.stop()).failed, 0);
    assert.equal(result.kind, "kept", result.why);
    assert.match(result.why, /asked to go back/);
    assert.deepEqual(await standing(host), KEPT);
    assert.equal(await page(), "v1");
  });

  it("must put rules back that somebody took away, and be heard by one who was not there", async () => {
    const scene = await load.onHost((session) =>
      setScene(session, { nextMs: { minHealthyMs: 3_000, deadlineMs: 30_000 } }),
    );
    const begun = load.onHost((session) => exchange(session, scene));
    await until("the new one to be started", async () =>
      (await eventsOn(host, "web")).includes("nextstarted"),
    );
    await host.must(["sh", "-c", "iptables-save -t nat | grep -v slipway: | iptables-restore"]);
    const result = await load.onHost((session) =>
      followSwitch(session, "web", { log: silentLog, limitMs: 60_000, signal: new AbortController().signal }),
    );
    assert.equal(result.kind, "switched", result.why);
    assert.ok(result.events.some(({ text }) => text.includes("rules were gone")));
    assert.deepEqual(await standing(host), SWITCHED);
    assert.equal((await begun).kind, "switched");
  });

  it("must serve from the copy while neither serves, and settle when one can", async () => {
    const scene = await load.onHost((session) =>
      setScene(session, { next: "app:v3", nextMs: { minHealthyMs: 200, deadlineMs: 1_000 } }),
    );
    // the old one is started again, and never called well
    const broken: Scene = {
      ...scene,
      order: {
        ...scene.order,
        backMs: 20_000,
        old: {
          ...scene.order.old,
          deadlineMs: 5_000,
          check: {
            test: { kind: "command", argv: ["/node", "-e", "process.exit(fs.existsSync('/well') ? 0 : 1)"] },
            timeoutMs: 3_000,
          },
        },
      },
    };
    const result = await load.onHost((session) => exchange(session, broken));
    assert.equal(result.kind, "stuck", result.why);
    assert.equal(await page(), "v2", "the copy serves");
    const seen = await load.onHost((session) => observeSwitch(session, "web"));
    assert.equal(seen.program?.phase, "stuck");
    assert.equal(seen.copyAlive, true);
    assert.ok(seen.rules > 0);
    await host.must(["sh", "-c", "echo >/root/well && docker cp /root/well web:/well"]);
    assert.equal(await load.onHost((session) => recoverSwitch(session, "web")), true);
    const settled = await load.onHost((session) =>
      followSwitch(session, "web", { log: silentLog, limitMs: 60_000, signal: new AbortController().signal }),
    );
    assert.equal(settled.kind, "kept", settled.why);
    assert.deepEqual(await standing(host), KEPT);
    await load.onHost((session) => askBack(session, "web"));
  });

  it("must serve through a dockerd that hangs for a while", async () => {
    const scene = await load.onHost((session) => setScene(session));
    const freeze =
      "kill -STOP $(pidof dockerd); { sleep 8; kill -CONT $(pidof dockerd); } >/dev/null 2>&1 & :";
    const result = await underLoad(scene, actAt("ruled", freeze));
    assert.equal(result.gapMs, 0, "failed requests");
    assert.deepEqual(await standing(host), result.kind === "switched" ? SWITCHED : KEPT);
  });

  it("must leave no rule, and one that serves, when dockerd restarts and takes all containers along", async () => {
    const scene = await load.onHost((session) => setScene(session));
    const result = await load.onHost((session) =>
      exchange(session, scene, { program: actAt("nextstarted", "systemctl restart docker") }),
    );
    console.log(`        ${result.kind}: ${result.why}, gap ${result.gapMs} ms`);
    const { containers, rules } = await standing(host);
    assert.equal(rules, 0);
    assert.equal(containers.includes("web.try running"), false);
    assert.equal(await page(), result.kind === "switched" ? "v2" : "v1");
  });

  it("must measure the gap of a plain switch, and put the old one back when the new one is sick", async () => {
    for (const [from, to, kind, text] of [
      ["app:v1", "app:v2", "switched", "v2"],
      // it serves on for three seconds while it is being stopped
      ["app:slow", "app:v2", "switched", "v2"],
      ["app:v1", "app:v3", "kept", "v1"],
    ] as const) {
      const scene = await load.onHost((session) => setScene(session, { way: "plain", from, to }));
      const probe = load.probe({ perSecond: 50, timeoutMs: 10_000 });
      const result = await load.onHost((session) => exchange(session, scene));
      const { longestGapMs } = await probe.stop();
      console.log(`        ${kind}: measured ${result.gapMs} ms, seen from outside ${longestGapMs} ms`);
      assert.equal(result.kind, kind, result.why);
      assert.equal(await page(), text);
      assert.ok(result.gapMs > 50, "the gap is told");
      const at = (event: string): number => result.events.find(({ name }) => name === event)?.atMs ?? NaN;
      const servedMs = at("end") - at("stopping") - result.gapMs;
      if (from === "app:slow") assert.ok(servedMs > 2_500, "what ends slowly serves on");
      await clear(host);
    }
  });
});
