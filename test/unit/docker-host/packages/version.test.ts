import assert from "node:assert/strict";
import { fixture } from "../../../support/fixture";
import { parseMadison } from "../../../../provider/docker-host/packages/apt-text";
import {
  builtFor,
  compareVersions,
  directionOf,
  listOffers,
  parseWanted,
  resolveOffer,
  satisfies,
  upstreamOf,
} from "../../../../provider/docker-host/packages/version";

const MADISON = ` docker-ce | 5:28.5.2-1~debian.13~trixie | https://download.docker.com/linux/debian trixie/stable amd64 Packages
 docker-ce | 5:28.5.1-1~debian.13~trixie | https://download.docker.com/linux/debian trixie/stable amd64 Packages
 docker-ce | 5:28.5.1-1~debian.13~trixie | http://mirror trixie/stable amd64 Packages
 docker-ce | 5:29.0.0~rc.1-1~debian.13~trixie | https://download.docker.com/linux/debian trixie/test amd64 Packages
 docker-ce | 5:26.1.5-1~debian.13~trixie | https://download.docker.com/linux/debian trixie/stable Sources
`;

describe("docker versions", () => {
  /** Versions as package managers and daemons write them, by where they come from. */
  const upstream: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
    "Docker's apt": {
      "5:28.5.2-1~debian.13~trixie": "28.5.2",
      "5:26.1.4-1~debian.12~bookworm": "26.1.4",
      "5:29.0.0-1~ubuntu.24.04~noble": "29.0.0",
      "5:24.0.7-1~raspbian.11~bullseye": "24.0.7",
      "5:20.10.24~3-0~debian-bullseye": "20.10.24",
      "5:20.10.7~3-0~ubuntu-focal": "20.10.7",
      "5:19.03.14~3-0~debian-buster": "19.03.14",
      "5:18.09.0~3-0~ubuntu-bionic": "18.09.0",
      "18.06.3~ce~3-0~ubuntu": "18.06.3",
      "18.03.1~ce-0~ubuntu": "18.03.1",
      "17.12.1~ce-0~debian": "17.12.1",
      "17.03.3~ce-0~ubuntu-xenial": "17.03.3",
    },
    "Docker's apt, test channel": {
      "5:29.0.0~rc.1-1~debian.13~trixie": "29.0.0-rc.1",
      "5:29.0.0~rc.10-1~ubuntu.24.04~noble": "29.0.0-rc.10",
      "5:22.06.0~beta.0~3-0~debian-bullseye": "22.06.0-beta.0",
      "5:19.03.0~2.3.rc3-0~ubuntu-disco": "19.03.0-rc.3",
      "17.12.0~ce~rc1-0~ubuntu": "17.12.0-rc.1",
    },
    "Docker's rpm": {
      "3:28.5.2-1.el9": "28.5.2",
      "3:27.3.1-1.fc40": "27.3.1",
      "3:29.0.0~rc.1-1.el9": "29.0.0-rc.1",
      "3:19.03.15-3.el8": "19.03.15",
      "3:18.09.0-1.5.beta5.el7": "18.09.0-beta.5",
      "3:18.09.0-2.1.rc1.el7": "18.09.0-rc.1",
      "0:18.06.3.ce-3.el7": "18.06.3",
      "17.03.1.ce-1.el7.centos": "17.03.1",
      "0:1.7.24-3.1.el9": "1.7.24",
    },
    "Debian and Ubuntu": {
      "20.10.24+dfsg1-1+deb12u1+b6": "20.10.24",
      "26.1.5+dfsg1-9+b7": "26.1.5",
      "28.5.2+dfsg4-5": "28.5.2",
      "20.10.5+dfsg1-1+deb11u3": "20.10.5",
      "1.6.20~ds1-1+deb12u1": "1.6.20",
      "28.2.2-0ubuntu1~24.04.1": "28.2.2",
      "24.0.7-0ubuntu2~22.04.1": "24.0.7",
      "26.1.3-0ubuntu1~20.04.1": "26.1.3",
      "28.2.2+dfsg1-1ubuntu1": "28.2.2",
      "20.10.25+azure-ubuntu22.04u2": "20.10.25",
    },
    "Fedora and Amazon": {
      "0:27.3.1-2.fc41": "27.3.1",
      "29.4.2-1.fc42": "29.4.2",
      "0:25.0.8-1.amzn2023.0.4": "25.0.8",
      "2:1.13.1-209.git7d71120.el7": "1.13.1",
    },
    Alpine: {
      "27.3.1-r1": "27.3.1",
      "26.1.5-r0": "26.1.5",
      "20.10.11-r1": "20.10.11",
      "23.0.0_rc1-r0": "23.0.0-rc.1",
    },
    daemons: {
      "28.5.2": "28.5.2",
      "26.1.5+dfsg1": "26.1.5",
      "18.06.3-ce": "18.06.3",
      "18.05.0-ce-rc1": "18.05.0-rc.1",
      "29.0.0-rc.3": "29.0.0-rc.3",
    },
    "no Docker": { "1.7": undefined, "26.1.5.1": undefined, "": undefined, buster: undefined },
  };
  for (const [source, table] of Object.entries(upstream)) {
    it(`must strip epoch, revision, suffix and build: ${source}`, () => {
      for (const [version, wanted] of Object.entries(table))
        assert.equal(upstreamOf(version), wanted, version);
    });
  }

  it("must know at least forty forms", () => {
    const forms = Object.values(upstream).flatMap((table): readonly unknown[] => Object.values(table));
    const known = forms.filter((form) => form !== undefined).length;
    assert.ok(known >= 40, `${known} forms`);
  });

  it("must know for whom a package was built", () => {
    const table: Readonly<Record<string, string>> = {
      "5:28.5.2-1~debian.13~trixie": "debian.13~trixie",
      "5:19.03.14~3-0~ubuntu-focal": "ubuntu-focal",
      "3:28.5.2-1.el9": "el9",
      "0:27.3.1-2.fc41": "fc41",
      "0:25.0.8-1.amzn2023.0.4": "amzn2023",
      "17.03.1.ce-1.el7.centos": "el7",
      "26.1.5+dfsg1-9+b7": "",
      "27.3.1-r1": "",
    };
    for (const [version, whom] of Object.entries(table)) assert.equal(builtFor(version), whom, version);
  });

  it("must order what semver does not: leading zeros and prereleases", () => {
    const sorted = [
      "19.03.9",
      "20.10.0",
      "18.06.3~ce~3-0~ubuntu",
      "5:19.03.14~3-0~x",
      "5:29.0.0~rc.1-1",
      "29.0.0",
    ];
    assert.deepEqual([...sorted].sort(compareVersions), [
      ...["18.06.3~ce~3-0~ubuntu", "19.03.9", "5:19.03.14~3-0~x", "20.10.0", "5:29.0.0~rc.1-1", "29.0.0"],
    ]);
  });

  it("must compare exactly, never by prefix", () => {
    assert.equal(satisfies("5:26.1.40-1~x", "26.1.4"), false);
    assert.equal(satisfies("26.1.5+dfsg1", "26.1.5"), true);
    assert.equal(satisfies("5:29.0.0~rc.1-1", ">=28"), false);
    assert.equal(satisfies("5:19.03.0~2.3.rc3-0~ubuntu-disco", "19.03.0"), false);
    assert.equal(satisfies("3:18.09.0-2.1.rc1.el7", "18.09.x"), false);
    assert.equal(satisfies("3:29.0.0~rc.1-1.el9", "29.0.0-rc.1"), true);
    assert.equal(satisfies("5:19.03.14~3-0~debian-buster", "19.03.14"), true);
    assert.equal(satisfies("5:19.03.14~3-0~debian-buster", "19.03.x"), true);
    assert.equal(satisfies("18.06.3~ce~3-0~ubuntu", "18.06.3-ce"), true);
  });

  it("must tell versions from ranges and from neither", () => {
    assert.deepEqual(["28.5.2", "28.x", "~28.5", "latest", ""].map(parseWanted), [
      "exact",
      "range",
      "range",
      undefined,
      undefined,
    ]);
  });

  it("must resolve a range to the highest offer and list what there is", () => {
    const offers = parseMadison(MADISON);
    assert.equal(offers.length, 3);
    const found = (wanted: string): string => {
      const resolution = resolveOffer(offers, "docker-ce", wanted);
      return resolution.kind === "found" ? resolution.offer.version : resolution.kind;
    };
    assert.equal(found("28.x"), "5:28.5.2-1~debian.13~trixie");
    assert.equal(found("28.5.1"), "5:28.5.1-1~debian.13~trixie");
    assert.equal(found("26.x"), "none");
    assert.deepEqual(listOffers(offers, "docker-ce"), ["29.0.0-rc.1", "28.5.2", "28.5.1"]);
  });

  it("must read what apt-cache says of two suites and a mirror", () => {
    const offers = parseMadison(fixture("docker-host", "apt", "madison-trixie-and-sid.txt"));
    assert.deepEqual(listOffers(offers, "docker.io"), ["28.5.2", "26.1.5"]);
    assert.equal(offers.length, 6);
    assert.deepEqual(resolveOffer(offers, "docker.io", "~26.1"), {
      kind: "found",
      offer: { name: "docker.io", version: "26.1.5+dfsg1-9+deb13u1" },
    });
  });

  it("must not choose among builds for several distributions, and take the latest of one's revisions", () => {
    const offer = (version: string) => ({ name: "docker-ce", version });
    const trixie = ["5:28.5.2-2~debian.13~trixie", "5:28.5.2-1~debian.13~trixie"];
    const bookworm = "5:28.5.2-1~debian.12~bookworm";
    const older = "5:26.1.4-1~debian.12~bookworm";
    const resolve = (versions: readonly string[], wanted: string) =>
      resolveOffer(versions.map(offer), "docker-ce", wanted);
    assert.deepEqual(resolve(trixie, "28.x"), { kind: "found", offer: offer(trixie[0] ?? "") });
    assert.deepEqual(resolve([...trixie, bookworm, older], "28.5.2"), {
      kind: "several",
      versions: [...trixie, bookworm],
    });
    assert.equal(resolve([...trixie, bookworm, older], "26.x").kind, "found");
  });

  it("must know where a wanted version lies", () => {
    assert.equal(directionOf("28.5.2", "26.1.5"), "down");
    assert.equal(directionOf("20.10.24+dfsg1", "28.x"), "up");
    assert.equal(directionOf("28.5.2", "28.x"), "same");
    assert.equal(directionOf("27.1.1", "26.x || 28.x"), "between");
  });
});
