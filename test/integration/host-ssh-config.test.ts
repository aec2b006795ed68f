import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { isSlipwayError } from "../../provider/errors";
import type { Connection } from "../../provider/host/connection";
import { knownHostsLine } from "../../provider/host/host-key/host-key";
import { closeConnections, withHost } from "../../provider/host/pool";
import { borrower } from "../support/borrow";
import { routeBy, sshHome } from "../support/ssh-files";
import { type SshServerOptions, type SshTestServer, startSshServer } from "../support/ssh-server";
import { testKey } from "../lab/test-key";

const web: Connection = { host: "web1", sshConfig: true, dialErrorLimit: 1 };

describe("a connection by ssh_config", () => {
  const servers: SshTestServer[] = [];
  const before = { home: process.env.HOME, agent: process.env.SSH_AUTH_SOCK };
  let home: string;
  const start = async (options?: SshServerOptions): Promise<SshTestServer> => {
    const server = await startSshServer(options);
    servers.push(server);
    return server;
  };
  /** The lines of a section that lead to this server with the right key, which lies in `.ssh/NAME`. */
  const section = async (name: string, server: SshTestServer, more = ""): Promise<string> => {
    const known = knownHostsLine("127.0.0.1", server.port, server.publicKey);
    await sshHome(home, { [name]: server.connection.privateKey ?? "", [`${name}_hosts`]: `${known}\n` });
    const lines = [
      ...[`Host ${name}`, "HostName 127.0.0.1", `Port ${server.port}`, "User root"],
      ...[more, `IdentityFile ~/.ssh/${name}`, `UserKnownHostsFile ~/.ssh/${name}_hosts`],
    ];
    return lines.filter((line) => line !== "").join("\n ");
  };
  const login = (connection: Connection, parts = {}) =>
    withHost(connection, borrower(parts).options, ({ target, hostKey }) =>
      Promise.resolve({ target, hostKey }),
    );
  const refusal = async (connection: Connection): Promise<{ code: string; message: string }> => {
    const error: unknown = await login(connection).then(
      () => new Error("it logged in"),
      (thrown: unknown) => thrown,
    );
    assert.ok(isSlipwayError(error), String(error));
    return error;
  };

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "slipway-home-"));
    process.env.HOME = home;
    delete process.env.SSH_AUTH_SOCK;
  });
  afterEach(async () => {
    closeConnections();
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await rm(home, { recursive: true });
    if (before.home !== undefined) process.env.HOME = before.home;
    if (before.agent !== undefined) process.env.SSH_AUTH_SOCK = before.agent;
  });

  it("must log in at the alias, with the file's key and known hosts, and go by the alias", async () => {
    const server = await start();
    await sshHome(home, { config: await section("web1", server) });
    assert.deepEqual(await login(web), { target: "web1", hostKey: server.fingerprint });
  });

  it("must try each IdentityFile once, in order, pass over one that is missing, and say all that was tried", async () => {
    const server = await start();
    const keys = { wrong: testKey().privateKey, other: testKey().privateKey };
    const more = "IdentityFile ~/.ssh/wrong\n IdentityFile ~/.ssh/missing\n IdentityFile ~/.ssh/other";
    await sshHome(home, { ...keys, config: await section("web1", server, more) });
    await login(web);
    assert.equal(server.counts.attempts, 2);
    closeConnections();
    await sshHome(home, { web1: testKey().privateKey });
    const { code, message } = await refusal({ ...web, user: "root" });
    assert.equal(code, "authentication-failed");
    const tried = ["wrong", "other", "web1"].map((name) => `the key in ${home}/.ssh/${name}`).join(", then ");
    assert.ok(message.includes(`refused ${tried}`), message);
    assert.equal(server.counts.attempts, 5);
  });

  it("must ask for the passphrase of an encrypted IdentityFile, and take it", async () => {
    const server = await start();
    await sshHome(home, { config: await section("web1", server) });
    const path = join(home, ".ssh/web1");
    await promisify(execFile)("ssh-keygen", ["-q", "-p", "-P", "", "-N", "open sesame", "-f", path]);
    const { code, message } = await refusal(web);
    assert.equal(code, "invalid-input");
    assert.match(message, /\.ssh\/web1: it is encrypted, and privateKeyPassword is not given/);
    await login({ ...web, privateKeyPassword: "open sesame" });
    assert.equal(server.counts.attempts, 0);
  });

  it("must go through ProxyJump, each machine with its own key and known hosts", async () => {
    const bastion = await start();
    const server = await start();
    const config = [await section("jump", bastion), await section("web1", server, "ProxyJump jump")].join(
      "\n",
    );
    await sshHome(home, { config });
    await login(web);
    assert.deepEqual([bastion.counts.logins, server.counts.logins], [1, 1]);
    closeConnections();
    await writeFile(join(home, ".ssh/jump_hosts"), "");
    const { code, message } = await refusal(web);
    assert.equal(code, "host-key-unknown");
    assert.ok(message.includes(String(bastion.port)), message);
  });

  it("must look the host key up under the resolved name, or HostKeyAlias", async () => {
    const server = await start();
    await sshHome(home, { config: await section("web1", server) });
    const hosts = join(home, ".ssh/web1_hosts");
    await writeFile(hosts, `${knownHostsLine("web1", 22, server.publicKey)}\n`);
    const { code, message } = await refusal(web);
    assert.equal(code, "host-key-unknown");
    assert.ok(message.endsWith(knownHostsLine("127.0.0.1", server.port, server.publicKey)), message);
    await sshHome(home, { config: await section("web1", server, "HostKeyAlias the-web") });
    await writeFile(hosts, `${knownHostsLine("the-web", 22, server.publicKey)}\n`);
    await login(web);
  });

  it("must file a learned key under the alias, and refuse another machine behind it", async () => {
    const [first, second] = [await start(), await start()];
    const acceptNew = { ...web, knownHosts: join(home, "none"), hostKeyPolicy: "accept-new" } as const;
    await writeFile(acceptNew.knownHosts, "");
    await sshHome(home, { config: await section("web1", first) });
    const { target, hostKey } = await login(acceptNew);
    assert.equal(target, "web1");
    await sshHome(home, { config: await section("web1", second) });
    await assert.rejects(login(acceptNew, { recordedHostKey: hostKey }), (error) =>
      isSlipwayError(error, "host-key-mismatch"),
    );
    assert.equal(second.counts.logins, 0);
  });

  it("must read the file at each use: a live connection to where the alias led before is not taken", async () => {
    const [first, second] = [await start(), await start()];
    await sshHome(home, { config: await section("web1", first) });
    await Promise.all([login(web), login(web)]);
    await sshHome(home, { config: await section("web1", second) });
    assert.equal((await login(web)).hostKey, second.fingerprint);
    assert.deepEqual([first.counts.logins, second.counts.logins], [1, 1]);
  });
});

