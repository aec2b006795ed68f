import assert from "node:assert/strict";
import { isSlipwayError, type ErrorCode } from "../../provider/errors";
import { closeConnections, withHost } from "../../provider/host/pool";
import type { HostSession } from "../../provider/host/session";
import { addAccount, installOn } from "../lab/lab-account";
import { type LabConnection, type LabHost, startLabHost } from "../lab/lab-host";
import { sshdSettings } from "../lab/sshd-settings";
import { borrower } from "../support/borrow";

const ODD_ARGUMENT = `it's "$HOME" \`id\` \\n !! ^x\nü`;

describe("login shells and forced commands of a real sshd", function () {
  this.timeout(120_000);
  let host: LabHost;
  let accounts = 0;

  before(async () => {
    host = await startLabHost({ suite: "bookworm" });
    await installOn(host, ["fish", "tcsh", "zsh", "busybox"]);
    await host.must(["ln", "-s", "/bin/busybox", "/usr/local/bin/sh"]); // an applet's login shell is called by its name
  });
  afterEach(closeConnections);
  after(() => host.remove());

  const userWith = (shell: string, files: Readonly<Record<string, string>> = {}): Promise<LabConnection> =>
    addAccount(host, { name: `user${String((accounts += 1))}`, shell, files });
  const on = <T>(connection: LabConnection, use: (session: HostSession) => Promise<T>): Promise<T> =>
    withHost(connection, borrower().options, use);
  const refused = (code: ErrorCode, ...words: readonly string[]) => {
    return (error: unknown): boolean => {
      assert.ok(isSlipwayError(error, code), String(error));
      for (const word of words) assert.ok(error.message.includes(word), error.message);
      return true;
    };
  };

  /** Everything that starts a process on the host, through this user's login. */
  const mustWork = (connection: LabConnection): Promise<void> =>
    on(connection, async (session) => {
      const echoed = await session.exec(["sh", "-c", 'cat; printf %s "$1" >&2; exit 7', "x", ODD_ARGUMENT], {
        stdin: "in\n",
      });
      assert.deepEqual(echoed, { kind: "exited", code: 7, stdout: "in\n", stderr: ODD_ARGUMENT });
      assert.equal((await session.facts()).user.name, connection.user);
      const scripted = await session.script(`printf %s "$1"; echo "$LC_ALL"; exit 3`, [ODD_ARGUMENT]);
      assert.deepEqual(scripted, { kind: "exited", code: 3, stdout: `${ODD_ARGUMENT}C\n`, stderr: "" });
      await session.writeFile(`/tmp/${connection.user}`, "whole\n");
      assert.equal(await host.must(["cat", `/tmp/${connection.user}`]), "whole");
    });

  for (const shell of [
    "/bin/bash",
    "/bin/dash",
    "/usr/bin/fish",
    "/bin/csh",
    "/bin/tcsh",
    "/bin/zsh",
    "/usr/local/bin/sh",
  ]) {
    it(`must work with the login shell ${shell}`, async () => mustWork(await userWith(shell)));
  }

  for (const [shell, file, text] of [
    ["/bin/bash", ".bashrc", "echo Welcome; echo careful >&2; printf 'no line feed'\n"],
    ["/usr/bin/fish", ".config.fish", "echo Welcome; echo careful >&2\n"],
    ["/bin/csh", ".cshrc", "echo Welcome\n"],
    ["/bin/zsh", ".zshenv", "echo Welcome; echo careful >&2\n"],
  ] as const) {
    it(`must keep what ${file} prints out of the output`, async () => {
      const connection = await userWith(shell, { [file]: text });
      const home = `/home/${connection.user}`;
      const fish = `mkdir -p ${home}/.config/fish && mv ${home}/${file} ${home}/.config/fish/config.fish && chown -R ${connection.user} ${home}/.config`;
      if (file === ".config.fish") await host.must(["sh", "-c", fish]);
      assert.match((await host.must(["su", connection.user, "-c", "true"])) + text, /Welcome/);
      await mustWork(connection);
    });
  }

  it("must say what nologin says, and what to do", async () => {
    const connection = await userWith("/usr/sbin/nologin");
    await assert.rejects(
      on(connection, (session) => session.run(["true"])),
      refused("command-failed", "(exit code 1)", "This account is currently not available.", "login shell"),
    );
    await assert.rejects(
      on(connection, (session) => session.facts()),
      refused("command-failed", "not available"),
    );
  });

  for (const code of [0, 3]) {
    it(`must not take a .bashrc that exits with ${code} for the command`, async () => {
      const connection = await userWith("/bin/bash", { ".bashrc": `echo leaving early >&2; exit ${code}\n` });
      await assert.rejects(
        on(connection, (session) => session.run(["touch", "/tmp/never"])),
        refused("command-failed", `(exit code ${code})`, "leaving early", ".bashrc"),
      );
      assert.equal((await host.exec(["test", "-e", "/tmp/never"])).code, 1);
    });
  }

  it("must wait for a .bashrc that takes its time, and name one that never ends", async () => {
    await mustWork(await userWith("/bin/bash", { ".bashrc": "sleep 0.4\n" }));
    const stuck = await userWith("/bin/bash", { ".bashrc": "echo one moment; sleep 1000\n" });
    await assert.rejects(
      on(stuck, (session) => session.run(["true"], { timeoutMs: 700 })),
      refused("command-timeout", "limit 700ms", "login shell", "one moment"),
    );
  });

  it("must refuse to run a script whose text .bashrc has eaten", async () => {
    const hungry = await userWith("/bin/bash", { ".bashrc": "read -r line\n" });
    const outcome = await on(hungry, (session) => session.script("echo first\necho second"));
    assert.equal(outcome.kind === "exited" ? outcome.code : outcome.kind, 125);
    assert.equal(outcome.stdout, "");
    await assert.rejects(
      on(hungry, (session) => session.writeFile("/tmp/eaten", "one\ntwo\n")),
      refused("command-failed", "got 4 of 8 bytes"),
    );
    assert.equal((await host.exec(["test", "-e", "/tmp/eaten"])).code, 1);
  });

  it("must not mind a message of the day and a banner", async () => {
    const connection = await userWith("/bin/bash");
    await host.must(["sh", "-c", "echo 'MOTD of the day' | tee /etc/motd >/etc/issue.net"]);
    const restore = await sshdSettings(host, "Banner /etc/issue.net\nPrintMotd yes\nPrintLastLog yes");
    await mustWork(connection);
    await restore();
  });

  it("must say that a forced command ran instead of ours, and what it said", async () => {
    const connection = await userWith("/bin/bash");
    const restore = await sshdSettings(
      host,
      `Match User ${connection.user}\n  ForceCommand echo backups only; true`,
    );
    await assert.rejects(
      on(connection, (session) => session.run(["touch", "/tmp/never"])),
      refused("command-failed", "backups only", "forced command"),
    );
    assert.equal((await host.exec(["test", "-e", "/tmp/never"])).code, 1);
    await restore();
  });

  it("must work through a forced command that runs what was asked", async () => {
    const connection = await userWith("/bin/bash");
    const forced = `Match User ${connection.user}\n  ForceCommand logger "$SSH_ORIGINAL_COMMAND"; exec sh -c "$SSH_ORIGINAL_COMMAND"`;
    const restore = await sshdSettings(host, forced);
    await mustWork(connection);
    await restore();
    const keys = `/home/${connection.user}/.ssh/authorized_keys`;
    await host.must(["sed", "-i", `s|^|command="bash -c \\\\"$SSH_ORIGINAL_COMMAND\\\\"" |`, keys]);
    closeConnections();
    await mustWork(connection);
  });
});
