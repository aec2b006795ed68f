import assert from "node:assert/strict";
import { parseNeeds } from "../../../../provider/docker-host/packages/apt-text";

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
  it("must give what each version of a package needs at least", () => {
    assert.deepEqual(Object.fromEntries(parseNeeds(SHOW)), {
      "5:28.5.2-1~debian.13~trixie": { "containerd.io": "1.7.27", libc6: "2.34" },
      "5:20.10.24~3-0~debian-bullseye": { "containerd.io": "1.4.1" },
    });
  });
});