describe("ssh_config, beside ssh -G", () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "slipway-home-"));
  });
  afterEach(() => rm(home, { recursive: true }));

  /** What ssh itself makes of it, in our words. */
  const bySsh = async (config: string) => {
    const path = join(home, "config");
    await writeFile(path, config, { mode: 0o600 });
    const { stdout } = await promisify(execFile)("ssh", ["-G", "-F", path, "web1"]);
    const all = (keyword: string): readonly string[] =>
      [...stdout.matchAll(new RegExp(`^${keyword} (.*)$`, "gm"))].map(([, value = ""]) => value);
    return {
      host: all("hostname")[0],
      port: Number(all("port")[0]),
      user: all("user")[0],
      keys: all("identityfile"),
    };
  };

  for (const config of [
    "Host web1\n HostName a.b\n HostName c\n User u\n Port 7\n IdentityFile /k1\n IdentityFile /k2\n IdentityFile /k1\n",
    "HostName first\nHost web1\n HostName second\n User=u\n\tPort = 8\n IdentityFile /k\n",
    'Host "web1" other # two\n HostName "h"\n User "a-b" # c\n IdentityFile "/a b/c"\n',
    "Host web1\r\n HostName crlf\r\n User u\r\n IdentityFile /k#1\r\n",
    "Host w?b1 !web2\n HostName q\nHost * !web*\n User no\nHost we*\n User yes\n IdentityFile '/s q'\n",
    "Host ?web1\n Port 1\nHost web?1\n Port 2\nHost web1\n User u\n IdentityFile /k\n",
    "Match host web1\n HostName h\nMatch host web1\n User no\nMatch host h,x user *\n User yes\n IdentityFile /k\n",
    "Host web1\n HostName h.x\n User u\nMatch final host h.x\n Port 9\nHost h.x\n IdentityFile /second\n",
    "Match all\n User all\nMatch originalhost=web1\n Port 5\nMatch !originalhost web1\n Port 6\nHost web1\n IdentityFile /k\n",
    "Host web1\n HostName %h.example.com\n User u\nMatch host web1.example.com\n Port 3\n IdentityFile /k-%%\n",
    "Match canonical\n Port 4\nHost web1\n User first\n IdentityFile /k\nMatch final\n HostName f\n",
  ]) {
    it(`must agree on ${JSON.stringify(config)}`, async () => {
      const expected = await bySsh(config);
      const { host, port, user, identityFiles } = await routeBy(home, config, {
        ...web,
        ...(expected.user === undefined || config.includes("User") ? {} : { user: expected.user }),
      });
      const keys = identityFiles?.map((path) => path.replaceAll("%", "%%"));
      assert.deepEqual({ host, port, user, keys }, expected);
    });
  }
});
