import assert from "node:assert/strict";
import { DOCKER_VERSION } from "../demo/lab-demo-host";
import { loadHaproxy } from "../lab/haproxy";
import { type LabHost, type Suite, startLabHost } from "../lab/lab-host";
import { startProbe } from "../lab/probe";
import { askFor } from "../support/edge-route";
import { ExampleProject, labConnectionConfig } from "../support/example-project";
import type { PulumiStack } from "../support/pulumi-project";

/** Each example as a user would run it: up on bare machines, changed, a broken version, destroyed. */
describe("the examples", function () {
  this.timeout(600_000);
  let hosts: LabHost[] = [];
  let project: ExampleProject | undefined;

  const begin = async (name: string, suite: Suite, count = 1): Promise<void> => {
    hosts = await Promise.all(Array.from({ length: count }, () => startLabHost({ suite })));
    project = await ExampleProject.of(name);
    await project.stack.configure({ dockerVersion: DOCKER_VERSION[suite], source: "distro" });
  };

  /** Configures the one host of an example. */
  const point = async (): Promise<void> => {
    const connection = labConnectionConfig(only(), "deploy");
    await stack().configure(
      Object.fromEntries(Object.entries(connection).map(([key, value]) => [key, String(value)])),
    );
  };

  afterEach(async () => {
    await project?.remove();
    project = undefined;
    await Promise.all(hosts.map((host) => host.remove()));
    hosts = [];
  });

  const stack = (): PulumiStack => {
    assert.ok(project);
    return project.stack;
  };
  const only = (): LabHost => {
    const [host] = hosts;
    assert.ok(host);
    return host;
  };
  const up = async (version: string): Promise<string> => {
    await stack().configure({ version });
    const run = await stack().up();
    assert.equal(run.code, 0, run.output);
    return run.output;
  };
  const refused = async (version: string): Promise<string> => {
    await stack().configure({ version });
    const run = await stack().up();
    assert.notEqual(run.code, 0, run.output);
    return run.output;
  };
  const changesNothing = async (): Promise<void> => {
    const run = await stack().up({ args: ["--expect-no-changes"] });
    assert.equal(run.code, 0, run.output);
  };
  const destroy = async (): Promise<void> => {
    const run = await stack().destroy();
    assert.equal(run.code, 0, run.output);
    for (const host of hosts) assert.equal(await host.must(["docker", "ps", "--all", "--quiet"]), "");
  };
  const page = async (host: LabHost): Promise<string> => (await (await fetch(host.url())).text()).trim();

  it("must exchange a version without a lost request: zero-downtime", async () => {
    await begin("zero-downtime", "trixie");
    await point();
    await up("v1");
    assert.equal(await page(only()), "Hello from v1");

    const probe = startProbe(only().url(), { perSecond: 20, timeoutMs: 10_000 });
    await up("v2");
    const report = await probe.stop();
    assert.equal(report.failed, 0, JSON.stringify(report.firstFailure));
    assert.ok(report.requests > 20);
    assert.equal(await page(only()), "Hello from v2");
    assert.deepEqual((await stack().outputs()).lastSwap, { way: "bridged", gapMs: 0 });
    await changesNothing();

    await stack().configure({ healthyDeadline: "8s" });
    const later = startProbe(only().url(), { perSecond: 20, timeoutMs: 10_000 });
    assert.match(await refused("broken"), /was not touched and serves on/);
    assert.equal((await later.stop()).failed, 0);
    assert.equal(await page(only()), "Hello from v2");
    await destroy();
  });

  it("must exchange a version behind the proxy without a lost request: behind-a-proxy", async () => {
    await begin("behind-a-proxy", "trixie");
    await point();
    // its image comes from no registry here, so Docker has to be there first: the first run ends where it is missing
    const proxyImage = "127.0.0.1:1/haproxy:lab";
    await stack().configure({ proxyImage });
    assert.match(await refused("v1"), /127\.0\.0\.1:1\/haproxy:lab could not be pulled/);
    await only().must(["docker", "tag", await loadHaproxy(only(), "trixie"), proxyImage]);
    const name = "shop.example.com";
    const pages = (): Promise<readonly string[]> =>
      Promise.all(["/", "/admin/"].map((path) => askFor(`${only().url()}${path}`, name)));
    await up("v1");
    assert.deepEqual(await pages(), ["200 Hello from v1", "200 Administration of v1"]);
    assert.deepEqual((await stack().outputs()).urls, [`http://${name}`, `http://${name}/admin`]);

    const load = { perSecond: 20, timeoutMs: 10_000, headers: { host: name } };
    const probe = startProbe(only().url(), load);
    await up("v2");
    const report = await probe.stop();
    assert.equal(report.failed, 0, JSON.stringify(report.firstFailure));
    assert.ok(report.requests > 20);
    assert.deepEqual(await pages(), ["200 Hello from v2", "200 Administration of v2"]);
    assert.deepEqual((await stack().outputs()).lastSwap, { way: "proxied", gapMs: 0 });
    await changesNothing();

    await stack().configure({ healthyDeadline: "8s" });
    const later = startProbe(only().url(), load);
    assert.match(await refused("broken"), /was not touched and serves on/);
    assert.equal((await later.stop()).failed, 0);
    assert.deepEqual(await pages(), ["200 Hello from v2", "200 Administration of v2"]);
    await destroy();
  });

  it("must bring all hosts to a version, or none: multi-host", async () => {
    await begin("multi-host", "bookworm", 2);
    const connections = hosts.map((host) => labConnectionConfig(host, "root"));
    const times = { delay: "1s", healthyDeadline: "8s" };
    await stack().configure({ hosts: JSON.stringify(connections), ...times });
    await up("v1");
    const pages = (): Promise<readonly string[]> => Promise.all(hosts.map(page));
    assert.deepEqual(await pages(), ["Hello from v1", "Hello from v1"]);
    await up("v2");
    assert.deepEqual(await pages(), ["Hello from v2", "Hello from v2"]);
    await changesNothing();

    for (const strategy of ["rolling", "atomic"]) {
      await stack().configure({ strategy });
      assert.match(
        await refused("broken"),
        new RegExp(`root@127\\.0\\.0\\.1:(${hosts.map((host) => host.sshPort).join("|")})`),
      );
      assert.deepEqual(await pages(), ["Hello from v2", "Hello from v2"], strategy);
    }
    await destroy();
  });

  it("must swap nothing when a migration fails: migrations", async () => {
    const secret = "canary-4711";
    await begin("migrations", "bookworm");
    await point();
    const url = `postgres://app:${secret}@db.internal/app`;
    await stack().must(["config", "set", "--secret", "databaseUrl", url, "--stack", stack().name]);
    let said = await up("v1");
    assert.equal(await page(only()), "Hello from v1, with db.internal/app");
    said += await up("v2");
    assert.match(said, /preDeploy on .*: 1 done/);
    assert.match(said, /postDeploy on .*: 1 done/);
    assert.equal(await page(only()), "Hello from v2, with db.internal/app");

    const words = await refused("broken");
    assert.match(words, /relation "orders" does not exist/);
    assert.match(words, /Nothing was swapped: revision [0-9a-f]{8} serves on/);
    assert.equal(await page(only()), "Hello from v2, with db.internal/app");
    const seen = await only().must(["docker", "inspect", "app"]);
    assert.ok(![said, words, seen, await stack().exportState()].join().includes(secret));
    await destroy();
  });
});
