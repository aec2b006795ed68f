import assert from "node:assert/strict";
import { withHost } from "../../provider/host/pool";
import { borrower } from "../support/borrow";
import { sshSite, turnsUntil } from "../support/ssh-site";

describe("an abort", () => {
  const site = sshSite();

  it("must hand over no line after an abort", async () => {
    const server = await site.start({
      onExec: (line, channel) => channel.write(`${/<slipway-[a-z0-9]+>/.exec(line)?.[0] ?? ""}first\nmore\n`),
    });
    const abort = new AbortController();
    const lines: string[] = [];
    const onLine = (line: string): void => {
      lines.push(line);
      abort.abort(new Error("stop"));
    };
    await withHost(server.connection, borrower().options, (host) =>
      assert.rejects(host.exec(["talk"], { onLine, signal: abort.signal }), /stop/),
    );
    assert.deepEqual(lines, ["first"]);
  });

  it("must end a command that opens after its abort, and feed it nothing", async () => {
    let opened = (): void => {};
    const begun = new Promise<void>((resolve) => {
      opened = resolve;
    });
    let fed = "";
    let isClosed = false;
    const server = await site.start({
      onExec: (_line, channel) => {
        channel.on("data", (chunk: Buffer) => (fed += chunk.toString()));
        channel.once("close", () => (isClosed = true));
        opened();
      },
    });
    const abort = new AbortController();
    await withHost(server.connection, borrower().options, async (host) => {
      const running = host.exec(["cat"], { stdin: "secret", signal: abort.signal });
      setImmediate(() => abort.abort(new Error("stop")));
      await assert.rejects(running, /stop/);
      await begun;
      await turnsUntil(() => isClosed);
    });
    assert.equal(fed, "");
  });

  it("must let one caller's abort end no other one's look at the facts", async () => {
    const server = await site.start();
    const abort = new AbortController();
    await withHost(server.connection, borrower().options, async (host) => {
      const leaving = host.facts({ signal: abort.signal });
      const staying = host.facts();
      abort.abort(new Error("stop"));
      await assert.rejects(leaving, /stop/);
      assert.notEqual((await staying).architecture, "");
    });
  });
});
