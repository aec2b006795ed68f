import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseLook } from "../../../../provider/docker-host/look/look";
import { dnf } from "../../../../provider/docker-host/packages/dnf";
import {
  DNF_LOOK,
  dnfInstall,
  dnfOffers,
  dnfRefresh,
  dnfRemove,
  dnfTrial,
  parseRepoquery,
} from "../../../../provider/docker-host/packages/dnf-text";
import { listOffers, resolveOffer } from "../../../../provider/docker-host/packages/version";
import { fixture } from "../../../support/fixture";
import { packageHost } from "../../../support/package-host";

/** Of whatever changes packages. */
const KEEPING =
  "--setopt=clean_requirements_on_remove=False --setopt=protected_packages=glob:/run/slipway/protected.conf";
const recorded = (name: string): string => fixture("docker-host", "dnf", name);
const looked = (name: string) => parseLook(`\n== os\nID=rocky\n\n${recorded(name)}`)?.packages;

describe("dnf", () => {
  for (const tool of ["dnf4", "dnf5"]) {
    it(`must read what ${tool} offers, best first`, () => {
      const offers = parseRepoquery(recorded(`repoquery-${tool}.txt`));
      assert.equal(offers.length, 9);
      assert.deepEqual(listOffers(offers, "docker-ce"), ["29.0.0-rc.1", "28.5.2", "28.5.1", "26.1.4"]);
      const resolution = resolveOffer(offers, "docker-ce", "28.x");
      assert.deepEqual(resolution, {
        kind: "found",
        offer: {
          name: "docker-ce",
          version: "3:28.5.2-1.el9",
          needs: { "containerd.io": "1.7.27", "docker-ce-cli": "0" },
        },
      });
      assert.equal(offers.find(({ name }) => name === "containerd.io")?.version, "0:1.7.28-1.el9");
    });

    it(`must read what is installed and locked under ${tool}`, () => {
      const packages = looked(`look-${tool}.txt`);
      assert.equal(packages?.installed["docker-ce-cli"], "1:26.1.4-1.el9");
      assert.equal(packages.installed["containerd.io"], "0:1.7.24-3.1.el9");
      assert.ok(packages.held.includes("docker-ce-cli") && packages.held.includes("containerd.io"));
      assert.match(packages.sourceFile ?? "", /^gpgcheck=1$/m);
    });
  }

  it("must know an update that was cut off by the two versions of one package, which no lock holds", () => {
    assert.equal(looked("look-dnf4.txt")?.interrupted, "by somebody");
    assert.ok(!looked("look-dnf4.txt")?.held.includes("docker-ce"));
    assert.equal(looked("look-dnf5.txt")?.interrupted, "no");
    assert.ok(looked("look-dnf5.txt")?.held.includes("docker-ce"));
  });

  it("must take sources and lines that are no answer for no offer", () => {
    const text =
      "Last metadata expiration check: 0:00:48 ago\n\noffer docker-ce 3:28.5.2-1.el9 src \noffer docker-ce\ndocker-ce\n";
    assert.deepEqual(parseRepoquery(text), []);
  });

  it("must ask and order in words that dnf 4 and dnf 5 share", () => {
    const line = (argv: readonly string[]): string => argv.join(" ");
    assert.equal(
      line(dnfOffers(["docker-ce", "docker-ce-cli"])),
      "dnf -C -q repoquery --qf offer %{name} %{epoch}:%{version}-%{release} %{arch} %{requires}\\n docker-ce docker-ce-cli",
    );
    const parts = [{ name: "docker-ce", version: "3:28.5.2-1.el9" }, { name: "curl" }];
    assert.equal(
      line(dnfInstall(parts, false)),
      `dnf -y ${KEEPING} --setopt=install_weak_deps=False install docker-ce-3:28.5.2-1.el9 curl`,
    );
    assert.equal(
      line(dnfInstall(parts, true)),
      `dnf -y ${KEEPING} --setopt=install_weak_deps=False install --allowerasing docker-ce-3:28.5.2-1.el9 curl`,
    );
    assert.equal(line(dnfRemove(["docker-ce"])), `dnf -y ${KEEPING} remove docker-ce`);
    assert.equal(
      line(dnfTrial(parts, true)),
      "dnf -C --assumeno --disableplugin=versionlock --setopt=install_weak_deps=False install --allowerasing docker-ce-3:28.5.2-1.el9 curl",
    );
    assert.equal(line(dnfRefresh("slipway-docker")), "dnf -q --repo=slipway-docker makecache --refresh");
    assert.equal(line(dnfRefresh()), "dnf -q makecache --refresh");
  });

  it("must take the locks off before it installs, those of what the engine needs too, and remove what is in its way last", async () => {
    const { session, calls, run } = packageHost(
      () => false,
      (call) => (call.includes("rpm -q") ? "docker-ce\npackage runc is not installed\n" : ""),
    );
    const install = [{ name: "moby-engine", version: "0:28.5.1-1.fc42" }];
    await dnf.install(session, { install, remove: ["docker-ce", "runc"], allowDowngrade: true }, run);
    assert.deepEqual(calls, [
      "script",
      "script moby-engine containerd runc",
      "script docker-ce runc",
      `script docker.service docker.socket containerd.service dnf -y ${KEEPING} --setopt=install_weak_deps=False install --allowerasing moby-engine-0:28.5.1-1.fc42`,
      "exec rpm -q --qf %{NAME}\\n -- docker-ce runc",
      "script docker-ce",
      `script  dnf -y ${KEEPING} remove docker-ce`,
    ]);
  });

  const LOCKED = "held docker-ce 3:26.1.5-1.el9\nheld runc 0:1.1-1\nheld kubelet 0:1-1\n";
  const locked = (fails: (call: string) => boolean = () => false) =>
    packageHost(fails, (call) => (call === "script" ? LOCKED : ""));
  const ENGINE = {
    install: [{ name: "docker-ce" }, { name: "docker-ce-cli" }],
    remove: [],
    allowDowngrade: false,
  };

  it("must lock again what was locked when the installation fails", async () => {
    const { session, calls, run } = locked((call) => / install |^script docker-ce runc$/.test(call));
    await assert.rejects(
      dnf.install(session, ENGINE, run),
      /installing docker-ce, docker-ce-cli .*exit code 1/,
    );
    assert.deepEqual(calls.slice(0, 2), ["script", "script docker-ce docker-ce-cli containerd runc"]);
    assert.equal(calls.at(-1), "script docker-ce runc");
  });

  it("must lock again what the engine needs, for that may be somebody else's lock; the engine's own is a step of its own", async () => {
    const { session, calls, run } = locked();
    await dnf.install(session, ENGINE, run);
    assert.equal(calls.at(-1), "script runc");
  });

  it("must leave locks of what an engine needs alone when it installs a tool", async () => {
    const { session, calls, run } = locked();
    await dnf.install(session, { ...ENGINE, install: [{ name: "curl" }] }, run);
    assert.deepEqual(calls.slice(0, 2), ["script", "script curl"]);
    assert.match(calls.at(-1) ?? "", / install curl$/);
  });

  it("must leave Docker's services alone while it takes off what an update has left", async () => {
    const { session, calls, run } = packageHost();
    await dnf.repair(session, run);
    assert.equal(calls.length, 1);
    assert.match(calls[0] ?? "", /^script docker\.service docker\.socket containerd\.service \/bin\/sh -c /);
    assert.match(calls[0] ?? "", /rpm -e --nodeps .* slipway-repair docker docker-ce /s);
  });

  it("must not ask for the removal of what has gone already, of which dnf would take who provides it", async () => {
    const { session, calls, run } = packageHost(
      () => true,
      () => "package runc is not installed\n",
    );
    await dnf.remove(session, ["runc"], run);
    assert.deepEqual(calls, ["exec rpm -q --qf %{NAME}\\n -- runc"]);
  });

  it("must take a source off again that cannot be read", async () => {
    const { session, calls, run } = packageHost((call) => call.startsWith("script dnf -q --repo="));
    const content = "[slipway-docker]\n";
    const repository = { url: "https://mirror.example/rpm", components: [], packages: [], content };
    await assert.rejects(dnf.addRepository(session, repository, run), {
      code: "engine-install-failed",
      message: /reading the package source https:\/\/mirror\.example\/rpm .*The package source was taken off/,
    });
    assert.ok(calls.includes("write /etc/yum.repos.d/slipway-docker.repo"));
    assert.match(calls.at(-1) ?? "", /^exec rm -f -- .* \/etc\/yum\.repos\.d\/slipway-docker\.repo/);
  });
});

