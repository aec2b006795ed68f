import assert from "node:assert/strict";
import { planAhead } from "../../../../provider/docker-host/preview/foretell";
import { formatPlan } from "../../../../provider/docker-host/plan/operation";
import type { ObservedEngine } from "../../../../provider/docker-host/look/observed";
import { parsePackages } from "../../../../provider/docker-host/packages/apt-peek";
import { desiredEngine, observedEngine, runningDaemon } from "../../../support/observed-engine";

const INDEX = `Package: docker-ce
Architecture: amd64
Version: 5:28.5.2-1~debian.13~trixie
Depends: containerd.io (>= 1.7.27), docker-ce-cli, iptables

Package: docker-ce-cli
Version: 5:28.5.2-1~debian.13~trixie

Package: docker-ce
Version: 5:26.1.4-1~debian.13~trixie
Depends: containerd.io (>= 1.6.24), docker-ce-cli

`;

describe("what a preview says of a machine", () => {
  it("must read the offers of a repository that the machine does not know yet", () => {
    assert.deepEqual(parsePackages(INDEX, "docker-ce"), [
      {
        name: "docker-ce",
        version: "5:28.5.2-1~debian.13~trixie",
        needs: { "containerd.io": "1.7.27", "docker-ce-cli": "0" },
      },
      { name: "docker-ce-cli", version: "5:28.5.2-1~debian.13~trixie" },
      {
        name: "docker-ce",
        version: "5:26.1.4-1~debian.13~trixie",
        needs: { "containerd.io": "1.6.24", "docker-ce-cli": "0" },
      },
    ]);
    assert.deepEqual(parsePackages("", "docker-ce"), []);
  });

  const OFFERS = ["docker.io", "docker-cli"].map((name) => ({ name, version: "28.5.2-1" }));

  it("must be the exact packages, and every consent that is missing", () => {
    const observed = observedEngine(
      { daemon: runningDaemon("26.1.5", ["c1"]), daemonConfig: { "live-restore": true } },
      { installed: { "docker.io": "26.1.5-1", "docker-cli": "26.1.5-1" }, interrupted: "by somebody" },
    );
    const desired = desiredEngine("28.x");
    const { plan, missing } = planAhead({ desired, observed }, OFFERS);
    assert.match(
      formatPlan(plan),
      /^finish the interrupted package installation: .*\ninstall docker\.io=28\.5\.2-1 docker-cli=28\.5\.2-1: 26\.1\.5 is installed/,
    );
    assert.equal(missing, "allowPackageRepair: true and allowDaemonRestart: true");
  });

  it("must begin with the package source that the machine does not know, and the tools to fetch it with", () => {
    const url = "https://mirror.example/debian";
    const repository = { url, components: ["stable"], packages: ["docker.io"], content: "the file" };
    const desired = { ...desiredEngine("28.x"), repository };
    const { plan } = planAhead({ desired, observed: observedEngine({}, { missingTools: ["curl"] }) }, OFFERS);
    const steps = formatPlan(plan);
    assert.match(
      steps,
      /^install curl: .*\nadd the package source https:\/\/mirror\.example\/debian: the host does not know it\ninstall docker\.io=/,
    );
    assert.doesNotMatch(steps, /refresh/);
  });

  it("must say adopt of another engine, and nothing where all is allowed", () => {
    const observed = observedEngine({ foreign: [{ kind: "rootless", users: ["ann"] }] });
    assert.equal(planAhead({ desired: desiredEngine("28.x"), observed }, OFFERS).missing, "adopt: true");
    const allowed = desiredEngine("28.x", { adopt: true });
    assert.equal(planAhead({ desired: allowed, observed }, OFFERS).missing, undefined);
  });

  it("must go without versions where nobody offers anything yet, and refuse what is not offered", () => {
    const desired = desiredEngine("28.x");
    const { plan } = planAhead({ desired, observed: observedEngine() }, []);
    assert.match(formatPlan(plan), /^install docker\.io docker-cli: no engine is installed/);
    assert.throws(() => planAhead({ desired: desiredEngine("99.0.0"), observed: observedEngine() }, OFFERS), {
      code: "engine-version-unavailable",
    });
  });

  it("must say adopt of what cannot stay beside it, and refuse where that takes others along", () => {
    const desired = { ...desiredEngine("28.x"), dependencies: [] };
    const observed = observedEngine({}, { installed: { containerd: "1.7.24-1", runc: "1.1-1" } });
    const ahead = planAhead({ desired, observed }, OFFERS, ["containerd", "runc"]);
    assert.equal(ahead.missing, "adopt: true");
    assert.match(
      formatPlan(ahead.plan),
      /^install docker\.io=28\.5\.2-1 docker-cli=28\.5\.2-1 -containerd -runc:/,
    );
    assert.match(formatPlan(ahead.plan), /restart the daemon and its containerd/);
    assert.throws(() => planAhead({ desired, observed }, OFFERS, ["containerd", "kubelet", "podman"]), {
      code: "engine-foreign",
      message: /that would remove kubelet, podman, which need containerd\. No package was changed/,
    });
  });

  it("must know whom the packages of such a repository do not stand beside", () => {
    const index =
      "Package: containerd.io\nVersion: 1.7.28-1\nConflicts: containerd, runc, old (<< 1.2)\nProvides: containerd\n";
    assert.deepEqual(parsePackages(index, "docker-ce"), [
      {
        name: "containerd.io",
        version: "1.7.28-1",
        conflicts: ["containerd", "runc"],
        provides: ["containerd"],
      },
    ]);
  });

  it("must refuse what adopting would lose", () => {
    const observed = observedEngine({ foreign: [{ kind: "snap", store: "taken" }] });
    assert.throws(() => planAhead({ desired: desiredEngine("28.x", { adopt: true }), observed }, OFFERS), {
      code: "engine-foreign",
      message: /cannot be taken over: \/var\/lib\/docker holds those of another engine/,
    });
  });

  describe("that Slipway set up before", () => {
    const FORMER = { daemonConfig: { "live-restore": true }, dockerUsers: [], hold: true };
    const installed = { "docker.io": "28.5.2-1", "docker-cli": "28.5.2-1" };
    const ahead = (dockerVersion: string, observed: ObservedEngine, names = ["docker.io", "docker-cli"]) => {
      const wish = desiredEngine(dockerVersion, { allowDaemonRestart: true, hold: false }, FORMER);
      return planAhead(
        { desired: { ...wish, names }, observed },
        names.map((name) => ({ name, version: "29.0.1" })),
      );
    };
    const own = (foreign: ObservedEngine["foreign"]): ObservedEngine => {
      const daemonConfig = { "live-restore": true };
      return observedEngine({ daemon: runningDaemon("28.5.2"), daemonConfig, foreign }, { installed });
    };

    it("must say adopt where its packages become those of another source, as the up does", () => {
      const observed = own([{ kind: "packages", names: ["docker.io"] }]);
      const { plan, missing } = ahead("29.x", observed, ["docker-ce", "docker-ce-cli"]);
      assert.match(formatPlan(plan), /^install docker-ce.* -docker-cli -docker\.io/m);
      assert.equal(missing, "adopt: true");
    });

    it("must say adopt of what came since where something is to be done, or refuse it, and else go on", () => {
      assert.equal(ahead("29.x", own([{ kind: "snap", store: "movable" }])).missing, "adopt: true");
      const observed = own([{ kind: "unpackaged", path: "/usr/local/bin/dockerd" }]);
      assert.throws(() => ahead("29.x", observed), { code: "engine-foreign" });
      const { plan, missing } = ahead("28.x", observed);
      assert.deepEqual([formatPlan(plan), missing], ["", undefined]);
    });
  });
});
