import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { AuthContext } from "ssh2";
import { isSlipwayError } from "../../provider/errors";
import type { Connection } from "../../provider/host/connection";
import { withHost } from "../../provider/host/pool";
import { borrower } from "../support/borrow";
import { testKey } from "../lab/test-key";
import { OTHER_PRINT, sshSite, turnsUntil } from "../support/ssh-site";

/** A reason code of SSH_MSG_DISCONNECT (RFC 4253, 11.1). */
const TOO_MANY_CONNECTIONS = 12;

describe("the connection pool", () => {
  const site = sshSite();

  it("must check the demand of each borrower of a live connection", async () => {
    const server = await site.start();
    await site.login(server.connection);
    const { code } = await site.refusal({ ...server.connection, hostKey: OTHER_PRINT });
    assert.equal(code, "host-key-mismatch");
    assert.equal(server.counts.logins, 1);
  });

  it("must log in once for twenty borrowers at once", async () => {
    const server = await site.start();
    await Promise.all(Array.from({ length: 20 }, () => site.login(server.connection)));
    assert.equal(server.counts.logins, 1);
  });

  it("must ask a machine for its key once for twenty that demand the same, and again for another demand", async () => {
    const server = await site.start();
    const wire = await site.wire(server.port);
    const connection = { ...server.connection, port: wire.port };
    // a whole key: its type is known, so that one dial says all
    const hostKey = testKey().publicKey;
    const refused = Array.from({ length: 20 }, () => site.refusal({ ...connection, hostKey }));
    const served = site.login({
      ...connection,
      hostKey: `ssh-ed25519 ${server.publicKey.toString("base64")}`,
    });
    const codes = (await Promise.all(refused)).map(({ code }) => code);
    assert.deepEqual([...new Set(codes)], ["host-key-mismatch"]);
    assert.equal(await served, server.fingerprint);
    assert.equal(wire.clients(), 2);
  });

  it("must dial anew after the connection died", async () => {
    const server = await site.start();
    const { options } = borrower();
    const first = withHost(server.connection, options, (session) => session.run(["sleep", "60"]));
    while (server.lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
    server.drop();
    await assert.rejects(first, (error) => isSlipwayError(error, "connection-lost"));
    await site.login(server.connection);
    assert.equal(server.counts.logins, 2);
  });

  it("must fail, and dial anew for the next one, where the goodbye comes in the packet of the login", async () => {
    let leaves = true;
    const server = await site.start({
      onAuthentication: (context) => (leaves ? acceptAndLeave(context) : context.accept()),
    });
    const { code } = await site.refusal(server.connection);
    assert.equal(code, "connection-lost");
    leaves = false;
    assert.equal(await site.login(server.connection), server.fingerprint);
  });

  it("must not let one borrower's abort end another's dial", async () => {
    const server = await site.start();
    const abort = new AbortController();
    const leaving = site.login(server.connection, { signal: abort.signal });
    const staying = site.login(server.connection);
    abort.abort(new Error("stop"));
    await assert.rejects(leaving, /stop/);
    await staying;
    assert.equal(server.counts.logins, 1);
  });

  it("must not leave a connection open that was dialled when nobody waited for it any more", async () => {
    const server = await site.start();
    const abort = new AbortController();
    const { options } = borrower({ signal: abort.signal });
    const debug = (line: string): void => {
      // said after the login, before anybody has the connection
      if (line.includes("connected")) abort.abort(new Error("stop"));
    };
    const log = { ...options.log, debug };
    await assert.rejects(site.login(server.connection, { log, signal: abort.signal }), /stop/);
    while (server.connectionsOpen() > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(server.counts.logins, 1);
  });

  it("must share a connection with the same route and credentials only", async () => {
    const second = testKey();
    const [bastion, server] = [await site.start(), await site.start({ authorizedKeys: [second.publicKey] })];
    const same = [server.connection, { ...server.connection, perDialTimeout: 7, dialErrorLimit: 3 }];
    for (const connection of same) await site.login(connection);
    assert.equal(server.counts.logins, 1);
    const others = [
      { ...server.connection, user: "deploy" },
      { ...server.connection, privateKey: second.privateKey },
      { ...server.connection, sudoPassword: "another line for sudo" },
      { ...server.connection, proxy: bastion.connection },
      { ...server.connection, proxy: { ...bastion.connection, user: "deploy" } },
    ];
    for (const [at, connection] of others.entries()) {
      await site.login(connection);
      await site.login(connection);
      assert.equal(server.counts.logins, at + 2);
    }
  });

  it("must not hold a process that has nothing else to do", async () => {
    const server = await site.start();
    const { ended } = program({ connection: server.connection });
    assert.deepEqual(await ended, { code: 0, signal: null });
    await turnsUntil(() => server.connectionsOpen() === 0);
    assert.deepEqual([server.counts.logins, server.counts.ends], [1, 1]);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`must say goodbye on ${signal} while it is idle, and end as the signal says`, async () => {
      const server = await site.start();
      const { child, said, ended } = program({ connection: server.connection, stay: true });
      await said("idle");
      assert.equal(server.connectionsOpen(), 1);
      child.kill(signal);
      assert.deepEqual(await ended, { code: null, signal });
      await turnsUntil(() => server.connectionsOpen() === 0);
      assert.equal(server.counts.ends, 1);
    });

    it(`must leave nothing open on ${signal} in the middle of a command`, async () => {
      const server = await site.start();
      const { child, said, ended } = program({ connection: server.connection, command: ["sleep", "60"] });
      await said("running");
      await turnsUntil(() => server.lines.length > 0);
      child.kill(signal);
      assert.deepEqual(await ended, { code: null, signal });
      await turnsUntil(() => server.connectionsOpen() === 0);
    });
  }
});

/** Takes the login and hangs up, all in one piece. */
function acceptAndLeave(context: AuthContext): void {
  const { signature, _protocol: protocol } = context as unknown as {
    readonly signature: Buffer | undefined;
    readonly _protocol: {
      readonly _cipher: { _onWrite: (bytes: Buffer) => void };
      disconnect(reason: number): void;
    };
  };
  if (signature === undefined) return context.accept(); // only asked whether the key would do
  const { _cipher: cipher } = protocol;
  const write = cipher._onWrite;
  const pieces: Buffer[] = [];
  cipher._onWrite = (bytes) => void pieces.push(Buffer.from(bytes));
  context.accept();
  protocol.disconnect(TOO_MANY_CONNECTIONS);
  cipher._onWrite = write;
  write(Buffer.concat(pieces));
}

/** Runs test/support/borrowing-program.ts in a process of its own. */
function program(wish: { connection: Connection; command?: readonly string[]; stay?: boolean }) {
  const file = join(__dirname, "../support/borrowing-program.ts");
  const child = spawn(process.execPath, ["--import=tsx", file, JSON.stringify(wish)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  return {
    child,
    said: async (word: string): Promise<void> => {
      while (!out.includes(word)) await once(child.stdout, "data");
    },
    ended: new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal }))),
  };
}
