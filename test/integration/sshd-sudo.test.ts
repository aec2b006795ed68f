import assert from "node:assert/strict";
import { isSlipwayError, type SlipwayError } from "../../provider/errors";
import type { Connection } from "../../provider/host/connection";
import { closeConnections, withHost } from "../../provider/host/pool";
import type { CommandOptions, CommandOutcome } from "../../provider/host/session";
import { addAccount } from "../lab/lab-account";
import { type LabHost, startLabHost } from "../lab/lab-host";
import { until } from "../lab/until";
import { borrower } from "../support/borrow";

const WRONG = "wrong-canary-4711";

describe("sudo of a real machine", function () {
  this.timeout(120_000);
  let host: LabHost;
  let password: string;
  let accounts = 0;

  before(async () => {
    host = await startLabHost({ suite: "bookworm" });
    password = `right-canary-${host.passwords.limited}`; // the other one is in the environment of whoever looks
  });
  afterEach(closeConnections);
  after(() => host.remove());

  /** A user of the group sudo with the password of `limited`, and sudoers lines of its own. */
  const sudoer = async (lines = "", groups: readonly string[] = ["sudo"]): Promise<Connection> => {
    const name = `sudoer${String((accounts += 1))}`;
    const connection = await addAccount(host, { name, groups, password });
    const rules = lines.replaceAll("USER", name);
    await host.must(["sh", "-c", `umask 337; cat >/etc/sudoers.d/${name}; visudo -c >&2`], {
      input: `${rules}\n`,
    });
    return connection;
  };
  const become = async (
    connection: Connection,
    options: CommandOptions = {},
    argv = ["sh", "-c", "id -un; cat"],
  ) => {
    const { options: borrowed, lines } = borrower();
    try {
      return await withHost(connection, borrowed, (session) =>
        session.exec(argv, { sudo: true, ...options }),
      );
    } catch (error) {
      const told = `${String(error)}\n${error instanceof Error ? String(error.stack) : ""}`;
      assert.ok(!told.includes(password) && !told.includes(WRONG), told);
      throw error;
    } finally {
      const said = lines.join("\n");
      assert.ok(!said.includes(password) && !said.includes(WRONG), said);
    }
  };
  const refusal = async (connection: Connection): Promise<SlipwayError> => {
    const error: unknown = await become(connection).catch((caught: unknown) => caught);
    assert.ok(isSlipwayError(error, "sudo-unavailable"), String(error));
    return error;
  };
  const root = (rest: string): CommandOutcome => ({
    kind: "exited",
    code: 0,
    stdout: `root\n${rest}`,
    stderr: "",
  });
  const failures = async (user: string | undefined): Promise<number> => {
    const journal = await host.must([
      "sh",
      "-c",
      "journalctl --sync; journalctl --no-pager --quiet --identifier sudo",
    ]);
    return journal
      .split("\n")
      .filter((line) => line.includes(`user=${String(user)}`) && line.includes("auth")).length;
  };

  it("must become root without a password where none is asked for", async () => {
    const connection = await sudoer("USER ALL=(ALL:ALL) NOPASSWD: ALL");
    assert.deepEqual(await become(connection, { stdin: "data" }), root("data"));
    assert.deepEqual(
      await become({ ...connection, sudoPassword: password }, { stdin: "data" }),
      root("data"),
    );
  });

  it("must give the right password, and standard input to the command alone", async () => {
    const connection = { ...(await sudoer()), sudoPassword: password };
    assert.deepEqual(await become(connection, { stdin: "data\n" }), root("data\n"));
    assert.equal(
      await withHost(connection, borrower().options, async (s) => (await s.facts()).sudo),
      "password",
    );
  });

  it("must try a wrong password once for all that wait for it", async () => {
    const connection = { ...(await sudoer()), sudoPassword: WRONG };
    const errors = await withHost(connection, borrower().options, () =>
      Promise.all([refusal(connection), refusal(connection), refusal(connection)]),
    );
    for (const { message } of errors) assert.match(message, /did not take the password.*sudoPassword/);
    assert.equal(await failures(connection.user), 1);
  });

  it("must say that a password is missing", async () => {
    assert.match((await refusal(await sudoer())).message, /asks for a password.*sudoPassword/);
  });

  it("must say that the user is no sudoer", async () => {
    const connection = { ...(await sudoer("", [])), sudoPassword: password };
    const { message } = await refusal(connection);
    assert.match(message, /password was taken.*not let this user.*sudoers/s);
  });

  it("must say that sudo wants a terminal", async () => {
    const lines = "Defaults:USER requiretty\nUSER ALL=(ALL:ALL) NOPASSWD: ALL";
    const connection = await sudoer(lines);
    for (const sudoPassword of [undefined, password]) {
      const { message } = await refusal({ ...connection, ...(sudoPassword && { sudoPassword }) });
      assert.match(message, /wants a terminal \(requiretty\).*Defaults:USER !requiretty/);
    }
  });

  it("must say that there is no sudo", async () => {
    const connection = await sudoer();
    await host.must(["mv", "/usr/bin/sudo", "/usr/bin/sudo.away"]);
    try {
      assert.match((await refusal(connection)).message, /there is no sudo/);
      assert.match((await refusal({ ...connection, sudoPassword: password })).message, /there is no sudo/);
    } finally {
      await host.must(["mv", "/usr/bin/sudo.away", "/usr/bin/sudo"]);
    }
  });

  it("must not mind a sudo that lectures, nor one that prompts in its own words", async () => {
    const lines = `Defaults:USER lecture=always\nDefaults:USER passprompt="Password for %u, please: "`;
    const connection = { ...(await sudoer(lines)), sudoPassword: password };
    assert.deepEqual(await become(connection, { stdin: "data" }), root("data"));
  });

  it("must take no remembered password for the permission to go without", async () => {
    const connection = await sudoer("Defaults:USER timestamp_type=global");
    await host.must(["su", String(connection.user), "-c", "sudo -S -p '' true"], { input: `${password}\n` });
    const knows = { ...connection, sudoPassword: password };
    const facts = await withHost(knows, borrower().options, (session) => session.facts());
    assert.equal(facts.sudo, "password");
    await host.must(["su", String(connection.user), "-c", "sudo -K"]);
    assert.deepEqual(await become(knows, { stdin: "data" }), root("data"));
    assert.deepEqual(await become(knows, { stdin: "again" }), root("again"));
  });

  it("must show the password to nobody who looks at the machine's processes", async () => {
    const connection = { ...(await sudoer()), sudoPassword: password };
    const look = `cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'`;
    let seen = "";
    const ended = become(connection, { stdin: "go\n" }, [
      "sh",
      "-c",
      "read go; touch /tmp/looking; sleep 7654",
    ]);
    await until(
      "the command to run",
      async () => (await host.exec(["test", "-e", "/tmp/looking"])).code === 0,
    );
    seen = await host.must(["sh", "-c", look]);
    assert.match(seen, /^7654$/m);
    assert.match(seen, /^sudo$/m);
    assert.ok(!seen.includes(password));
    await host.must(["pkill", "-f", "^sleep 7654"]);
    assert.equal((await ended).kind, "exited");
    assert.ok(!(await host.journal()).includes(password));
  });

  for (const how of ["time", "signal"] as const) {
    it(`must end root's command with its ${how}`, async () => {
      for (const connection of [
        { ...(await sudoer()), sudoPassword: password },
        await sudoer("USER ALL=(ALL:ALL) NOPASSWD: ALL"),
      ]) {
        const abort = new AbortController();
        const options: CommandOptions =
          how === "time"
            ? { timeoutMs: 1_500 }
            : { signal: abort.signal, onLine: () => abort.abort(new Error("stopped")) };
        const ended = become(connection, options, ["sh", "-c", "echo on; sleep 8765; echo off"]);
        await assert.rejects(ended, how === "time" ? /limit 1s|limit 1.5s|limit 1500ms/ : /stopped/);
        const gone = async (): Promise<boolean> =>
          (await host.exec(["pgrep", "-f", "sleep 8765"])).code === 1;
        await until("the command to end", gone, 3_000);
      }
    });
  }
});