describe("dnf's part of the look", () => {
  const URL = "https://download.docker.com/linux";
  const section = (id: string, ...lines: readonly string[]): string =>
    [`[${id}]`, `baseurl=${URL}/centos/9/x86_64/${id}`, ...lines, ""].join("\n");
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "dnf-look-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  /** The files of others that give the repository to dnf, as the look finds them. */
  const others = (files: Readonly<Record<string, string>>): readonly string[] => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const text = `url=$1\n${DNF_LOOK.replaceAll("/etc/yum.repos.d", folder)}`;
    const { stdout } = spawnSync("/bin/sh", ["-c", text, "look", URL], { encoding: "utf8" });
    const found = stdout.split("\n").filter((line) => line.startsWith("other "));
    return found.map((line) => line.slice(`other ${folder}/`.length));
  };

  it("must know that packages change now by the lock of a dnf that lives, and by nothing that it has left", () => {
    const busy = (pid: number): boolean => {
      writeFileSync(join(folder, "rpmdb_lock.pid"), String(pid));
      const text = DNF_LOOK.replaceAll("/var/lib/dnf", folder);
      return spawnSync("/bin/sh", ["-c", text], { encoding: "utf8" }).stdout.includes("busy yes\n");
    };
    assert.ok(busy(process.pid));
    assert.ok(!busy(spawnSync("/bin/true").pid));
  });

  it("must name the files of others that give the repository to dnf", () => {
    const files = {
      "docker-ce.repo": `${section("test", "enabled=0")}${section("stable", "enabled=1")}`,
      "silent.repo": section("stable"),
    };
    assert.deepEqual(others(files), Object.keys(files));
  });

  it("must not name those whose every section is turned off or is another's, nor ours", () => {
    const files = {
      "a.repo": `${section("stable", "enabled=0")}${section("test", "enabled = False")}`,
      "b.repo": `${section("stable", "enabled=no")}[other]\nbaseurl=https://mirror.example/\nenabled=1\n`,
      "c.repo": `[other]\n# baseurl=${URL}\nenabled=1\n`,
      "slipway-docker.repo": section("stable"),
    };
    assert.deepEqual(others(files), []);
  });
});
