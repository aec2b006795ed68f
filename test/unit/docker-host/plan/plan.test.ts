import assert from "node:assert/strict";
import {
  adoptionNeeds,
  consentNeeds,
  refuseWithoutConsent,
  repairNeeds,
} from "../../../../provider/docker-host/plan/consent";
import { formatPlan } from "../../../../provider/docker-host/plan/operation";
import { planEngine } from "../../../../provider/docker-host/plan/plan";
import { desiredEngine, observedEngine, runningDaemon } from "../../../support/observed-engine";

const OLD = "26.1.5+dfsg1-9";
const NEW = "28.5.2+dfsg4-5";
const OFFERS = [NEW, OLD].flatMap((version) => [
  { name: "docker.io", version },
  { name: "docker-cli", version },
]);
const HELD = ["docker.io", "docker-cli", "containerd", "runc"];
const settled = (version = OLD, over = {}) =>
  observedEngine(
    { daemon: runningDaemon(version, ["c1"]), daemonConfig: { "live-restore": true }, ...over },
    { installed: { "docker.io": version, "docker-cli": version, containerd: "1", runc: "1" }, held: HELD },
  );

describe("planEngine", () => {
  it("must take a bare host to a held, verified engine", () => {
    assert.equal(
      formatPlan(planEngine(desiredEngine("26.1.5"), observedEngine(), OFFERS)),
      [
        `install docker.io=${OLD} docker-cli=${OLD}: no engine is installed`,
        "hold docker.io, docker-cli, containerd, runc: nobody else is to upgrade them",
        "set live-restore in daemon.json: the program sets it",
        "restart the daemon: its first start with this configuration",
        "verify that 26.1.5 runs: a package's version is not the daemon's",
      ].join("\n"),
    );
  });

  it("must do nothing when the version, or a range, is satisfied", () => {
    assert.equal(formatPlan(planEngine(desiredEngine("26.1.5"), settled())), "");
    assert.equal(formatPlan(planEngine(desiredEngine(">=26"), settled(), OFFERS)), "");
  });

  it("must upgrade, hold again and look after the containers, and say what it needs", () => {
    const plan = planEngine(desiredEngine("28.x"), settled(), OFFERS);
    assert.equal(
      formatPlan(plan),
      [
        `install docker.io=${NEW} docker-cli=${NEW}: 26.1.5 is installed, 28.x is wanted`,
        "hold docker.io, docker-cli, containerd, runc: nobody else is to upgrade them",
        "restart the daemon: 26.1.5 goes on running until then",
        "verify that 28.x runs: a package's version is not the daemon's",
        "verify that 1 containers run again: they ran before",
      ].join("\n"),
    );
    const needs = consentNeeds(plan, settled(), true, "28.x");
    assert.deepEqual(
      needs.map((need) => need.flag),
      ["allowDaemonRestart"],
    );
    refuseWithoutConsent("h", desiredEngine("28.x", { allowDaemonRestart: true }).wish, needs);
    assert.throws(
      () => refuseWithoutConsent("h", desiredEngine("28.x").wish, needs),
      /allowDaemonRestart: true/,
    );
  });

  it("must want both consents for a downgrade", () => {
    const plan = planEngine(desiredEngine("26.1.5"), settled(NEW), OFFERS);
    assert.match(formatPlan(plan), /^downgrade to docker\.io=26\.1\.5/);
    assert.throws(
      () =>
        refuseWithoutConsent(
          "h",
          desiredEngine("26.1.5").wish,
          consentNeeds(plan, settled(NEW), true, "26.1.5"),
        ),
      /going from 28\.5\.2 to 26\.1\.5 is a downgrade.*allowDowngrade: true and allowDaemonRestart: true/,
    );
  });

  it("must put lost holds back", () => {
    const observed = settled();
    const lost = { ...observed, packages: { ...observed.packages, held: HELD.slice(1) } };
    assert.equal(formatPlan(planEngine(desiredEngine("26.1.5"), lost)), "hold docker.io: the hold was lost");
  });

  it("must take its holds off where the program wants none any more, and leave those of others", () => {
    const former = { daemonConfig: { "live-restore": true }, dockerUsers: [] };
    const plan = (hold: boolean) =>
      formatPlan(planEngine(desiredEngine("26.1.5", { hold: false }, { ...former, hold }), settled()));
    assert.equal(plan(true), "release docker.io, docker-cli, containerd, runc: hold: false");
    assert.equal(plan(false), "");
  });

  it("must refuse a daemon.json that is no JSON object, whatever is to be done", () => {
    for (const version of ["26.1.5", "28.x"])
      assert.throws(
        () => planEngine(desiredEngine(version), settled(OLD, { daemonConfig: undefined }), OFFERS),
        {
          code: "daemon-config-invalid",
          message: /it is not a JSON object\. It was left as it is/,
        },
      );
  });

  it("must hold the packages before anything that may fail, for an upgrade of others may come in between", () => {
    const kinds = planEngine(desiredEngine("28.x"), settled(), OFFERS).map(({ kind }) => kind);
    assert.deepEqual(kinds.slice(0, 2), ["install", "hold"]);
  });

  it("must take off what killed runs left: port rules of a restart, the mark of a change that came to its end", () => {
    const { packages, ...rest } = settled();
    const left = { ...rest, restartRules: true, packages: { ...packages, hasStaleMark: true } };
    assert.equal(
      formatPlan(planEngine(desiredEngine("26.1.5"), left)),
      [
        "take off the port rules of a restart of the daemon: it was cut off",
        "forget a change of packages that was cut off: it came to its end",
      ].join("\n"),
    );
  });

  it("must want adoption of a foreign engine, and replace it in one step", () => {
    const observed = observedEngine(
      { daemon: runningDaemon("28.5.2"), foreign: [{ kind: "packages", names: ["docker-ce"] }] },
      { installed: { "docker-ce": "5:28.5.2-1", "containerd.io": "1.7.1-1" } },
    );
    assert.match(
      formatPlan(planEngine(desiredEngine("28.x"), observed, OFFERS)),
      / -containerd\.io -docker-ce: it replaces/,
    );
    assert.throws(
      () => refuseWithoutConsent("h", desiredEngine("28.x").wish, adoptionNeeds(observed)),
      /adopt: true/,
    );
  });

  it("must want consent to go below an engine of another source, and one that does not run, too", () => {
    const observed = observedEngine(
      { foreign: [{ kind: "packages", names: ["docker-ce"] }] },
      { installed: { "docker-ce": "5:28.5.2-1" } },
    );
    for (const offers of [undefined, OFFERS]) {
      const plan = planEngine(desiredEngine("26.1.5"), observed, offers);
      const [need] = consentNeeds(plan, observed, false, "26.1.5");
      assert.equal(need?.flag, "allowDowngrade");
      assert.equal(need.cause, "going from 28.5.2 to 26.1.5 is a downgrade");
    }
  });

  it("must want consent to the restart of a daemon that is active and not heard, and start one that is not active", () => {
    const flags = (unheard: boolean) => {
      const observed = settled(OLD, { daemon: undefined, unheard });
      const plan = planEngine(desiredEngine("28.5.2"), observed, OFFERS);
      return consentNeeds(plan, observed, false, "28.5.2").map(({ flag }) => flag);
    };
    assert.deepEqual(flags(true), ["allowDaemonRestart"]);
    assert.deepEqual(flags(false), []);
  });

  it("must want consent to the restart that replacing the engine is, at the same version too", () => {
    const observed = observedEngine(
      {
        daemon: runningDaemon("28.5.2", ["c1"]),
        daemonConfig: { "live-restore": true },
        foreign: [{ kind: "packages", names: ["docker-ce"] }],
      },
      { installed: { "docker-ce": "5:28.5.2-1", "containerd.io": "1.7.1-1" } },
    );
    const needs = consentNeeds(planEngine(desiredEngine("28.x"), observed), observed, false, "28.x");
    assert.deepEqual(
      needs.map((need) => need.flag),
      ["allowDaemonRestart"],
    );
    assert.match(needs[0]?.cause ?? "", /containerd\.io, docker-ce are replaced; 1 running containers/);
  });

  it("must move what the snap has before it removes the snap, and start the engine once", () => {
    const observed = observedEngine(
      { daemon: runningDaemon("28.5.2", ["c1"]), foreign: [{ kind: "snap", store: "movable" }] },
      {},
    );
    const plan = planEngine(desiredEngine("28.x"), observed, OFFERS);
    assert.equal(
      formatPlan(plan),
      [
        "stop the docker snap and move its images, containers and volumes to /var/lib/docker: adopt: true, nothing is lost",
        "remove the docker snap: adopt: true",
        `install docker.io=${NEW} docker-cli=${NEW}: it replaces the engine that is there`,
        "hold docker.io, docker-cli, containerd, runc: nobody else is to upgrade them",
        "set live-restore in daemon.json: the program sets it",
        "restart the daemon: its first start with this configuration",
        "verify that 28.x runs: a package's version is not the daemon's",
        "verify that 1 containers run again: they ran before",
      ].join("\n"),
    );
    assert.deepEqual(
      [...adoptionNeeds(observed), ...consentNeeds(plan, observed, false, "28.x")].map(({ flag }) => flag),
      ["adopt", "allowDaemonRestart"],
    );
  });

  it("must not say that there is no engine where one is half installed", () => {
    const half = observedEngine({}, { interrupted: "by us", half: ["docker.io"] });
    assert.match(
      formatPlan(planEngine(desiredEngine("26.1.5"), half, OFFERS)),
      /^install docker\.io=.*: it is half installed, for it was cut off/,
    );
  });

  it("must finish what somebody else left half done on consent only, and only where packages change", () => {
    const half = observedEngine({}, { interrupted: "by somebody" });
    const plan = planEngine(desiredEngine("26.1.5"), half, OFFERS);
    assert.deepEqual(
      repairNeeds(plan, half).map(({ flag }) => flag),
      ["allowPackageRepair"],
    );
    assert.deepEqual(repairNeeds(plan, observedEngine({}, { interrupted: "by us" })), []);
    const observed = settled();
    const fine = { ...observed, packages: { ...observed.packages, interrupted: "by somebody" } as const };
    assert.deepEqual(repairNeeds(planEngine(desiredEngine("26.1.5"), fine), fine), []);
  });

  it("must bring back a companion that somebody took away or moved, and restart nothing", () => {
    const observed = settled();
    const without = { ...observed.packages.installed };
    Reflect.deleteProperty(without, "docker-cli");
    const former = { daemonConfig: {}, dockerUsers: [], hold: true, packages: ["docker.io", "docker-cli"] };
    const desired = desiredEngine("26.1.5", {}, former);
    const gone = { ...observed, packages: { ...observed.packages, installed: without } };
    assert.match(
      formatPlan(planEngine(desired, gone, OFFERS)),
      /^install docker\.io=26\.1\.5\+dfsg1-9 docker-cli=26\.1\.5\+dfsg1-9: docker-cli is gone\nhold .*\nverify/,
    );
    const other = { ...observed.packages.installed, "docker-cli": NEW };
    const moved = { ...observed, packages: { ...observed.packages, installed: other } };
    assert.match(
      formatPlan(planEngine(desired, moved, OFFERS)),
      /docker-cli is at 28\.5\.2, the engine at 26\.1\.5\nhold .*\nverify/,
    );
  });

  it("must list what is offered when the version is not", () => {
    assert.throws(
      () => planEngine(desiredEngine("99.0.0"), observedEngine(), OFFERS),
      /it offers 28\.5\.2, 26\.1\.5\./,
    );
  });

  it("must list the builds when the host's sources have them for several distributions", () => {
    const builds = ["5:28.5.2-1~debian.13~trixie", "5:28.5.2-1~debian.12~bookworm"];
    const offers = builds.map((version) => ({ name: "docker-ce", version }));
    const desired = { ...desiredEngine("28.x"), names: ["docker-ce"] };
    assert.throws(() => planEngine(desired, observedEngine(), offers), {
      code: "engine-version-unavailable",
      message:
        /docker-ce for several distributions: 5:28\.5\.2-1~debian\.13~trixie, 5:28\.5\.2-1~debian\.12~bookworm\./,
    });
  });
});
