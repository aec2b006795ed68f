import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { chmod, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { isSlipwayError } from "../../provider/errors";
import { reachOf } from "../../provider/health-policy/reach";
import type { Connection } from "../../provider/host/connection";
import { knownHostsLine } from "../../provider/host/host-key/host-key";
import type { Route } from "../../provider/host/ssh-config/route";
import { borrower } from "../support/borrow";
import type { SshTestServer } from "../support/ssh-server";
import { testKey } from "../lab/test-key";
import { OTHER_PRINT, sshSite, without } from "../support/ssh-site";
import { TemporaryFolder } from "../support/temporary-folder";

describe("a host key", () => {
  const site = sshSite();
  let folder: TemporaryFolder;
  beforeEach(() => {
    folder = new TemporaryFolder();
  });
  afterEach(() => folder.remove());

  /** The server's connection, which knows its key by these lines of known_hosts only. */
  const knownBy = async ({ connection }: SshTestServer, ...lines: readonly string[]): Promise<Connection> => {
    const knownHosts = join(folder.path, "known_hosts");
    await writeFile(knownHosts, `${lines.join("\n")}\n`);
    return { ...without(connection, "hostKey"), knownHosts };
  };
  const keyOf = ({ publicKey }: SshTestServer): string => `ssh-ed25519 ${publicKey.toString("base64")}`;
  const otherKey = (): string => testKey().publicKey.split(" ").slice(0, 2).join(" ");

  it("must refuse an unknown key before logging in, and say what to add", async () => {
    const server = await site.start();
    const knownHosts = join(folder.path, "known_hosts");
    await writeFile(knownHosts, "");
    const unknown = without(server.connection, "hostKey");
    const { code, message } = await site.refusal({ ...unknown, knownHosts });
    assert.equal(code, "host-key-unknown");
    assert.ok(message.includes(`hostKey: "${server.fingerprint}"`), message);
    assert.ok(message.endsWith(knownHostsLine("127.0.0.1", server.port, server.publicKey)), message);
    assert.deepEqual(server.counts.logins, 0);
    await writeFile(knownHosts, message.split("\n").at(-1) ?? "");
    assert.equal(await site.login({ ...unknown, knownHosts }), server.fingerprint);
  });

  it("must refuse a changed key and name both fingerprints", async () => {
    const server = await site.start();
    const { code, message } = await site.refusal({ ...server.connection, hostKey: OTHER_PRINT });
    assert.equal(code, "host-key-mismatch");
    for (const text of [OTHER_PRINT, server.fingerprint, "ssh-ed25519"])
      assert.ok(message.includes(text), message);
    assert.equal(server.counts.logins, 0);
  });

  it("must name both keys when the machine now has another type only", async () => {
    const server = await site.start();
    const rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDN";
    const { code, message } = await site.refusal({ ...server.connection, hostKey: rsa });
    assert.equal(code, "host-key-mismatch");
    assert.ok(message.includes(server.fingerprint) && message.includes("(ssh-rsa)"), message);
  });

  it("must take any of several keys", async () => {
    const server = await site.start();
    await site.login({ ...server.connection, hostKey: [OTHER_PRINT, server.fingerprint] });
  });

  it("must enforce a recorded key under accept-new", async () => {
    const server = await site.start();
    const connection = without(server.connection, "hostKey");
    const knownHosts = join(folder.path, "known_hosts");
    await writeFile(knownHosts, "");
    const acceptNew = { ...connection, knownHosts, hostKeyPolicy: "accept-new" } as const;
    assert.equal(await site.login(acceptNew), server.fingerprint);
    const { code } = await site.refusal(acceptNew, { recordedHostKey: OTHER_PRINT });
    assert.equal(code, "host-key-mismatch");
  });

  it("must enforce a recorded key when another user logs in", async () => {
    const server = await site.start();
    const connection = { ...without(server.connection, "hostKey"), user: "deploy" };
    const acceptNew = { ...connection, hostKeyPolicy: "accept-new" } as const;
    const hostKeys = { [`root@127.0.0.1:${server.port}`]: OTHER_PRINT };
    const reach = reachOf([acceptNew], hostKeys, borrower().options);
    const reached = reach.on(`deploy@127.0.0.1:${server.port}`, () => Promise.resolve());
    await assert.rejects(reached, (error) => isSlipwayError(error, "host-key-mismatch"));
  });

  it("must refuse a key that known_hosts revokes, also where hostKey or a recorded key says it is right", async () => {
    const server = await site.start();
    const knownHosts = join(folder.path, "known_hosts");
    await writeFile(knownHosts, `@revoked ${knownHostsLine("127.0.0.1", server.port, server.publicKey)}\n`);
    const given = await site.refusal({ ...server.connection, knownHosts });
    assert.equal(given.code, "host-key-revoked");
    const acceptNew = { ...without(server.connection, "hostKey"), knownHosts, hostKeyPolicy: "accept-new" };
    const recorded = await site.refusal(acceptNew as Connection, { recordedHostKey: server.fingerprint });
    assert.equal(recorded.code, "host-key-revoked");
  });

  it("must be right as a whole key line, and as a line of known_hosts", async () => {
    const server = await site.start();
    for (const hostKey of [keyOf(server), `${keyOf(server)} root@web`, `web ${keyOf(server)}`]) {
      assert.equal(await site.login({ ...server.connection, hostKey }), server.fingerprint);
    }
  });

  it("must be found in known_hosts under a hashed name, with its port, by wildcards and beside other names", async () => {
    const server = await site.start();
    const name = `[127.0.0.1]:${server.port}`;
    const salt = Buffer.from("0123456789abcdefghij");
    const hash = createHmac("sha1", salt).update(name).digest("base64");
    const hashed = `|1|${salt.toString("base64")}|${hash}`;
    for (const names of [name, hashed, "[127.0.0.*]:*", `web,${name}`, `!web,${name}`, "[127.0.0.?]*"]) {
      const connection = await knownBy(server, "# all of them", `${names} ${keyOf(server)} a comment`);
      assert.equal(await site.login(connection), server.fingerprint, names);
    }
    for (const names of ["127.0.0.1", `[127.0.0.1]:${server.port + 1}`, `!${name},*`, "localhost"]) {
      const { code } = await site.refusal(await knownBy(server, `${names} ${keyOf(server)}`));
      assert.equal(code, "host-key-unknown", names);
    }
  });

  it("must be refused where known_hosts has only a certificate authority, and say so beside a plain key", async () => {
    const server = await site.start();
    const authority = `@cert-authority * ${otherKey()}`;
    const only = await site.refusal(await knownBy(server, authority));
    assert.equal(only.code, "host-key-unknown");
    assert.match(only.message, /only a @cert-authority line .* host certificates cannot be checked here/);
    assert.equal(server.counts.logins, 0);
    // the line says that the host should show a certificate: a plain key is not what was asked for
    const anyKey = { ...(await knownBy(server, authority)), hostKeyPolicy: "accept-new" } as const;
    assert.equal((await site.refusal(anyKey)).code, "host-key-unknown");
    assert.equal(server.counts.logins, 0);
    const beside = await knownBy(server, authority, `* ${keyOf(server)}`);
    assert.equal(await site.login(beside), server.fingerprint);
    const wrong = await site.refusal(await knownBy(server, authority, `* ${otherKey()}`));
    assert.equal(wrong.code, "host-key-mismatch");
    assert.match(wrong.message, /@cert-authority line does not count: host certificates cannot be checked/);
  });

  it("must not be right because a certificate authority has the same key", async () => {
    const server = await site.start();
    const { code } = await site.refusal(await knownBy(server, `@cert-authority * ${keyOf(server)}`));
    assert.equal(code, "host-key-unknown");
  });

  it("must be looked up in the user's file and in the system's, either of which may be missing", async () => {
    const server = await site.start();
    const [users, systems, missing] = ["users", "systems", "missing"].map((file) => join(folder.path, file));
    await writeFile(users ?? "", `elsewhere ${otherKey()}\n`);
    await writeFile(systems ?? "", `* ${keyOf(server)}\n`);
    const files = (...knownHostsFiles: readonly (string | undefined)[]) =>
      ({ ...without(server.connection, "hostKey"), knownHostsFiles }) as Route;
    assert.equal(await site.login(files(users, missing, systems)), server.fingerprint);
    // as where HOME is /dev/null
    assert.equal(await site.login(files("/dev/null/.ssh/known_hosts", systems)), server.fingerprint);
    const { code, message } = await site.refusal(files(users, missing));
    assert.equal(code, "host-key-unknown");
    assert.ok(message.includes(`(looked in ${users}, ${missing})`), message);
    await writeFile(users ?? "", `@revoked * ${keyOf(server)}\n`);
    assert.equal((await site.refusal(files(users, systems))).code, "host-key-revoked");
  });

  it("must not be guessed where the file that the program names is missing or cannot be read", async () => {
    const server = await site.start();
    const connection = without(server.connection, "hostKey");
    const knownHosts = join(folder.path, "known_hosts");
    const missing = await site.refusal({ ...connection, knownHosts, hostKeyPolicy: "accept-new" });
    assert.equal(missing.code, "invalid-input");
    assert.ok(missing.message.includes("ENOENT") && missing.message.includes(knownHosts), missing.message);
    await writeFile(knownHosts, "");
    await chmod(knownHosts, 0o000);
    // root reads everything: then a folder stands for it
    const unreadable = await site.refusal({
      ...connection,
      knownHosts: userInfo().uid === 0 ? folder.path : knownHosts,
    });
    assert.equal(unreadable.code, "invalid-input");
    assert.match(unreadable.message, /EISDIR|EACCES/);
    assert.equal(server.counts.logins, 0);
  });

  it("must be asked for by its type only, where its type is known", async () => {
    const rsa = testKey("rsa");
    const server = await site.start({ hostKey: rsa.privateKey, otherHostKeys: [testKey().privateKey] });
    const wire = await site.wire(server.port);
    const hostKey = rsa.publicKey;
    assert.equal(await site.login({ ...server.connection, port: wire.port, hostKey }), server.fingerprint);
    assert.deepEqual(wire.offer()?.hostKeys, ["rsa-sha2-512", "rsa-sha2-256"]);
  });

  it("must be found by its fingerprint when the machine has one of another type, too, in one login", async () => {
    const rsa = testKey("rsa");
    const server = await site.start({ hostKey: rsa.privateKey, otherHostKeys: [testKey().privateKey] });
    assert.equal(await site.login(server.connection), server.fingerprint);
    assert.equal(server.counts.logins, 1);
  });

  it("must be the one that each borrower accepts, where the machine has two", async () => {
    const rsa = testKey("rsa");
    const ed25519 = testKey();
    const server = await site.start({ hostKey: rsa.privateKey, otherHostKeys: [ed25519.privateKey] });
    const acceptNew = {
      ...without(server.connection, "hostKey"),
      knownHosts: "/dev/null",
      hostKeyPolicy: "accept-new",
    } as const;
    const first = await site.login(acceptNew);
    assert.notEqual(first, server.fingerprint);
    assert.equal(await site.login(server.connection), server.fingerprint);
  });
});
