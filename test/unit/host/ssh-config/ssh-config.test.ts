import assert from "node:assert/strict";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSlipwayError } from "../../../../provider/errors";
import { type Connection, machineOf, targetOf } from "../../../../provider/host/connection";
import { routeOf } from "../../../../provider/host/ssh-config/route";
import { routeBy, sshHome } from "../../../support/ssh-files";

describe("routeOf", () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "slipway-ssh-"));
  });
  afterEach(() => rm(home, { recursive: true }));

  const web: Connection = { host: "web1", sshConfig: true };
  const by = (config: string, connection: Connection = web) => routeBy(home, config, connection);
  const refusal = async (config: string, connection: Connection = web): Promise<string> => {
    const error: unknown = await by(config, connection).then(
      (route) => new Error(`it took ${JSON.stringify(route)}`),
      (thrown: unknown) => thrown,
    );
    assert.ok(isSlipwayError(error, "invalid-input"), String(error));
    assert.ok(error.message.includes('"web1"'), error.message);
    return error.message;
  };

  it("must leave a connection without sshConfig alone", async () => {
    const plain = { host: "web1", proxy: { host: "b" } };
    assert.equal(await routeOf(plain), plain);
  });

  it("must take what ssh would take", async () => {
    const route = await by(`
      host web1
        hostname = 10.0.0.5
        User deploy
        Port 2222
        IdentityFile "~/.ssh/a key"
        IdentityFile ~/.ssh/key#1 # a comment
        IdentitiesOnly yes
        UserKnownHostsFile ~/.ssh/known_a "~/.ssh/known b"
        HostKeyAlias web-key
        IdentityAgent %d/agent
      Host *
        User nobody
        IdentityFile ~/.ssh/id_%r@%h:%p%%
        GlobalKnownHostsFile none`);
    assert.deepEqual(route, {
      host: "10.0.0.5",
      sshConfig: false,
      target: "web1",
      user: "deploy",
      port: 2222,
      identityFiles: ["a key", "key#1", "id_deploy@10.0.0.5:2222%"].map((name) => `${home}/.ssh/${name}`),
      identitiesOnly: true,
      identityAgent: `${home}/agent`,
      knownHostsFiles: [`${home}/.ssh/known_a`, `${home}/.ssh/known b`],
      hostKeyAlias: "web-key",
    });
  });

  it("must let what the program gives go before the file", async () => {
    const given = { ...web, user: "root", port: 22, privateKeyPath: "~/k", knownHosts: "~/h" };
    const config = "Host web1\n User deploy\n Port 2222\n IdentityFile ~/x\n ProxyCommand evil\n";
    const route = await by(config, { ...given, proxy: { host: "10.0.0.1" } });
    const { user, port, privateKeyPath, identityFiles, knownHosts, knownHostsFiles, proxy } = route;
    assert.deepEqual([user, port, privateKeyPath, knownHosts], ["root", 22, "~/k", "~/h"]);
    assert.deepEqual([identityFiles, knownHostsFiles, proxy], [undefined, undefined, { host: "10.0.0.1" }]);
  });

  it("must log in as the local user with the usual keys when the file says nothing", async () => {
    const route = await by("Host web1\n HostName %h.example.com\n");
    assert.equal(route.host, "web1.example.com");
    assert.deepEqual([route.user, route.port], ["ann", 22]);
    assert.deepEqual(
      route.identityFiles,
      ["id_rsa", "id_ecdsa", "id_ed25519"].map((name) => `${home}/.ssh/${name}`),
    );
  });

  it("must follow Include, with patterns, in its place and only where its section speaks of the host", async () => {
    const context = await sshHome(home, {
      config:
        "Include conf.d/*.conf none-there\nHost web1\n Include inside\n Port 3\nHost other\n Include elsewhere\nHost web1\n User late\n",
      "conf.d/b.conf": "Host web1\n HostName second\n",
      "conf.d/a.conf": "Host web1\n HostName first\n",
      "conf.d/c.txt": "Host web1\n HostName wrong\n",
      inside: "User inside\nHost other\n Port 1\n",
      elsewhere: "Port 9\n",
    });
    const route = await routeOf(web, context);
    assert.deepEqual([route.host, route.user, route.port], ["first", "inside", 3]);
  });

  it("must refuse an Include of itself", async () => {
    assert.match(await refusal("Include config\n"), /included too deep/);
  });

  it("must decide Match as ssh does, and read again under the resolved name for Match final", async () => {
    const route = await by(`
      Match host web? originalhost web*,!x* user ann
        HostName 10.0.0.9
      Match !host 10.0.0.9
        User wrong
      Match user ann localuser ann,bob
        Port 4
      Match final host 10.0.0.*
        User final`);
    assert.deepEqual([route.host, route.port, route.user], ["10.0.0.9", 4, "final"]);
  });

  it("must not take a section that excludes the host", async () => {
    const route = await by(
      "Host web* !web1\n HostName wrong\nHost we?1\n HostName right\nHost w?eb1\n User wrong",
    );
    assert.deepEqual([route.host, route.user], ["right", "ann"]);
  });

  it("must refuse Match exec where something rests on it, and run nothing", async () => {
    const message = await refusal(`Host web1\nMatch host web1 exec "touch ${home}/ran"\n HostName x\n`);
    assert.match(message, /Match exec.*no command is run.*hostname/);
    await assert.rejects(rm(join(home, "ran")), /ENOENT/);
  });

  it("must pass over Match exec for another host, and where nothing that counts rests on it", async () => {
    const config =
      'Match exec "false" host other\n User x\nMatch exec "false"\n ForwardAgent yes\nHost web1\n User y';
    assert.equal((await by(config)).user, "y");
  });

  for (const [option, config] of [
    ["ProxyCommand", "ProxyCommand nc %h %p"],
    ["CanonicalizeHostname yes", "CanonicalizeHostname yes"],
    ["RevokedHostKeys", "RevokedHostKeys /etc/revoked"],
    ["Port", "Port 70000"],
    ["Port", "Port ssh"],
    ["HostName", "HostName -oProxyCommand=x"],
    ["HostName", 'HostName "a b"'],
    ["User", "User a;b"],
    ["IdentityFile", "IdentityFile ~/.ssh/%Z"],
    ["IdentityFile", "IdentityFile ${NOT_THERE}/x"],
    ["ProxyJump", "ProxyJump a@b@c:x"],
    ["ProxyJump", "ProxyJump a,$(b)"],
    ["cannot be parsed", 'User "a'],
    ["cannot be parsed: line 2: UserKnownHostsFile", "UserKnownHostsFile\n ProxyCommand x"],
  ] as const) {
    it(`must refuse "${config}" and name the option`, async () => {
      assert.ok((await refusal(`Host web1\n ${config}\n`)).includes(option));
    });
  }

  it("must take ProxyCommand none for none", async () => {
    assert.equal((await by("Host web1\n ProxyCommand none\n ProxyJump b\n")).proxy, undefined);
  });

  it("must name alias and file when no section names the alias", async () => {
    const message = await refusal("Host other\nHost *\n User x\n");
    assert.ok(message.includes(`${home}/.ssh/config`) && message.includes("names web1"), message);
    await rm(join(home, ".ssh"), { recursive: true });
    const context = { ...(await sshHome(home, {})) };
    await assert.rejects(routeOf(web, context), /names web1/);
  });

  it("must refuse a file that others may write to", async () => {
    const context = await sshHome(home, { config: "Host web1\n" });
    await chmod(context.places.user, 0o620);
    await assert.rejects(routeOf(web, context), /chmod 600/);
  });

  it("must resolve a chain of ProxyJump, the aliases in it too", async () => {
    const { proxy } = await by(`
      Host web1
        ProxyJump outer, ops@inner:2200
      Host outer
        HostName 1.1.1.1
        User jump
        ProxyJump first
      Host inner
        HostName 2.2.2.2
        User wrong
        ProxyJump never
      Host first
        HostName 0.0.0.1`);
    const hops = [];
    for (let hop = proxy; hop !== undefined; hop = hop.proxy) hops.push([hop.user, hop.host, hop.port]);
    assert.deepEqual(hops, [
      ["ops", "2.2.2.2", 2200],
      ["jump", "1.1.1.1", 22],
      ["ann", "0.0.0.1", 22],
    ]);
  });

  it("must not give the machine's own credentials to a machine on the way", async () => {
    const { proxy } = await by("Host web1\n ProxyJump b\n", {
      ...web,
      privateKey: "KEY",
      password: "P",
      hostKey: "K",
    });
    assert.ok(!/KEY|"P"|"K"/.exec(JSON.stringify(proxy)));
  });

  it("must see a circle", async () => {
    assert.match(await refusal("Host *\n ProxyJump bastion\nHost web1\n"), /circle/);
  });

  it("must look up a bastion that says sshConfig, for a machine that does not", async () => {
    const connection = { host: "10.0.0.7", proxy: { host: "web1", sshConfig: true } };
    const { host, proxy } = await by("Host web1\n HostName 10.0.0.1\n", connection);
    assert.deepEqual([host, proxy?.host, proxy?.target], ["10.0.0.7", "10.0.0.1", "web1"]);
  });

  it("must name the machine by what the program gave, before the file is read and after", async () => {
    const config = "Host web1\n HostName 10.0.0.5\n User deploy\n";
    for (const [connection, target, machine] of [
      [web, "web1", "web1"],
      [{ ...web, user: "ops" }, "ops@web1", "web1"],
      [{ ...web, user: "ops", port: 23 }, "ops@web1:23", "web1:23"],
    ] as const) {
      assert.equal(targetOf(connection), target);
      assert.equal(targetOf(await by(config, connection)), target);
      assert.equal(machineOf(connection), machine);
    }
  });
});
