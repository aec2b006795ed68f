import assert from "node:assert/strict";
import { consentNeeds } from "../../../../provider/docker-host/plan/consent";
import { formatDaemonConfig } from "../../../../provider/docker-host/daemon/config";
import { formatPlan } from "../../../../provider/docker-host/plan/operation";
import { planEngine } from "../../../../provider/docker-host/plan/plan";
import { desiredEngine, observedEngine, runningDaemon } from "../../../support/observed-engine";

const OLD = "26.1.5+dfsg1-9";
const NEW = "28.5.2+dfsg4-5";
const HELD = ["docker.io", "docker-cli", "containerd", "runc"];
const settled = (version = OLD, over = {}) =>
  observedEngine(
    { daemon: runningDaemon(version, ["c1"]), daemonConfig: { "live-restore": true }, ...over },
    { installed: { "docker.io": version, "docker-cli": version, containerd: "1", runc: "1" }, held: HELD },
  );

describe("how a daemon comes to run what is installed and written", () => {
  it("must reload for what daemon.json says and the daemon goes on without, and mind no other's keys", () => {
    const settings = { debug: false, labels: ["a=b"], "live-restore": true };
    const daemonConfig = { "live-restore": true, debug: true, labels: ["b=c"] };
    const observed = settled(OLD, { daemon: { ...runningDaemon(OLD), settings }, daemonConfig });
    const wish = { "live-restore": true, debug: true };
    assert.equal(
      formatPlan(planEngine(desiredEngine("26.1.5", { daemonConfig: wish }), observed)),
      "reload the daemon: debug of daemon.json is not in force",
    );
    const taken = { ...observed, daemon: { ...runningDaemon(OLD), settings: { ...settings, debug: true } } };
    assert.equal(formatPlan(planEngine(desiredEngine("26.1.5", { daemonConfig: wish }), taken)), "");
  });

  it("must restart where a reload is not enough on consent only, and look after the containers then", () => {
    const daemonConfig = { "live-restore": true, debug: true };
    const reload = (allowDaemonRestart: boolean, masked: readonly string[] = []) =>
      planEngine(
        desiredEngine("26.1.5", { daemonConfig, allowDaemonRestart }),
        settled(OLD, { masked, daemonConfigText: "{}" }),
      ).find(({ kind }) => kind === "reload");
    const [refused, allowed] = [reload(false), reload(true)];
    assert.ok(refused?.kind === "reload" && allowed?.kind === "reload");
    assert.equal(refused.otherwise, undefined);
    assert.deepEqual(refused.expected, { debug: true });
    assert.equal(refused.configBefore, "{}");
    assert.equal(
      formatPlan(allowed.otherwise ?? []),
      [
        "restart the daemon: a reload was not enough",
        "verify that 26.1.5 runs: a package's version is not the daemon's",
        "verify that 1 containers run again: they ran before",
      ].join("\n"),
    );
    assert.deepEqual(reload(true, ["docker.service"]), refused);
  });

  it("must not restart where a reload is not enough for live restore itself, under containers that would end", () => {
    const otherwise = (daemonConfig: object, wished: object, ids: readonly string[] = ["c1"]) => {
      const daemon = runningDaemon(OLD, ids);
      const off = { ...daemon, summary: { ...daemon.summary, liveRestore: false } };
      const wish = { daemonConfig: { ...wished }, allowDaemonRestart: true };
      const seen = settled(OLD, {
        daemon: { ...off, settings: { "live-restore": false } },
        daemonConfig: { ...daemonConfig },
      });
      const reload = planEngine(desiredEngine("26.1.5", wish), seen).find(({ kind }) => kind === "reload");
      assert.ok(reload?.kind === "reload");
      return formatPlan(reload.otherwise ?? []);
    };
    const on = { "live-restore": true };
    assert.equal(otherwise({}, on), "", "newly wished");
    assert.equal(otherwise(on, on), "", "written, and not in force");
    assert.equal(otherwise(on, { ...on, debug: true }), "", "written, and in force with the reload only");
    assert.match(otherwise({}, on, []), /^restart the daemon/);
    assert.match(
      otherwise({}, { debug: true }),
      /^restart the daemon/,
      "they may end, and are started again",
    );
  });

  it("must have a daemon that is reloaded start at boot in the same run, unless somebody forbade that", () => {
    const desired = desiredEngine("26.1.5", { daemonConfig: { "live-restore": true, debug: true } });
    const plan = (masked: readonly string[]): readonly string[] =>
      planEngine(desired, settled(OLD, { enabled: false, masked })).map(({ kind }) => kind);
    assert.deepEqual(plan([]), ["write-config", "reload", "start", "verify", "revive"]);
    assert.deepEqual(plan(["docker.service"]), ["write-config", "reload"]);
  });

  it("must say of a key that the program sets no more that it goes", () => {
    const former = { daemonConfig: { debug: true, mtu: 1400 }, dockerUsers: [], hold: true };
    const observed = settled(OLD, { daemonConfig: { "live-restore": true, debug: true, mtu: 1400 } });
    const shown = (daemonConfig: Readonly<Record<string, unknown>>): string =>
      formatPlan(planEngine(desiredEngine("26.1.5", { daemonConfig }, former), observed));
    assert.match(
      shown({ "live-restore": true, mtu: 1400 }),
      /^take debug out of daemon\.json: the program sets it no more\n/,
    );
    assert.match(
      shown({ "live-restore": true, debug: false }),
      /^set debug in daemon\.json and take mtu out: the program sets it\n/,
    );
  });

  it("must reload for what can be reloaded, and restart for the rest", () => {
    const soft = { "live-restore": true, debug: true };
    assert.equal(
      formatPlan(planEngine(desiredEngine("26.1.5", { daemonConfig: soft }), settled())),
      "set debug in daemon.json: the program sets it\nreload the daemon: debug changed",
    );
    const hard = planEngine(desiredEngine("26.1.5", { daemonConfig: { ...soft, mtu: 1400 } }), settled());
    assert.match(formatPlan(hard), /restart the daemon: mtu changed/);
  });

  it("must restart a daemon that still runs what was installed before", () => {
    const observed = settled(NEW, { daemon: runningDaemon("26.1.5+dfsg1") });
    assert.match(
      formatPlan(planEngine(desiredEngine("28.x"), observed)),
      /^restart the daemon: 26\.1\.5 runs/,
    );
  });

  it("must switch live restore on before any restart that the containers are to outlive", () => {
    const daemon = runningDaemon("26.1.5+dfsg1", ["c1"]);
    const off = { ...daemon, summary: { ...daemon.summary, liveRestore: false } };
    const observed = settled(NEW, { daemon: off, daemonConfig: {} });
    assert.equal(
      formatPlan(planEngine(desiredEngine("28.x"), observed)),
      [
        "set live-restore in daemon.json: the running containers are to outlive the restart",
        "reload the daemon: the running containers are to outlive the restart",
        "restart the daemon: 26.1.5 runs, another version is installed",
        "verify that 28.x runs: a package's version is not the daemon's",
        "verify that 1 containers run again: they ran before",
      ].join("\n"),
    );
  });

  it("must have paused and restarting containers outlive the restart, and ask for consent to it", () => {
    const daemon = runningDaemon("26.1.5+dfsg1");
    const summary = { ...daemon.summary, liveRestore: false };
    const seen = { daemon: { ...daemon, summary, halted: ["c1"] }, daemonConfig: {} };
    const observed = settled(NEW, seen);
    const plan = planEngine(desiredEngine("28.x"), observed);
    assert.deepEqual(
      plan.map(({ kind }) => kind),
      ["write-config", "reload", "restart", "verify"],
    );
    const [need] = consentNeeds(plan, observed, false, "28.x");
    assert.match(need?.cause ?? "", /; 0 running containers, 1 paused or restarting\)$/);
    assert.ok(plan.some((operation) => operation.kind === "restart" && operation.outlived === true));
  });

  it("must fall back to a daemon.json under which those go on who were saved by live restore", () => {
    const daemonConfig = { "live-restore": true, bip: "10.1.0.1/16" };
    const restart = (isOn: boolean) => {
      const daemon = { ...runningDaemon(OLD, ["c1", "c2"]), healthy: ["c2"] };
      const summary = { ...daemon.summary, liveRestore: isOn };
      const seen = { daemon: { ...daemon, summary }, daemonConfig: { mtu: 1400 }, daemonConfigText: "{}" };
      const plan = planEngine(desiredEngine("26.1.5", { daemonConfig }), settled(OLD, seen));
      return plan.find((operation) => operation.kind === "restart");
    };
    const ranBefore = { containers: ["c1", "c2"], healthy: ["c2"], outlived: true };
    assert.equal(
      restart(false)?.configBefore,
      formatDaemonConfig({ mtu: 1400, "live-restore": true }),
      "what was written first",
    );
    assert.equal(restart(true)?.configBefore, "{}");
    assert.deepEqual(restart(false)?.ranBefore, ranBefore);
  });

  it("must keep of daemon.json what stood there before the run, where it writes it twice", () => {
    const daemonConfig = { "live-restore": true, mtu: 1400 };
    const again = (liveRestore: boolean) => {
      const daemon = runningDaemon(OLD, ["c1"]);
      const seen = { daemon: { ...daemon, summary: { ...daemon.summary, liveRestore } }, daemonConfig: {} };
      return planEngine(desiredEngine("26.1.5", { daemonConfig }), settled(OLD, seen)).flatMap((operation) =>
        operation.kind === "write-config" ? [operation.again === true] : [],
      );
    };
    assert.deepEqual([again(false), again(true)], [[false, true], [false]]);
  });

  it("must guard published ports over a restart that the containers outlive, and over no other", () => {
    const restart = (config: object, ids: readonly string[]) =>
      planEngine(
        desiredEngine("28.x", { daemonConfig: { ...config } }),
        settled(NEW, { daemon: runningDaemon("26.1.5+dfsg1", ids), daemonConfig: { ...config } }),
      ).find((operation) => operation.kind === "restart");
    assert.equal(restart({ "live-restore": true }, ["c1"])?.outlived, true);
    assert.equal(restart({ "live-restore": true }, [])?.outlived, false);
    assert.equal(restart({ "live-restore": false }, ["c1"])?.outlived, false);
  });

  it("must restart containerd with the daemon when its package is exchanged under it, and else alone", () => {
    const names = ["docker-ce", "containerd.io"];
    const desired = { ...desiredEngine("28.5.2"), names, dependencies: [] };
    const observed = observedEngine(
      { daemon: runningDaemon("26.1.5"), daemonConfig: { "live-restore": true } },
      { installed: { "docker-ce": "5:26.1.5-1", "containerd.io": "1.7.24-1" } },
    );
    const plan = (containerd: string): string =>
      formatPlan(
        planEngine(desired, observed, [
          { name: "docker-ce", version: "5:28.5.2-1" },
          { name: "containerd.io", version: containerd },
        ]),
      );
    assert.match(plan("1.7.28-1"), /^restart the daemon and its containerd: 26\.1\.5 goes on/m);
    assert.match(plan("1.7.24-1"), /^restart the daemon: 26\.1\.5 goes on/m);
  });

  it("must not start what somebody forbade to start, and not mind where nothing has to be started", () => {
    const masked = ["docker.service", "docker.socket"];
    assert.equal(formatPlan(planEngine(desiredEngine("26.1.5"), settled(OLD, { masked }))), "");
    const isMasked = { code: "engine-masked", message: /systemctl unmask docker\.service docker\.socket/ };
    const stopped = settled(OLD, { masked, daemon: undefined });
    assert.throws(() => planEngine(desiredEngine("26.1.5"), stopped), isMasked);
    assert.throws(() => planEngine(desiredEngine("28.x"), settled(OLD, { masked })), isMasked);
  });

  it("must do without live restore in a swarm, and refuse it there: its engine would not start again", () => {
    const swarm = settled(OLD, { daemon: { ...runningDaemon(OLD), swarm: true }, daemonConfig: {} });
    assert.equal(formatPlan(planEngine(desiredEngine("26.1.5"), swarm)), "");
    assert.throws(() => planEngine(desiredEngine("26.1.5", { liveRestoreIsExplicit: true }), swarm), {
      code: "invalid-input",
      message: /its engine is in a swarm, and does not start with live restore/,
    });
  });
});
