import assert from "node:assert/strict";
import { parseMadison } from "../../../provider/docker-host/packages/apt-text";
import {
  directionOf,
  listOffers,
  parseWanted,
  resolveOffer,
  satisfies,
  upstreamOf,
} from "../../../provider/docker-host/version";

const MADISON = ` docker-ce | 5:28.5.2-1~debian.13~trixie | https://download.docker.com/linux/debian trixie/stable amd64 Packages
 docker-ce | 5:28.5.1-1~debian.13~trixie | https://download.docker.com/linux/debian trixie/stable amd64 Packages
 docker-ce | 5:28.5.1-1~debian.13~trixie | http://mirror trixie/stable amd64 Packages
 docker-ce | 5:29.0.0~rc.1-1~debian.13~trixie | https://download.docker.com/linux/debian trixie/test amd64 Packages
 docker-ce | 5:26.1.5-1~debian.13~trixie | https://download.docker.com/linux/debian trixie/stable Sources
`;

describe("docker versions", () => {
  it("must strip epoch, revision, suffix and build", () => {
    const table: Readonly<Record<string, string | undefined>> = {
      "5:28.5.2-1~debian.13~trixie": "28.5.2",
      "20.10.24+dfsg1-1+deb12u1+b6": "20.10.24",
      "5:19.03.14~3-0~debian-buster": "19.3.14",
      "5:29.0.0~rc.1-1~debian.13~trixie": "29.0.0-rc.1",
      "28.2.2-0ubuntu1~24.04.1": "28.2.2",
      "1.7": undefined,
      "26.1.5.1": undefined,
    };
    for (const [version, upstream] of Object.entries(table))
      assert.equal(upstreamOf(version), upstream, version);
  });

  it("must compare exactly, never by prefix", () => {
    assert.equal(satisfies("5:26.1.40-1~x", "26.1.4"), false);
    assert.equal(satisfies("26.1.5+dfsg1", "26.1.5"), true);
    assert.equal(satisfies("5:29.0.0~rc.1-1", ">=28"), false);
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
    assert.equal(resolveOffer(offers, "docker-ce", "28.x")?.version, "5:28.5.2-1~debian.13~trixie");
    assert.equal(resolveOffer(offers, "docker-ce", "28.5.1")?.version, "5:28.5.1-1~debian.13~trixie");
    assert.equal(resolveOffer(offers, "docker-ce", "26.x"), undefined);
    assert.deepEqual(listOffers(offers, "docker-ce"), ["29.0.0-rc.1", "28.5.2", "28.5.1"]);
  });

  it("must know where a wanted version lies", () => {
    assert.equal(directionOf("28.5.2", "26.1.5"), "down");
    assert.equal(directionOf("20.10.24+dfsg1", "28.x"), "up");
    assert.equal(directionOf("28.5.2", "28.x"), "same");
    assert.equal(directionOf("27.1.1", "26.x || 28.x"), "between");
  });
});
