import assert from "node:assert/strict";
import { isSlipwayError } from "../../provider/errors";
import { closeConnections, withHost } from "../../provider/host/pool";
import { borrower } from "../support/borrow";
import { OTHER_PRINT, sshSite, turnsUntil } from "../support/ssh-site";

describe("a bastion", () => {
  const site = sshSite();

  it("must be logged into once for three machines behind it", async () => {
    const bastion = await site.start();
    const machines = [await site.start(), await site.start(), await site.start()];
    const through = machines.map(({ connection }) => ({ ...connection, proxy: bastion.connection }));
    await Promise.all([...through, ...through].map((connection) => site.login(connection)));
    assert.equal(bastion.counts.logins, 1);
    assert.deepEqual(
      machines.map(({ counts }) => counts.logins),
      [1, 1, 1],
    );
    // and for itself
    await site.login(bastion.connection);
    assert.equal(bastion.counts.logins, 1);
  });

  it("must lead to another one, with one login at each", async () => {
    const [outer, inner, machine] = [await site.start(), await site.start(), await site.start()];
    const proxy = { ...inner.connection, proxy: outer.connection };
    assert.equal(await site.login({ ...machine.connection, proxy }), machine.fingerprint);
    assert.deepEqual([outer.counts.logins, inner.counts.logins, machine.counts.logins], [1, 1, 1]);
  });

  it("must present its own key, the inner and the outer one", async () => {
    const [outer, inner, machine] = [await site.start(), await site.start(), await site.start()];
    for (const wrong of [outer, inner]) {
      const keyOf = (server: typeof inner) =>
        server === wrong ? { ...server.connection, hostKey: OTHER_PRINT } : server.connection;
      const proxy = { ...keyOf(inner), proxy: keyOf(outer) };
      const { code, message } = await site.refusal({ ...machine.connection, proxy });
      assert.equal(code, "host-key-mismatch");
      assert.match(message, new RegExp(`^on the way to root@127.0.0.1:${machine.port}, `));
      assert.ok(message.includes(`checking the host key on root@127.0.0.1:${wrong.port}`), message);
      assert.ok(message.includes(wrong.fingerprint) && message.includes(OTHER_PRINT), message);
      assert.equal(wrong.counts.logins, 0);
    }
    assert.equal(machine.counts.logins, 0);
  });

  it("must not be shared with one who holds another key for it", async () => {
    const [bastion, machine] = [await site.start(), await site.start()];
    await site.login({ ...machine.connection, proxy: bastion.connection });
    const wrong = { ...bastion.connection, hostKey: OTHER_PRINT };
    const { code } = await site.refusal({ ...machine.connection, proxy: wrong });
    assert.equal(code, "host-key-mismatch");
    assert.equal(machine.counts.logins, 1);
  });

  it("must be named when it refuses to forward, and not be asked again", async () => {
    const bastion = await site.start({ refusesForwarding: true });
    const machine = await site.start();
    const connection = { ...machine.connection, proxy: bastion.connection, dialErrorLimit: 5 };
    const { code, message } = await site.refusal(connection);
    assert.equal(code, "forwarding-refused");
    assert.match(
      message,
      new RegExp(
        `^reaching sshd on root@127.0.0.1:${machine.port}: the bastion root@127.0.0.1:${bastion.port} refuses`,
      ),
    );
    assert.match(message, /AllowTcpForwarding/);
    assert.equal(machine.counts.logins, 0);
  });

  it("must be named when it is down", async () => {
    const [bastion, machine] = [await site.start(), await site.start()];
    await bastion.stop();
    const { code, message } = await site.refusal({ ...machine.connection, proxy: bastion.connection });
    assert.equal(code, "dial-failed");
    assert.match(
      message,
      new RegExp(
        `^on the way to root@127.0.0.1:${machine.port}, reaching sshd on root@127.0.0.1:${bastion.port}: .*REFUSED`,
      ),
    );
  });

  it("must be named when its line drops in the middle of a command behind it", async () => {
    const [bastion, machine] = [await site.start(), await site.start()];
    const connection = { ...machine.connection, proxy: bastion.connection };
    const { options } = borrower();
    const running = withHost(connection, options, (session) => session.run(["sleep", "60"]));
    await turnsUntil(() => machine.lines.length > 0);
    bastion.drop();
    await assert.rejects(running, (error) => {
      assert.ok(isSlipwayError(error, "connection-lost"));
      const words = `${error.message} ${String(error.cause)}`;
      assert.ok(words.includes(`the bastion root@127.0.0.1:${bastion.port} was lost`), words);
      return true;
    });
    await site.login(connection);
    assert.deepEqual([bastion.counts.logins, machine.counts.logins], [2, 2]);
  });

  it("must not stay open after a login behind it failed, nor after the connection behind it closed", async () => {
    const [bastion, machine] = [await site.start(), await site.start()];
    const proxy = bastion.connection;
    await site.refusal({ ...machine.connection, proxy, hostKey: OTHER_PRINT });
    assert.equal(bastion.connectionsOpen(), 1, "others may want it");
    closeConnections();
    await turnsUntil(() => bastion.connectionsOpen() === 0);
    await site.login({ ...machine.connection, proxy });
    closeConnections();
    await turnsUntil(() => machine.connectionsOpen() === 0 && bastion.connectionsOpen() === 0);
    assert.deepEqual([bastion.counts.logins, machine.counts.logins], [2, 1]);
  });
});
