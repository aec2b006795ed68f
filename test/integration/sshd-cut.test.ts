import assert from "node:assert/strict";
import { isSlipwayError } from "../../provider/errors";
import { closeConnections, withHost } from "../../provider/host/pool";
import type { CommandOptions, CommandOutcome } from "../../provider/host/session";
import { type LabHost, startLabHost } from "../lab/lab-host";
import { until } from "../lab/until";
import { borrower } from "../support/borrow";

const LONG = ["sh", "-c", "echo begun; sleep 4321; echo done"];

describe("a real machine that ends a connection or a command", function () {
  this.timeout(120_000);
  let host: LabHost;

  before(async () => {
    host = await startLabHost({ suite: "bookworm" });
  });
  afterEach(closeConnections);
  after(() => host.remove());

  const exec = (argv: readonly string[], options: CommandOptions = {}): Promise<CommandOutcome> =>
    withHost(host.connection("deploy"), borrower().options, (session) => session.exec(argv, options));
  /** Starts the long command, does something to the machine once it runs, and gives the outcome. */
  const during = async (act: () => Promise<unknown>): Promise<CommandOutcome> => {
    let acting: Promise<unknown> = Promise.resolve();
    const outcome = await exec(LONG, {
      onLine: (line) => {
        if (line === "begun") acting = act();
      },
    });
    await acting;
    return outcome;
  };
  const sleeps = async (): Promise<boolean> => (await host.exec(["pgrep", "-f", "sleep 4321"])).code === 0;
  const cutTheLine = (): Promise<string> => host.must(["pkill", "-KILL", "-u", "deploy", "-x", "sshd"]);

  it("must call a command lost when its sshd is killed, and a new call must work", async () => {
    assert.deepEqual(await during(cutTheLine), { kind: "lost", stdout: "begun\n", stderr: "" });
    assert.equal((await exec(["true"])).kind, "exited");
    await host.must(["pkill", "-KILL", "-f", "sleep 4321"]);
  });

  it("must tell the signal that killed a command", async () => {
    const outcome = await exec(["sh", "-c", "echo begun; exec sleep 4321"], {
      onLine: () => void host.must(["pkill", "-KILL", "-x", "-f", "sleep 4321"]),
    });
    assert.deepEqual(outcome, { kind: "killed", signal: "SIGKILL", stdout: "begun\n", stderr: "" });
  });

  it("must keep a command through a restart of sshd", async () => {
    const outcome = await during(async () => {
      await host.must(["systemctl", "restart", "ssh"]);
      await host.must(["pkill", "-TERM", "-x", "-f", "sleep 4321"]);
    });
    assert.equal(outcome.kind, "exited");
    assert.match(outcome.stdout, /^begun\ndone\n$/);
  });

  it("must end a command with its time, and one that is aborted", async () => {
    await assert.rejects(
      exec(LONG, { timeoutMs: 600 }),
      (error) => isSlipwayError(error, "command-timeout") && error.message.includes("limit 600ms"),
    );
    await until("the command to end", async () => !(await sleeps()), 3_000);
    const abort = new AbortController();
    const aborted = exec(LONG, { signal: abort.signal, onLine: () => abort.abort(new Error("stopped")) });
    await assert.rejects(aborted, /stopped/);
    await until("the command to end", async () => !(await sleeps()), 3_000);
  });

  it("must leave the old file, and nothing beside it, when an upload is cut", async () => {
    await host.must(["install", "-d", "-o", "deploy", "/srv/upload"]);
    await host.must(["sh", "-c", "echo old >/srv/upload/big"]);
    const writing = withHost(host.connection("deploy"), borrower().options, (session) =>
      session.writeFile("/srv/upload/big", Buffer.alloc(200 * 1024 * 1024, "x")),
    );
    const refused = assert.rejects(
      writing,
      (error) =>
        isSlipwayError(error, "connection-lost") && error.message.includes("writing /srv/upload/big"),
    );
    const underWay = `for file in /srv/upload/.big.*; do [ -s "$file" ] && exit 0; done; exit 1`;
    await until("the upload to begin", async () => (await host.exec(["sh", "-c", underWay])).code === 0);
    await cutTheLine();
    await refused;
    const left = async (): Promise<string> => host.must(["ls", "-A", "/srv/upload"]);
    await until("the rest to be cleared away", async () => (await left()) === "big", 5_000);
    assert.equal(await host.must(["cat", "/srv/upload/big"]), "old");
  });

  it("must call a command lost when the machine loses its power", async () => {
    const outcome = await during(() => host.kill());
    assert.deepEqual(outcome, { kind: "lost", stdout: "begun\n", stderr: "" });
  });
});
