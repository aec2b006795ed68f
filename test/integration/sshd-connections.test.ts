import assert from "node:assert/strict";
import { isSlipwayError } from "../../provider/errors";
import { closeConnections, withHost } from "../../provider/host/pool";
import { type LabHost, startLabHost } from "../lab/lab-host";
import { type RestoreSshd, sshdSettings } from "../lab/sshd-settings";
import { until } from "../lab/until";
import { borrower } from "../support/borrow";

describe("connections to a real sshd", function () {
  this.timeout(120_000);
  let host: LabHost;
  let restore: RestoreSshd | undefined;

  before(async () => {
    host = await startLabHost({ suite: "bookworm" });
  });
  afterEach(async () => {
    closeConnections();
    await restore?.();
    restore = undefined;
  });
  after(() => host.remove());

  it("must serve twenty resources at once with one login where MaxStartups is 2:100:2", async () => {
    restore = await sshdSettings(host, "MaxStartups 2:100:2");
    const mark = (await host.logins()).length;
    const names = Array.from({ length: 20 }, (_, at) => `resource-${String(at)}`);
    const said = await Promise.all(
      names.map((name) =>
        withHost(host.connection(), borrower().options, (session) => session.run(["echo", name])),
      ),
    );
    assert.deepEqual(
      said,
      names.map((name) => `${name}\n`),
    );
    assert.equal((await host.loginsSince(mark)).length, 1);
  });

  it("must name the bastion where AllowTcpForwarding is no", async () => {
    restore = await sshdSettings(host, "AllowTcpForwarding no");
    const connection = { ...host.connection(), host: "127.0.0.1", port: 22, proxy: host.connection() };
    await assert.rejects(
      withHost(connection, borrower().options, () => Promise.resolve()),
      (error) => {
        assert.ok(isSlipwayError(error, "forwarding-refused"), String(error));
        assert.ok(
          error.message.includes(`the bastion root@127.0.0.1:${host.sshPort} refuses`),
          error.message,
        );
        return true;
      },
    );
  });

  it("must go through a real bastion, and name it where nothing listens behind it", async () => {
    const mark = (await host.logins()).length;
    const behind = { ...host.connection(), port: 22, proxy: host.connection(), dialErrorLimit: 1 };
    const id = await withHost(behind, borrower().options, (session) => session.run(["hostname"]));
    assert.equal(id, `${host.name}\n`);
    await assert.rejects(
      withHost({ ...behind, port: 9 }, borrower().options, () => Promise.resolve()),
      (error) =>
        isSlipwayError(error, "dial-failed") &&
        /the bastion root@127.0.0.1:\d+ cannot reach it: .*refused/.test(error.message),
    );
    assert.equal((await host.loginsSince(mark)).length, 2);
  });

  it("must keep a quiet connection that answers each question", async () => {
    const mark = (await host.logins()).length;
    const { options } = borrower({ keepalive: { intervalMs: 400, count: 1 } });
    await withHost(host.connection(), options, async (session) => {
      assert.equal(await session.run(["sh", "-c", "sleep 2; echo there"]), "there\n");
    });
    assert.equal((await host.loginsSince(mark)).length, 1);
  });

  it("must see within 60 s that a machine froze in the middle of a command", async () => {
    let seen = (): void => {};
    const started = new Promise<void>((resolve) => (seen = resolve));
    const running = withHost(host.connection(), borrower().options, (session) =>
      session.run(["sh", "-c", "echo started; exec sleep 600"], { onLine: () => seen() }),
    );
    await started;
    const from = performance.now();
    await host.pause();
    try {
      await assert.rejects(running, (error) => isSlipwayError(error, "connection-lost"));
      assert.ok(performance.now() - from < 60_000);
    } finally {
      await host.resume();
    }
    await until("the machine to answer again", async () => (await host.exec(["true"])).code === 0);
  });
});
