import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { isSlipwayError } from "../../provider/errors";
import { OUTPUT_CAP } from "../../provider/host/command/output";
import { closeConnections, withHost } from "../../provider/host/pool";
import type { HostSession } from "../../provider/host/session";
import { borrower } from "../support/borrow";
import { type SshServerOptions, type SshTestServer, runInShell, startSshServer } from "../support/ssh-server";

describe("remote commands", () => {
  let server: SshTestServer;
  const start = async (options?: SshServerOptions): Promise<void> => {
    server = await startSshServer(options);
  };
  const onHost = <T>(use: (session: HostSession) => Promise<T>, parts = {}): Promise<T> =>
    withHost(server.connection, borrower(parts).options, use);

  afterEach(async () => {
    closeConnections();
    await server.stop();
  });

  it("must hand over arguments, input, output and exit code unchanged", async () => {
    await start();
    const outcome = await onHost((host) =>
      host.exec(["sh", "-c", 'cat; printf "%s" "$1" >&2; exit 7', "x", "it's $HOME\n!"], { stdin: "in ü" }),
    );
    assert.deepEqual(outcome, { kind: "exited", code: 7, stdout: "in ü", stderr: "it's $HOME\n!" });
  });

  it("must keep a chatty login shell's words out of the output", async () => {
    await start({
      onExec: (line, channel) => runInShell(`echo Welcome; echo warning >&2; ${line}`, channel),
    });
    const outcome = await onHost((host) => host.exec(["echo", "mine"]));
    assert.deepEqual(outcome, { kind: "exited", code: 0, stdout: "mine\n", stderr: "" });
  });

  it("must say what a login shell that runs nothing said", async () => {
    await start({
      onExec: (_line, channel) => runInShell("echo This account is not available.; exit 1", channel),
    });
    await assert.rejects(
      onHost((host) => host.exec(["true"])),
      (error) =>
        isSlipwayError(error, "command-failed") && error.message.includes("account is not available"),
    );
  });

  it("must hear an exit that comes in the packet after the start", async () => {
    const marker = /<slipway-[a-z0-9]+>/;
    await start({
      onExec: (line, channel) => {
        channel.write(`${marker.exec(line)?.[0] ?? ""}quick`);
        channel.exit(0);
        channel.close();
      },
    });
    for (let n = 0; n < 20; n++) assert.equal(await onHost((host) => host.run(["true"])), "quick");
  });

  it("must call a command lost when the line drops in the middle, or closes without an exit", async () => {
    await start();
    const running = onHost((host) =>
      host.exec(["sh", "-c", "echo begun; exec sleep 60"], { onLine: () => server.drop() }),
    );
    assert.deepEqual(await running, { kind: "lost", stdout: "begun\n", stderr: "" });
    await server.stop();
    await start({ onExec: (_line, channel) => channel.close() });
    assert.equal((await onHost((host) => host.exec(["true"]))).kind, "lost");
    await assert.rejects(
      onHost((host) => host.run(["true"])),
      (error) => isSlipwayError(error, "connection-lost") && error.message.includes("outcome is unknown"),
    );
  });

  it("must call a command lost when the line drops after its exit code and before its output is whole", async () => {
    await start({
      onExec: (line, channel, connection) => {
        channel.write(`${/<slipway-[a-z0-9]+>/.exec(line)?.[0] ?? ""}half`);
        channel.exit(0);
        setImmediate(() => connection.end());
      },
    });
    const outcome = await onHost((host) => host.exec(["true"]));
    assert.deepEqual(outcome, { kind: "lost", stdout: "half", stderr: "" });
  });

  it("must not call a command lost whose input broke on this side, whatever came of it", async () => {
    await start();
    for (const argv of [["cat"], ["sh", "-c", "cat; exit 3"]]) {
      const stdin = Readable.from(
        (async function* () {
          yield await Promise.resolve(Buffer.from("a part"));
          throw new Error("the file went away");
        })(),
      );
      await assert.rejects(
        onHost((host) => host.exec(argv, { stdin })),
        (error) =>
          isSlipwayError(error, "command-failed") &&
          /^feeding a command's standard input on .*the file went away/.test(error.message),
      );
    }
  });

  it("must tell which signal killed a command", async () => {
    await start({
      onExec: (line, channel) => {
        channel.write(/<slipway-[a-z0-9]+>/.exec(line)?.[0]);
        channel.exit("KILL", false, "");
        channel.close();
      },
    });
    const outcome = await onHost((host) => host.exec(["true"]));
    assert.deepEqual(outcome, { kind: "killed", signal: "SIGKILL", stdout: "", stderr: "" });
  });

  it("must work where the server allows one session at a time", async () => {
    await start({ maxSessions: 1 });
    const outputs = await onHost((host) =>
      Promise.all(Array.from({ length: 12 }, (_, n) => host.run(["echo", String(n)]))),
    );
    assert.deepEqual(
      outputs,
      Array.from({ length: 12 }, (_, n) => `${n}\n`),
    );
    assert.equal(server.counts.mostSessionsOpen, 1);
    assert.ok(server.counts.refusedSessions <= 8, `${server.counts.refusedSessions} refused`);
  });

  it("must open at most eight sessions at once", async () => {
    await start({ maxSessions: 100 });
    await onHost((host) => Promise.all(Array.from({ length: 40 }, () => host.run(["sleep", "0.01"]))));
    assert.equal(server.counts.mostSessionsOpen, 8);
    assert.equal(server.counts.refusedSessions, 0);
  });

  it("must end a command when it is aborted, and go on with the next", async () => {
    await start({ maxSessions: 1 });
    const abort = new AbortController();
    await onHost(async (host) => {
      const onLine = (): void => abort.abort(new Error("stop it"));
      const running = host.exec(["sh", "-c", "echo begun; exec sleep 60"], { onLine, signal: abort.signal });
      await assert.rejects(running, /stop it/);
      assert.equal(await host.run(["echo", "on"]), "on\n");
    });
  });

  it("must end a command after its time", async () => {
    await start();
    await assert.rejects(
      onHost((host) => host.exec(["sleep", "60"], { timeoutMs: 50 })),
      (error) => isSlipwayError(error, "command-timeout") && /"sleep 60".*limit 50ms/.test(error.message),
    );
  });

  it("must keep the last part of a flood", async () => {
    await start();
    const flood = await onHost((host) =>
      host.run(["sh", "-c", "head -c 12000000 /dev/zero | tr '\\0' a; echo end"]),
    );
    assert.equal(Buffer.byteLength(flood), OUTPUT_CAP);
    assert.ok(flood.endsWith("aend\n"));
  });

  it("must fail with the command's own words", async () => {
    await start();
    await assert.rejects(
      onHost((host) => host.run(["sh", "-c", "echo no such thing >&2; exit 3"])),
      (error) =>
        isSlipwayError(error, "command-failed") && error.message.endsWith("exit code 3.\nno such thing"),
    );
  });

  it("must keep secrets out of log lines, output lines and errors", async () => {
    await start();
    const secret = "S3cr3t-canary-value";
    const { options, lines } = borrower();
    const connection = { ...server.connection, sudoPassword: secret };
    const error = await withHost(connection, options, (host) =>
      host.run(["sh", "-c", `echo ${secret}; echo ${secret} >&2; exit 1`], {
        onLine: (line) => lines.push(line),
      }),
    ).catch((caught: unknown) => caught);
    assert.ok(isSlipwayError(error, "command-failed"));
    const all = [...lines, error.message, error.stack].join("\n");
    assert.ok(
      lines.some((line) => line.includes("exit 1")),
      all,
    );
    assert.ok(!all.includes(secret), all);
    for (const line of (connection.privateKey ?? "").split("\n").slice(1, -2)) assert.ok(!all.includes(line));
  });

  it("must show what the machine says without its control sequences, and hand it to callers as it is", async () => {
    await start();
    const { options, lines } = borrower();
    const words = "\\033[2J\\033]0;title\\007clear\\n";
    const shown: string[] = [];
    await withHost(server.connection, options, async (host) => {
      assert.equal(await host.run(["printf", words]), "\u001b[2J\u001b]0;title\u0007clear\n");
      const failing = host.run(["sh", "-c", 'printf "$1" >&2; exit 1', "x", words], {
        onLine: (line) => shown.push(line),
      });
      await assert.rejects(failing, (error) => {
        assert.ok(isSlipwayError(error, "command-failed"));
        assert.ok(error.message.endsWith("exit code 1.\nclear"), JSON.stringify(error.message));
        return true;
      });
      await assert.rejects(host.run(["no\u001b[31mwhere"]), (error) => !String(error).includes("\u001b"));
    });
    assert.deepEqual(shown, ["clear"]);
    assert.ok(!lines.join("\n").includes("\u001b"), JSON.stringify(lines));
    assert.ok(lines.some((line) => line.includes("clear")));
  });

  it("must run a script with its arguments, and read the facts once for all who share the connection", async () => {
    await start();
    await onHost(async (host) => {
      const outcome = await host.script('printf "%s/" "$@"; cat; exit 5', ["a b", "it's"]);
      assert.deepEqual(outcome, { kind: "exited", code: 5, stdout: "a b/it's/", stderr: "" });
      const before = server.lines.length;
      const [facts] = await Promise.all([host.facts(), host.facts()]);
      assert.equal(facts.user.uid, process.getuid?.());
      await onHost((other) => other.facts());
      assert.equal(server.lines.length - before, 1);
      await host.facts({ fresh: true });
      assert.equal(server.lines.length - before, 2);
    });
  });

  it("must write a file whole", async () => {
    await start();
    const path = join(tmpdir(), `slipway-write-${process.pid}`);
    try {
      await onHost((host) => host.writeFile(path, Buffer.alloc(300_000, "x"), { mode: 0o600 }));
      assert.equal(readFileSync(path).length, 300_000);
      await assert.rejects(
        onHost((host) => host.writeFile(`${path}/not/there`, "x")),
        (error) => isSlipwayError(error, "command-failed") && error.message.includes("writing"),
      );
    } finally {
      if (existsSync(path)) rmSync(path);
    }
  });

  it("must forward a stream to an address as the host sees it", async () => {
    await start();
    const echo = createServer((socket) => socket.end("hello"));
    await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
    const { port } = echo.address() as AddressInfo;
    try {
      await onHost(async (host) => {
        const stream = await host.forward("127.0.0.1", port);
        const chunks: Buffer[] = [];
        for await (const chunk of stream) chunks.push(chunk as Buffer);
        assert.equal(Buffer.concat(chunks).toString(), "hello");
      });
    } finally {
      echo.close();
    }
  });
});
