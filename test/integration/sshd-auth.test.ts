import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { isSlipwayError } from "../../provider/errors";
import type { Connection } from "../../provider/host/connection";
import { closeConnections, withHost } from "../../provider/host/pool";
import { type LabHost, startLabHost } from "../lab/lab-host";
import { type RestoreSshd, sshdSettings } from "../lab/sshd-settings";
import { borrower } from "../support/borrow";
import { type KeyFile, makeKey } from "../support/key-files";
import { type TestAgent, startAgent } from "../support/ssh-agent";
import { TemporaryFolder } from "../support/temporary-folder";

describe("authentication by a real sshd", function () {
  this.timeout(120_000);
  const folder = new TemporaryFolder();
  let host: LabHost;
  let agent: TestAgent | undefined;
  let restore: RestoreSshd | undefined;

  before(async () => {
    host = await startLabHost({ suite: "bookworm" });
  });
  afterEach(async () => {
    closeConnections();
    await Promise.all([restore?.(), agent?.stop()]);
    restore = agent = undefined;
  });
  after(async () => {
    folder.remove();
    await host.remove();
  });

  const login = (connection: Connection): Promise<void> =>
    withHost(connection, borrower().options, () => Promise.resolve());
  const refusal = async (connection: Connection): Promise<string> => {
    const error: unknown = await login(connection).then(
      () => new Error("it logged in"),
      (thrown: unknown) => thrown,
    );
    assert.ok(isSlipwayError(error, "authentication-failed"), String(error));
    return error.message;
  };
  const plain = (): Connection => {
    const { host: address, port, user, hostKey } = host.connection("limited");
    return { host: address, port, user, hostKey };
  };
  const authorize = async ({ publicKey }: KeyFile): Promise<void> => {
    const script = 'cat >>"/home/limited/.ssh/authorized_keys"';
    await host.must(["sh", "-c", script], { input: publicKey });
  };

  it("must answer PAM's question for the password, and try a wrong one once", async () => {
    restore = await sshdSettings(
      host,
      "PasswordAuthentication no\nKbdInteractiveAuthentication yes\nUsePAM yes",
    );
    const connection = { ...plain(), password: host.passwords.limited };
    await login(connection);
    const message = await refusal({ ...plain(), password: "wrong horse" });
    assert.match(message, /refused keyboard-interactive \(it asked "Password:"\)/);
  });

  it("must give key and password where both are wanted", async () => {
    restore = await sshdSettings(
      host,
      "PasswordAuthentication yes\nAuthenticationMethods publickey,password",
    );
    const key = await readFile(host.privateKeyPath, "utf8");
    await login({ ...plain(), privateKey: key, password: host.passwords.limited });
    const message = await refusal({ ...plain(), privateKey: key });
    assert.match(message, /took privateKey and asks for more; it takes password/);
  });

  it("must sign with SHA-2 for RSA, by file and by agent", async () => {
    const key = await makeKey(folder.path, "rsa", ["-t", "rsa", "-b", "2048"]);
    await authorize(key);
    restore = await sshdSettings(host, "PubkeyAcceptedAlgorithms rsa-sha2-256");
    await login({ ...plain(), privateKeyPath: key.path });
    agent = await startAgent(folder.path, [key.path]);
    await login({ ...plain(), agentSocketPath: agent.socketPath });
  });

  it("must stay below sshd's limit with an agent full of keys, so that the password still has its turn", async () => {
    restore = await sshdSettings(host, "MaxAuthTries 6\nPasswordAuthentication yes");
    const keys = await Promise.all(Array.from({ length: 10 }, (_, at) => makeKey(folder.path, `key${at}`)));
    agent = await startAgent(
      folder.path,
      keys.map(({ path }) => path),
    );
    const connection = { ...plain(), agentSocketPath: agent.socketPath };
    assert.match(await refusal(connection), /not tried: 5 of 10 keys of the agent/);
    await login({ ...connection, password: host.passwords.limited });
  });
});
