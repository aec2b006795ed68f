import assert from "node:assert/strict";
import type { Failure } from "../../../provider/handler";
import { secretsOf, targetOf } from "../../../provider/host/connection";
import { readConnection, readHosts, recordedHosts } from "../../../provider/host/connection-fields";
import { Fields, UNKNOWN } from "../../../provider/values";

describe("readConnection", () => {
  it("must keep what was given and add no default", () => {
    const hostKey = [`SHA256:${"A".repeat(43)}`, `SHA256:${"B".repeat(43)}`];
    const given = { host: "10.0.0.1", privateKey: "k", hostKey, proxy: { host: "bastion" } };
    assert.deepEqual(readConnection(new Fields(given)), given);
  });

  it("must name the field of a mistake, the bastion's too", () => {
    const failures: Failure[] = [];
    readConnection(new Fields({ host: "", port: 0, proxy: { host: "b", usr: "x" } }, failures, "connection"));
    assert.deepEqual(failures.map((failure) => failure.property).sort(), [
      "connection.host",
      "connection.port",
      "connection.proxy.usr",
    ]);
  });
});

describe("readConnection, bastions", () => {
  it("must refuse to learn a bastion's key: nobody would record it, so each run would take any", () => {
    const failures: Failure[] = [];
    const proxy = { host: "b", proxy: { host: "c", hostKeyPolicy: "accept-new" } };
    readConnection(new Fields({ host: "a", hostKeyPolicy: "accept-new", proxy }, failures));
    assert.deepEqual(
      failures.map((failure) => failure.property),
      ["proxy.proxy.hostKeyPolicy"],
    );
  });
});

describe("recordedHosts of a state that cannot be read", () => {
  it("must say so, and not take the host for none: what runs there would be forgotten", () => {
    assert.throws(() => recordedHosts({ hosts: [{ host: "a" }, { host: "b", port: "22" }] }), {
      name: "SlipwayError",
      message: /recorded.*port must be a whole number/,
    });
  });
});

describe("readConnection, hostKey", () => {
  const failuresOf = (hostKey: unknown) => {
    const failures: Failure[] = [];
    readConnection(new Fields({ host: "a", hostKey }, failures));
    return failures.map((failure) => failure.property);
  };

  it("must refuse in preview what is neither a key line nor a fingerprint", () => {
    assert.deepEqual(failuresOf("SHA256:abc"), ["hostKey"]);
    assert.deepEqual(failuresOf([`SHA256:${"A".repeat(43)}`, "MD5:00:11"]), ["hostKey"]);
  });

  it("must not take a known_hosts marker for trust", () => {
    const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGQuiOLHsFoqKyUHAEzmBwaTtvH5qXKLx2jqMEn0sCF9";
    assert.deepEqual(failuresOf(`@revoked * ${key}`), ["hostKey"]);
    assert.deepEqual(failuresOf([`@cert-authority *.example.com ${key}`]), ["hostKey"]);
  });

  it("must wait for one that is not known yet", () => {
    assert.deepEqual(failuresOf(UNKNOWN), []);
    assert.deepEqual(failuresOf([UNKNOWN]), []);
  });
});

describe("readConnection, host", () => {
  const reasonsOf = (host: string) => {
    const failures: Failure[] = [];
    readConnection(new Fields({ host }, failures));
    return failures.map(({ property, reason }) => `${property}: ${reason}`);
  };

  it("must refuse what names a user, a port or a protocol besides, and say where that goes", () => {
    assert.deepEqual(reasonsOf("root@192.0.2.1"), [
      'host: must be an address or a name alone, not "root@192.0.2.1": the user goes into user',
    ]);
    assert.deepEqual(reasonsOf("192.0.2.1:22"), [
      'host: must be an address or a name alone, not "192.0.2.1:22": the port goes into port',
    ]);
    assert.match(reasonsOf("ssh://192.0.2.1")[0] ?? "", /not "ssh:\/\/192.0.2.1"/);
    assert.match(reasonsOf("two words")[0] ?? "", /must be an address or a name alone/);
    assert.match(reasonsOf("-oProxyCommand=x")[0] ?? "", /must be an address or a name alone/);
  });

  it("must take addresses of both families and names", () => {
    for (const host of ["192.0.2.1", "::1", "fe80::1%eth0", "web1", "web_1.example.com."]) {
      assert.deepEqual(reasonsOf(host), [], host);
    }
  });
});

describe("readConnection, paths", () => {
  const secret =
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n";

  for (const field of ["privateKeyPath", "knownHosts", "agentSocketPath"]) {
    it(`must refuse a key's text as ${field} without repeating it`, () => {
      const failures: Failure[] = [];
      readConnection(new Fields({ host: "a", [field]: secret }, failures));
      assert.deepEqual(
        failures.map(({ property }) => property),
        [field],
      );
      assert.doesNotMatch(failures[0]?.reason ?? "", /b3Bl/);
    });
  }

  it("must say where a key's text goes, and where its path", () => {
    const failures: Failure[] = [];
    readConnection(new Fields({ host: "a", privateKeyPath: secret }, failures));
    readConnection(new Fields({ host: "a", privateKey: "~/.ssh/id_ed25519" }, failures));
    assert.deepEqual(
      failures.map(({ reason }) => reason),
      [
        "must be a path, and holds the text of a file: a key's text goes into privateKey",
        "must be the text of a key, and holds a path: that goes into privateKeyPath",
      ],
    );
  });
});

describe("readHosts", () => {
  it("must refuse the same machine twice and none at all", () => {
    const failures: Failure[] = [];
    readHosts(new Fields({ hosts: [{ host: "a" }, { host: "a", port: 22 }] }, failures), { required: true });
    readHosts(new Fields({ hosts: [{ host: "a" }, { host: "a", user: "deploy" }] }, failures), {
      required: true,
    });
    readHosts(new Fields({ hosts: [] }, failures), { required: true });
    assert.deepEqual(
      failures.map((failure) => failure.reason),
      ["names root@a:22 twice", "names deploy@a:22 twice", "needs at least one host"],
    );
  });

  it("must find the recorded hosts under any of the three names", () => {
    assert.deepEqual(recordedHosts({ connection: { host: "a" } }).map(targetOf), ["root@a:22"]);
    assert.deepEqual(
      recordedHosts({ hosts: [{ host: "b" }, { host: "::1", user: "deploy", port: 2222 }] }).map(targetOf),
      ["root@b:22", "deploy@[::1]:2222"],
    );
  });
});

describe("secretsOf", () => {
  it("must give the bastion's secrets as well", () => {
    const connection = {
      host: "a",
      privateKey: "key1",
      sudoPassword: "pw1",
      proxy: { host: "b", password: "pw2" },
    };
    assert.deepEqual(secretsOf(connection), ["key1", "pw1", "pw2"]);
  });
});
