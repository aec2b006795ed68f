import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { FACTS_SCRIPT, parseFacts, parseOsRelease } from "../../../../provider/host/machine/facts-script";

const DEBIAN = `
== os
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
VERSION_ID="12"
VERSION_CODENAME=bookworm
ID=debian

== architecture
x86_64

== init
systemd

== user
deploy

== uid
1000

== groups
deploy docker

== machine-id
0d7031eaf09d4297a052233387043e0c

== boot-id
301886f4-dd85-48c6-bd3d-d9318dfe146d

== session-process
812 4711

== sudo
passwordless

== docker-cli
/usr/bin/docker

== docker-socket
yes
`;

describe("parseFacts", () => {
  it("must read every field", () => {
    assert.deepEqual(parseFacts(DEBIAN), {
      os: {
        id: "debian",
        idLike: [],
        versionId: "12",
        codename: "bookworm",
        prettyName: "Debian GNU/Linux 12 (bookworm)",
        ubuntuCodename: "",
        debianCodename: "",
      },
      architecture: "x86_64",
      init: "systemd",
      user: { name: "deploy", uid: 1000, groups: ["deploy", "docker"] },
      sudo: "passwordless",
      machineId: "0d7031eaf09d4297a052233387043e0c",
      bootId: "301886f4-dd85-48c6-bd3d-d9318dfe146d",
      sessionProcess: "812 4711",
      dockerCli: "/usr/bin/docker",
      dockerSocket: true,
    });
  });

  it("must take missing fields for absent, never for rights", () => {
    const facts = parseFacts("");
    assert.equal(facts.sudo, "none");
    assert.equal(facts.dockerCli, undefined);
    assert.equal(facts.dockerSocket, false);
    assert.ok(Number.isNaN(facts.user.uid));
  });

  it("must read what the script prints on this machine", () => {
    const { stdout, status } = spawnSync("/bin/sh", ["-c", FACTS_SCRIPT]);
    const facts = parseFacts(stdout.toString());
    assert.equal(status, 0);
    assert.equal(facts.user.uid, process.getuid?.());
    assert.notEqual(facts.architecture, "");
  });
});

describe("parseOsRelease", () => {
  it("must undo quotes and escapes", () => {
    const values = parseOsRelease(
      `ID=ol\nID_LIKE="fedora rhel"\nNAME='a "b"'\nX="\\$5 \\"q\\""\n# C=1\nbad line\n`,
    );
    assert.deepEqual(Object.fromEntries(values), {
      ID: "ol",
      ID_LIKE: "fedora rhel",
      NAME: 'a "b"',
      X: '$5 "q"',
    });
  });
});
