import assert from "node:assert/strict";
import type { Failure } from "../../../provider/handler";
import { secretsOf, targetOf } from "../../../provider/host/connection";
import { readConnection, readHosts, recordedHosts } from "../../../provider/host/connection-fields";
import { Fields } from "../../../provider/values";

describe("readConnection", () => {
  it("must keep what was given and add no default", () => {
    const given = { host: "10.0.0.1", privateKey: "k", hostKey: ["a", "b"], proxy: { host: "bastion" } };
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

describe("readHosts", () => {
  it("must refuse the same machine twice and none at all", () => {
    const failures: Failure[] = [];
    readHosts(new Fields({ hosts: [{ host: "a" }, { host: "a", port: 22 }] }, failures), { required: true });
    readHosts(new Fields({ hosts: [] }, failures), { required: true });
    assert.deepEqual(
      failures.map((failure) => failure.reason),
      ["names root@a:22 twice", "needs at least one host"],
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
