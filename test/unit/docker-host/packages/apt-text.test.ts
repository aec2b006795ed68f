import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  APT_LOOK,
  aptInstall,
  aptTrial,
  parseNeeds,
  parseRemovals,
} from "../../../../provider/docker-host/packages/apt-text";

const SHOW = `Package: docker-ce
Version: 5:28.5.2-1~debian.13~trixie
Architecture: amd64
Depends: containerd.io (>= 1.7.27), docker-ce-cli, iptables, libc6 (>= 2.34), libsystemd0
Recommends: docker-buildx-plugin, docker-compose-plugin
Description: Docker
 Version: 1.0

Package: docker-ce
Version: 5:20.10.24~3-0~debian-bullseye
Depends: containerd.io (>= 1.4.1)
`;

describe("parseNeeds", () => {
  it("must give what each version of a package needs at least, and which parts of an engine in any version", () => {
    assert.deepEqual(Object.fromEntries(parseNeeds(SHOW)), {
      "5:28.5.2-1~debian.13~trixie": { "containerd.io": "1.7.27", "docker-ce-cli": "0", libc6: "2.34" },
      "5:20.10.24~3-0~debian-bullseye": { "containerd.io": "1.4.1" },
    });
  });
});

describe("parseRemovals", () => {
  it("must name what a trial of apt-get would remove", () => {
    const trial = `NOTE: This is only a simulation!
The following packages will be REMOVED:
  containerd kubelet
Remv kubelet [1.33.1-1.1]
Remv containerd [1.7.24~ds1-6+b4] [docker.io:amd64 ]
Remv libfoo:i386 [1]
Inst containerd.io (1.7.28-1~debian.13~trixie Lab:stable [amd64])
Conf containerd.io (1.7.28-1~debian.13~trixie Lab:stable [amd64])
`;
    assert.deepEqual(parseRemovals(trial), ["containerd", "kubelet", "libfoo"]);
    assert.deepEqual(parseRemovals("Inst docker-ce (5:28.5.2-1)\n"), []);
  });
});

describe("aptInstall", () => {
  const change = (...remove: readonly string[]) => ({ remove, allowDowngrade: true });

  it("must have apt remove nothing where nothing is to go, whatever others did since the trial", () => {
    assert.ok(aptInstall(["docker-ce"], change()).includes("--no-remove"));
    assert.ok(!aptInstall(["docker-ce"], change("docker.io")).includes("--no-remove"));
  });

  it("must ask in the trial what would go", () => {
    assert.ok(!aptTrial(["docker-ce"], change()).includes("--no-remove"));
    assert.ok(aptTrial(["docker-ce"], change()).includes("-s"));
  });
});

describe("apt's part of the look", () => {
  const URL = "https://download.docker.com/linux";
  const DEB = `deb [signed-by=/k.asc] ${URL}/ubuntu noble stable\n`;
  const SOURCES = `Types: deb\nURIs: ${URL}/ubuntu\nSuites: noble\n`;
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "apt-look-"));
    mkdirSync(join(folder, "sources.list.d"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  /** The files of others that name the repository, as the look finds them. */
  const others = (files: Readonly<Record<string, string>>): readonly string[] => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const text = `url=$1\n${APT_LOOK.replaceAll("/etc/apt/", `${folder}/`)}`;
    const { stdout } = spawnSync("/bin/sh", ["-c", text, "look", URL], { encoding: "utf8" });
    const found = stdout.split("\n").filter((line) => line.startsWith("other "));
    return found.map((line) => line.slice(`other ${folder}/`.length));
  };

  it("must name the files of others that give the repository to apt", () => {
    const files = { "sources.list": DEB, "sources.list.d/a.list": DEB, "sources.list.d/b.sources": SOURCES };
    assert.deepEqual(others(files), ["sources.list", "sources.list.d/a.list", "sources.list.d/b.sources"]);
    assert.deepEqual(others({ "sources.list.d/a.list": `${DEB}${DEB}` }).length, 3);
  });

  it("must not name those that an upgrade of the distribution has turned off, nor ours", () => {
    const off = {
      "sources.list": `# ${DEB}`,
      "sources.list.d/a.list": `  #${DEB}`,
      "sources.list.d/b.sources": `Enabled: no\n${SOURCES}`,
      "sources.list.d/c.sources": SOURCES.replace("URIs", "#URIs"),
      "sources.list.d/slipway-docker.sources": SOURCES,
    };
    assert.deepEqual(others(off), []);
  });
});
