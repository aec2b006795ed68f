import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type SlipwayError, isSlipwayError } from "../../provider/errors";
import { closeConnections, withHost } from "../../provider/host/pool";
import { borrower } from "../support/borrow";
import { type SshTestServer, runInShell, startSshServer } from "../support/ssh-server";
import { TemporaryFolder } from "../support/temporary-folder";

const PASSWORD = "correct horse";

/** How the test's own sudo behaves. */
type Sudo = "asks" | "never asks" | "not in sudoers" | "one try" | "wants a tty";

/** Called as `sudo -n -- COMMAND` or `sudo -S -p PROMPT -- COMMAND`; the file `kind` beside it says how it behaves. */
const SUDO_SCRIPT = `#!/bin/sh
kind=$(cat "\${0%/*}/kind")
[ "$kind" = "wants a tty" ] && { echo "sudo: sorry, you must have a tty to run sudo" >&2; exit 1; }
if [ "$1" = -n ]; then
  [ "$kind" = "never asks" ] || { echo "sudo: a password is required" >&2; exit 1; }
  shift 2; exec "$@"
fi
prompt=$3; shift 4; tries=0
while :; do
  printf %s "$prompt" >&2
  IFS= read -r answer || { echo "sudo: no password was provided" >&2; exit 1; }
  [ "$answer" = "${PASSWORD}" ] && break
  [ "$kind" = "one try" ] && { echo "sudo: 1 incorrect password attempt" >&2; exit 1; }
  echo "Sorry, try again." >&2; tries=$((tries + 1)); echo "$tries" >"\${0%/*}/tries"
done
[ "$kind" = "not in sudoers" ] && { echo "deploy is not in the sudoers file." >&2; exit 1; }
exec "$@"
`;

describe("sudo", () => {
  let server: SshTestServer;
  let folder: TemporaryFolder;

  beforeEach(async () => {
    folder = new TemporaryFolder();
    await writeFile(join(folder.path, "sudo"), SUDO_SCRIPT, { mode: 0o755 });
    await writeFile(join(folder.path, "id"), "#!/bin/sh\necho 1000\n", { mode: 0o755 });
    server = await startSshServer({
      // our sudo comes first on the PATH that the line sets, and nobody is root
      onExec: (line, channel) => runInShell(line.replaceAll("PATH=", `PATH=${folder.path}:`), channel),
    });
  });
  afterEach(async () => {
    closeConnections();
    await server.stop();
    folder.remove();
  });

  const asRoot = async (kind: Sudo, sudoPassword: string | undefined, stdin?: string) => {
    await writeFile(join(folder.path, "kind"), kind);
    const { options, lines } = borrower();
    const connection = { ...server.connection, user: "deploy", ...(sudoPassword && { sudoPassword }) };
    const input = stdin === undefined ? {} : { stdin };
    const outcome = await withHost(connection, options, (host) =>
      host.exec(["sh", "-c", "echo root; cat"], { sudo: true, ...input }),
    ).catch((error: unknown) => error);
    assert.ok(!lines.join("\n").includes(PASSWORD), lines.join("\n"));
    return outcome;
  };
  const refusal = async (kind: Sudo, sudoPassword: string | undefined): Promise<SlipwayError> => {
    const error = await asRoot(kind, sudoPassword);
    assert.ok(isSlipwayError(error, "sudo-unavailable"), String(error));
    return error;
  };

  it("must use sudo that never asks, and keep the password to itself", async () => {
    const outcome = await asRoot("never asks", PASSWORD, "data");
    assert.deepEqual(outcome, { kind: "exited", code: 0, stdout: "root\ndata", stderr: "" });
  });

  it("must answer our own prompt only, and hand standard input to the command alone", async () => {
    const outcome = await asRoot("asks", PASSWORD, "data");
    assert.deepEqual(outcome, { kind: "exited", code: 0, stdout: "root\ndata", stderr: "" });
    assert.ok(!server.lines.join("\n").includes(PASSWORD));
  });

  it("must try a wrong password once", async () => {
    const { message } = await refusal("asks", "battery staple");
    assert.match(message, /did not take the password/);
    assert.ok(!message.includes("battery"));
    assert.equal((await readFile(join(folder.path, "tries"), "utf8")).trim(), "1");
    assert.match((await refusal("one try", "battery staple")).message, /did not take the password/);
  });

  it("must say that a password is missing", async () => {
    assert.match((await refusal("asks", undefined)).message, /asks for a password.*\n?.*sudoPassword/);
  });

  it("must say that the user is no sudoer", async () => {
    assert.match((await refusal("not in sudoers", PASSWORD)).message, /does not let this user/);
  });

  it("must say that sudo wants a terminal", async () => {
    assert.match((await refusal("wants a tty", PASSWORD)).message, /requiretty/);
  });
});
