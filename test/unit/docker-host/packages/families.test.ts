import assert from "node:assert/strict";
import { familyOf } from "../../../../provider/docker-host/packages/families";
import { dockerDistribution } from "../../../../provider/docker-host/packages/docker-distribution";
import type { EngineSource } from "../../../../provider/docker-host/packages/source";
import type { HostFacts } from "../../../../provider/host/facts";
import { parseFacts } from "../../../../provider/host/machine/facts-script";
import { fixture, fixtureNames } from "../../../support/fixture";

const facts = (name: string): HostFacts =>
  parseFacts(`\n== os\n${fixture("docker-host", "os-release", name)}\n== architecture\nx86_64\n`);
const RPM_KEY = "060A61C51B558A7F742B77AAC52FEB6B621E9F35";
const DEB_KEY = "9DC858229FC7DD38854AE2D88D81803C0EBFCD88";

/** Family, Docker's own repository (or why there is none), and the distribution's packages (or why there are none). */
const TABLE: Readonly<Record<string, readonly [family: string, docker: string, distro: string]>> = {
  "almalinux-9": ["dnf", "centos/9", "AlmaLinux 9.4 (Seafoam Ocelot) has no packages of Docker itself"],
  "alpine-3.20": ["apk", "Docker has no packages for Alpine Linux v3.20", "docker-engine"],
  "alpine-edge": ["apk", "Docker has no packages for Alpine Linux edge", "docker-engine"],
  "amazon-2": ["", "it runs Amazon Linux 2, whose package manager is yum", "whose package manager is yum"],
  "amazon-2023": ["dnf", "Docker has no packages for Amazon Linux 2023.6.20250115", "docker"],
  arch: ["", "it runs Arch Linux, and Slipway installs on", "it runs Arch Linux, and Slipway installs on"],
  "centos-7": [
    "",
    "it runs CentOS Linux 7 (Core), whose package manager is yum",
    "whose package manager is yum",
  ],
  "centos-stream-9": ["dnf", "centos/9", "CentOS Stream 9 has no packages of Docker itself"],
  "debian-11": ["apt", "debian/bullseye", "docker.io"],
  "debian-12": ["apt", "debian/bookworm", "docker.io"],
  "debian-13": ["apt", "debian/trixie", "docker.io"],
  "devuan-5": ["apt", "Docker has no packages for Devuan GNU/Linux 5 (daedalus)", "docker.io"],
  "fedora-41": ["dnf", "fedora/41", "moby-engine"],
  kali: ["apt", "Docker has no packages for Kali GNU/Linux Rolling", "docker.io"],
  "linuxmint-22": ["apt", "ubuntu/noble", "docker.io"],
  "lmde-6": ["apt", "debian/bookworm", "docker.io"],
  "opensuse-leap-15.6": [
    "",
    "it runs openSUSE Leap 15.6, and Slipway",
    "it runs openSUSE Leap 15.6, and Slipway",
  ],
  "oracle-9": ["dnf", "centos/9", "Oracle Linux Server 9.4 has no packages of Docker itself"],
  "raspbian-11": ["apt", "raspbian/bullseye", "docker.io"],
  "rhel-9": ["dnf", "rhel/9", "Red Hat Enterprise Linux 9.4 (Plow) has no packages of Docker itself"],
  "rocky-9": ["dnf", "centos/9", "Rocky Linux 9.4 (Blue Onyx) has no packages of Docker itself"],
  "ubuntu-20.04": ["apt", "ubuntu/focal", "docker.io"],
  "ubuntu-22.04": ["apt", "ubuntu/jammy", "docker.io"],
  "ubuntu-24.04": ["apt", "ubuntu/noble", "docker.io"],
};

/** What the machine gets from a source, or the refusal. */
function chosen(name: string, source: EngineSource): { readonly family: string; readonly what: string } {
  const host = facts(name);
  try {
    const family = familyOf("root@h:22", host, source);
    const own = dockerDistribution(host);
    const what = source.kind === "docker" ? `${own?.folder}/${own?.release}` : family.names(source, host)[0];
    return { family: family.kind, what: what ?? "" };
  } catch (error) {
    assert.ok(error instanceof Error);
    return { family: "", what: error.message };
  }
}

describe("the package family of a machine", () => {
  it("must be tested with every recorded os-release", () => {
    assert.deepEqual(fixtureNames("docker-host", "os-release"), Object.keys(TABLE).sort());
  });

  for (const [name, [family, docker, distro]] of Object.entries(TABLE)) {
    it(`must be ${family || "none"} on ${name}, with what Docker and the distribution have for it`, () => {
      const fromDocker = chosen(name, { kind: "docker" });
      const fromDistro = chosen(name, { kind: "distro" });
      assert.ok(fromDocker.what.includes(docker), fromDocker.what);
      assert.ok(fromDistro.what.includes(distro), fromDistro.what);
      assert.ok([fromDocker.family, fromDistro.family].includes(family));
    });
  }

  const repository = (name: string) => {
    const host = facts(name);
    return familyOf("h", host, { kind: "docker" }).repository({ kind: "docker" }, host);
  };

  it("must set Docker's repository up with the key of its kind, and the release of what the machine is made of", () => {
    const mint = repository("linuxmint-22");
    assert.match(
      mint?.content ?? "",
      /^URIs: https:\/\/download\.docker\.com\/linux\/ubuntu\nSuites: noble$/m,
    );
    assert.equal(mint?.keyFingerprint, DEB_KEY);
    const rocky = repository("rocky-9");
    assert.equal(rocky?.url, "https://download.docker.com/linux/centos/9/x86_64/stable");
    assert.equal(rocky.key, "https://download.docker.com/linux/centos/gpg");
    assert.equal(rocky.keyFingerprint, RPM_KEY);
    assert.equal(repository("fedora-41")?.url, "https://download.docker.com/linux/fedora/41/x86_64/stable");
  });

  it("must have dnf check every package against the key", () => {
    assert.equal(
      repository("rhel-9")?.content,
      [
        "# Written by Slipway for the Docker packages; changes here are overwritten.",
        "[slipway-docker]",
        "name=Docker packages (Slipway)",
        "baseurl=https://download.docker.com/linux/rhel/9/x86_64/stable",
        "enabled=1",
        "skip_if_unavailable=0",
        "gpgcheck=1",
        "gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-slipway-docker",
        "",
      ].join("\n"),
    );
  });

  it("must read Alpine's community of the machine's branch", () => {
    const url = (name: string): string => {
      const host = facts(name);
      return familyOf("h", host, { kind: "distro" }).repository({ kind: "distro" }, host)?.url ?? "";
    };
    assert.equal(url("alpine-3.20"), "https://dl-cdn.alpinelinux.org/alpine/v3.20/community");
    assert.equal(url("alpine-edge"), "https://dl-cdn.alpinelinux.org/alpine/edge/community");
  });
});
