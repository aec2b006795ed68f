import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSlipwayError } from "../../provider/errors";
import type { Connection } from "../../provider/host/connection";
import { reachOf } from "../../provider/health-policy/reach";
import { knownHostsLine } from "../../provider/host/host-key";
import { closeConnections, withHost } from "../../provider/host/pool";
import { borrower } from "../support/borrow";
import { type SshServerOptions, type SshTestServer, startSshServer, testKey } from "../support/ssh-server";

const OTHER_PRINT = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

describe("logging in", () => {
  const servers: SshTestServer[] = [];
  let folder: string;
  const start = async (options?: SshServerOptions): Promise<SshTestServer> => {
    const server = await startSshServer(options);
    servers.push(server);
    return server;
  };
  const login = (connection: Connection, parts = {}): Promise<string> =>
    withHost(connection, borrower(parts).options, (session) => Promise.resolve(session.hostKey));
  const refusal = async (connection: Connection, parts = {}): Promise<{ code: string; message: string }> => {
    try {
      await login(connection, parts);
    } catch (error) {
      if (isSlipwayError(error)) return error;
      throw error;
    }
    throw new Error("it logged in");
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "slipway-login-"));
  });
  afterEach(async () => {
    closeConnections();
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await rm(folder, { recursive: true });
  });

  it("must refuse an unknown key before logging in, and say what to add", async () => {
    const server = await start();
    const knownHosts = join(folder, "known_hosts");
    await writeFile(knownHosts, "");
    const unknown = without(server.connection, "hostKey");
    const { code, message } = await refusal({ ...unknown, knownHosts });
    assert.equal(code, "host-key-unknown");
    assert.ok(message.includes(`hostKey: "${server.fingerprint}"`), message);
    assert.ok(message.endsWith(knownHostsLine("127.0.0.1", server.port, server.publicKey)), message);
    assert.deepEqual(server.counts.logins, 0);
    await writeFile(knownHosts, message.split("\n").at(-1) ?? "");
    assert.equal(await login({ ...unknown, knownHosts }), server.fingerprint);
  });

  it("must refuse a changed key and name both fingerprints", async () => {
    const server = await start();
    const { code, message } = await refusal({ ...server.connection, hostKey: OTHER_PRINT });
    assert.equal(code, "host-key-mismatch");
    for (const text of [OTHER_PRINT, server.fingerprint, "ssh-ed25519"])
      assert.ok(message.includes(text), message);
    assert.equal(server.counts.logins, 0);
  });

  it("must name both keys when the machine now has another type only", async () => {
    const server = await start();
    const rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDN";
    const { code, message } = await refusal({ ...server.connection, hostKey: rsa });
    assert.equal(code, "host-key-mismatch");
    assert.ok(message.includes(server.fingerprint) && message.includes("(ssh-rsa)"), message);
  });

  it("must take any of several keys", async () => {
    const server = await start();
    await login({ ...server.connection, hostKey: [OTHER_PRINT, server.fingerprint] });
  });

  it("must enforce a recorded key under accept-new", async () => {
    const server = await start();
    const connection = without(server.connection, "hostKey");
    const knownHosts = join(folder, "known_hosts");
    await writeFile(knownHosts, "");
    const acceptNew = { ...connection, knownHosts, hostKeyPolicy: "accept-new" } as const;
    assert.equal(await login(acceptNew), server.fingerprint);
    const { code } = await refusal(acceptNew, { recordedHostKey: OTHER_PRINT });
    assert.equal(code, "host-key-mismatch");
  });

  it("must enforce a recorded key when another user logs in", async () => {
    const server = await start();
    const connection = { ...without(server.connection, "hostKey"), user: "deploy" };
    const acceptNew = { ...connection, hostKeyPolicy: "accept-new" } as const;
    const hostKeys = { [`root@127.0.0.1:${server.port}`]: OTHER_PRINT };
    const reach = reachOf([acceptNew], hostKeys, borrower().options);
    const reached = reach.on(`deploy@127.0.0.1:${server.port}`, () => Promise.resolve());
    await assert.rejects(reached, (error) => isSlipwayError(error, "host-key-mismatch"));
  });

  it("must refuse a key that known_hosts revokes, also where hostKey or a recorded key says it is right", async () => {
    const server = await start();
    const knownHosts = join(folder, "known_hosts");
    await writeFile(knownHosts, `@revoked ${knownHostsLine("127.0.0.1", server.port, server.publicKey)}\n`);
    const given = await refusal({ ...server.connection, knownHosts });
    assert.equal(given.code, "host-key-revoked");
    const acceptNew = { ...without(server.connection, "hostKey"), knownHosts, hostKeyPolicy: "accept-new" };
    const recorded = await refusal(acceptNew as Connection, { recordedHostKey: server.fingerprint });
    assert.equal(recorded.code, "host-key-revoked");
  });

  it("must check the demand of each borrower of a live connection", async () => {
    const server = await start();
    await login(server.connection);
    const { code } = await refusal({ ...server.connection, hostKey: OTHER_PRINT });
    assert.equal(code, "host-key-mismatch");
    assert.equal(server.counts.logins, 1);
  });

  it("must try a wrong key once, and not again for the next resource", async () => {
    const server = await start();
    const connection = { ...server.connection, privateKey: testKey().privateKey, dialErrorLimit: 5 };
    const { code, message } = await refusal(connection);
    assert.equal(code, "authentication-failed");
    assert.ok(message.includes("refused privateKey"), message);
    await refusal(connection);
    assert.equal(server.counts.attempts, 1);
  });

  it("must log in by password", async () => {
    const server = await start({ password: "correct horse" });
    const connection = without(server.connection, "privateKey");
    await login({ ...connection, password: "correct horse" });
    const { code, message } = await refusal({ ...connection, password: "battery staple" });
    assert.equal(code, "authentication-failed");
    assert.ok(!message.includes("battery"), message);
  });

  it("must read a key file when it is used, and name it when it is not there", async () => {
    const server = await start();
    const { privateKey = "", ...connection } = server.connection;
    const privateKeyPath = join(folder, "id");
    const { code, message } = await refusal({ ...connection, privateKeyPath });
    assert.equal(code, "invalid-input");
    assert.ok(message.includes(privateKeyPath), message);
    await writeFile(privateKeyPath, privateKey.trim());
    await login({ ...connection, privateKeyPath });
  });

  it("must name a machine that is down, and how long was tried", async () => {
    const server = await start();
    await server.stop();
    servers.pop();
    const { options, lines } = borrower({ random: () => 0 });
    const connection = { ...server.connection, dialErrorLimit: 2 };
    const failed = await withHost(connection, options, () => Promise.resolve()).catch(
      (error: unknown) => error,
    );
    assert.ok(isSlipwayError(failed, "dial-failed"));
    assert.match(
      failed.message,
      new RegExp(`root@127.0.0.1:${server.port}: .*ECONNREFUSED.*\\(after .*, 2 attempts\\)`),
    );
    assert.ok(
      lines.some((line) => line.startsWith(`connecting to root@127.0.0.1:${server.port} (attempt 2)`)),
    );
  });

  it("must reach a machine through a bastion, and check the bastion's key", async () => {
    const bastion = await start();
    const server = await start();
    await login({ ...server.connection, proxy: bastion.connection });
    assert.equal(bastion.counts.logins, 1);
    const wrong = { ...bastion.connection, hostKey: OTHER_PRINT };
    const { code, message } = await refusal({ ...server.connection, proxy: wrong });
    assert.equal(code, "host-key-mismatch");
    assert.ok(message.includes(`:${bastion.port}`), message);
  });

  it("must log in once for twenty borrowers at once", async () => {
    const server = await start();
    await Promise.all(Array.from({ length: 20 }, () => login(server.connection)));
    assert.equal(server.counts.logins, 1);
  });

  it("must dial anew after the connection died", async () => {
    const server = await start();
    const { options } = borrower();
    const first = withHost(server.connection, options, (session) => session.run(["sleep", "60"]));
    while (server.lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
    server.drop();
    await assert.rejects(first, (error) => isSlipwayError(error, "connection-lost"));
    await login(server.connection);
    assert.equal(server.counts.logins, 2);
  });

  it("must not let one borrower's abort end another's dial", async () => {
    const server = await start();
    const abort = new AbortController();
    const leaving = login(server.connection, { signal: abort.signal });
    const staying = login(server.connection);
    abort.abort(new Error("stop"));
    await assert.rejects(leaving, /stop/);
    await staying;
    assert.equal(server.counts.logins, 1);
  });

  it("must not leave a connection open that was dialled when nobody waited for it any more", async () => {
    const server = await start();
    const abort = new AbortController();
    const { options } = borrower({ signal: abort.signal });
    const debug = (line: string): void => {
      // said after the login, before anybody has the connection
      if (line.includes("connected")) abort.abort(new Error("stop"));
    };
    const log = { ...options.log, debug };
    await assert.rejects(login(server.connection, { log, signal: abort.signal }), /stop/);
    while (server.connectionsOpen() > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(server.counts.logins, 1);
  });
});

function without(connection: Connection, field: "hostKey" | "privateKey"): Connection {
  return Object.fromEntries(
    Object.entries(connection).filter(([name]) => name !== field),
  ) as unknown as Connection;
}
