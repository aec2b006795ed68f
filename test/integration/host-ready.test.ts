import assert from "node:assert/strict";
import { closeConnections, withHost } from "../../provider/host/pool";
import type { HostSession } from "../../provider/host/session";
import { until } from "../lab/until";
import { borrower } from "../support/borrow";
import { type SshServerOptions, type SshTestServer, startSshServer } from "../support/ssh-server";

describe("a script that is made ready", () => {
  let server: SshTestServer;
  const start = async (options?: SshServerOptions): Promise<void> => {
    server = await startSshServer(options);
  };
  const onHost = <T>(use: (session: HostSession) => Promise<T>): Promise<T> =>
    withHost(server.connection, borrower().options, use);

  afterEach(async () => {
    closeConnections();
    await server.stop();
  });

  it("must have a command started before its text is known, and hand over its lines", async () => {
    await start();
    const lines: string[] = [];
    await onHost(async (host) => {
      const ready = host.ready(["it's"]);
      await until("the command to wait for its text", () => server.counts.sessionsOpen === 1);
      const outcome = await ready.run('echo "$1"; exit 7', (line) => lines.push(line));
      assert.deepEqual(outcome, { kind: "exited", code: 7, stdout: "it's\n", stderr: "" });
    });
    assert.deepEqual(lines, ["it's"]);
    assert.equal(server.lines.length, 1);
  });

  it("must give a ready command's channel up where others wait for it, and start it anew for its text", async () => {
    await start({ maxSessions: 1 });
    await onHost(async (host) => {
      const ready = host.ready(["a"]);
      await until("the command to wait for its text", () => server.counts.sessionsOpen === 1);
      assert.equal(await host.run(["echo", "other"]), "other\n");
      const outcome = await ready.run('echo "$1"');
      assert.deepEqual(outcome, { kind: "exited", code: 0, stdout: "a\n", stderr: "" });
      // and where others waited before it had its channel
      const others = Array.from({ length: 3 }, () => host.run(["true"]));
      const late = host.ready(["b"]);
      await Promise.all(others);
      await host.run(["true"]);
      assert.deepEqual(await late.run('echo "$1"'), { kind: "exited", code: 0, stdout: "b\n", stderr: "" });
    });
  });

  it("must do nothing with a ready command that nobody needs", async () => {
    await start();
    await onHost(async (host) => {
      const ready = host.ready([]);
      await until("the command to wait for its text", () => server.counts.sessionsOpen === 1);
      ready.drop();
      await until("the command to end", () => server.counts.sessionsOpen === 0);
    });
  });
});
