import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AuthContext } from "ssh2";
import { isSlipwayError } from "../../provider/errors";
import { withHost } from "../../provider/host/pool";
import { borrower } from "../support/borrow";
import type { SshTestServer } from "../support/ssh-server";
import { sshSite, turnsUntil } from "../support/ssh-site";

const QUICK = { intervalMs: 30, count: 3 };

describe("a dead line", () => {
  const site = sshSite();

  it("must be found out when every byte is lost and no socket closes, in the middle of a command", async () => {
    const server = await site.start({ onExec: () => {} });
    const wire = await site.wire(server.port);
    const { options } = borrower({ keepalive: QUICK });
    const run = withHost({ ...server.connection, port: wire.port }, options, (session) =>
      session.run(["sleep", "60"]),
    );
    await turnsUntil(() => server.lines.length > 0);
    wire.goSilent();
    await assert.rejects(run, (error) => {
      assert.ok(isSlipwayError(error, "connection-lost"));
      assert.match(`${error.message} ${String(error.cause)}`, /gave no sign of life, asked 3 times/);
      return true;
    });
  });

  it("must not hold up a command's time or abort, nor say that it was not started, where nobody heard whether it was", async () => {
    const server = await site.start();
    const wire = await site.wire(server.port);
    const abort = new AbortController();
    const { options } = borrower(); // by its keepalive the line is dead after 40 s
    await withHost({ ...server.connection, port: wire.port }, options, async (session) => {
      wire.goSilent();
      await assert.rejects(session.exec(["true"], { timeoutMs: 20 }), (error) => {
        assert.ok(isSlipwayError(error, "command-timeout"), String(error));
        assert.match(error.message, /did not answer in time .*It may have been started/);
        return true;
      });
      const aborted = session.exec(["true"], { signal: abort.signal });
      setImmediate(() => abort.abort(new Error("stop")));
      await assert.rejects(aborted, /stop/);
    });
  });

  it("must be told of a command whose line is found out to be dead before its time is over", async () => {
    const server = await site.start();
    const wire = await site.wire(server.port);
    const { options } = borrower({ keepalive: QUICK });
    const run = withHost({ ...server.connection, port: wire.port }, options, (session) => {
      wire.goSilent();
      return session.exec(["true"]);
    });
    await assert.rejects(run, (error) => {
      assert.ok(isSlipwayError(error, "connection-lost"), String(error));
      assert.doesNotMatch(error.message, /not started/);
      return true;
    });
  });

  it("must not hold up whoever stops waiting for a forwarded stream", async () => {
    const server = await site.start();
    const wire = await site.wire(server.port);
    const abort = new AbortController();
    const { options } = borrower();
    const forwarded = withHost({ ...server.connection, port: wire.port }, options, async (session) => {
      wire.goSilent();
      const opening = session.forward("127.0.0.1", server.port, abort.signal);
      abort.abort(new Error("stop"));
      return opening;
    });
    await assert.rejects(forwarded, /stop/);
  });

  it("must not be seen where a quiet machine answers each question", async () => {
    const server = await site.start();
    const { options } = borrower({ keepalive: { intervalMs: 100, count: 1 } });
    await withHost(server.connection, options, async (session) => {
      await turnsUntil(() => server.counts.questions >= 5);
      assert.equal(await session.run(["echo", "there"]), "there\n");
    });
    assert.equal(server.counts.logins, 1);
  });

  it("must be given up within the time for one dial where a machine takes the connection and says nothing", async () => {
    const mute = createServer(() => {}).listen(0, "127.0.0.1");
    await new Promise((resolve) => mute.once("listening", resolve));
    const { port } = mute.address() as { port: number };
    const error = await site.refusal({
      host: "127.0.0.1",
      port,
      password: "x",
      hostKey: [],
      perDialTimeout: 0.2,
      dialErrorLimit: 1,
    });
    assert.equal(error.code, "dial-failed");
    assert.match(error.message, /took the connection and said nothing within 0\.2s/);
    mute.close();
  });

  it("must be given up at the first failure where no dial error is allowed", async () => {
    const error = await site.refusal({
      host: "127.0.0.1",
      port: 1,
      password: "x",
      hostKey: [],
      dialErrorLimit: 0,
    });
    assert.equal(error.code, "dial-failed");
    assert.match(error.message, /1 attempt\b/);
  });

  it("must be given up where a machine stops in the middle of the key exchange, and tried again", async () => {
    const server = await site.start();
    const wire = await site.wire(server.port, { afterBytes: 100 });
    const { options, lines } = borrower({ random: () => 0 });
    const connection = { ...server.connection, port: wire.port, perDialTimeout: 0.2, dialErrorLimit: 2 };
    await assert.rejects(
      withHost(connection, options, () => Promise.resolve()),
      (error) =>
        isSlipwayError(error, "dial-failed") && error.message.includes("did not finish the key exchange"),
    );
    assert.ok(
      lines.some((line) => line.includes("(attempt 2)")),
      lines.join("\n"),
    );
  });

  it("must not send a credential twice where a machine stops in the middle of the login", async () => {
    let asked = 0;
    const server = await site.start({ onAuthentication: () => void (asked += 1) });
    const error = await site.refusal({ ...server.connection, perDialTimeout: 0.3, dialErrorLimit: 5 });
    assert.equal(error.code, "dial-failed");
    assert.match(error.message, /did not finish the login within 0\.3s, while it looked at .*1 attempt\)/);
    assert.equal(asked, 1);
  });

  it("must be dialled anew once the server is back", async () => {
    const first = await site.start();
    const { options } = borrower({ random: () => 0 });
    const connection = { ...first.connection, dialErrorLimit: 10 };
    const running = withHost(connection, options, (session) => session.run(["sleep", "60"]));
    await turnsUntil(() => first.lines.length > 0);
    const restart = async (): Promise<void> => {
      first.drop();
      await first.stop();
    };
    await Promise.all([
      restart(),
      assert.rejects(running, (error) => isSlipwayError(error, "connection-lost")),
    ]);
    const back: SshTestServer[] = [];
    // it is down at the first attempt, and back at the second
    const sleep = async (): Promise<void> => {
      const onAuthentication = (context: AuthContext): void => context.accept();
      const { port, privateHostKey: hostKey } = first;
      if (back.length === 0) back.push(await site.start({ port, hostKey, onAuthentication }));
    };
    assert.equal(await site.login(connection, { clock: { ...options.clock, sleep } }), first.fingerprint);
    assert.deepEqual(
      back.map(({ counts }) => counts.logins),
      [1],
    );
  });
});
