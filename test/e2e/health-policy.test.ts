import assert from "node:assert/strict";
import { type HandlerContext, PartialFailure, type Properties } from "../../provider/handler";
import { healthPolicyHandler } from "../../provider/health-policy/handler";
import { closeConnections } from "../../provider/host/pool";
import type { LabHost } from "../lab/lab-host";
import { HealthHost, rowsOf, SICK_FILE, SLEEP } from "../support/health-host";

describe("HealthPolicy on a lab host", function () {
  this.timeout(240_000);
  let site: HealthHost;
  let host: LabHost;
  let kept: string[];

  before(async () => {
    site = await HealthHost.start();
    ({ lab: host, kept } = site);
  });

  after(() => site.remove());
  afterEach(() => site.clear());

  const context = (): HandlerContext => site.context();
  const inputs = (more: Properties = {}): Properties => site.inputs(more);

  it("must restart a container that was made unhealthy by hand, and see it healthy", async () => {
    await site.replica("web", 1, SICK_FILE);
    await site.replica("db", 1, "");
    await site.untilDocker("web", "healthy");
    const created = await healthPolicyHandler.create(inputs(), context());
    assert.deepEqual(rowsOf(created.outputs), ["db running unchecked", "web running healthy"]);
    assert.deepEqual(created.outputs.restarted, []);
    assert.deepEqual(await healthPolicyHandler.diff("health", created.outputs, inputs(), context()), {
      changes: false,
    });

    const [web, db] = [await site.startedAt("web"), await site.startedAt("db")];
    await host.must(["docker", "exec", "web", "/bin/busybox", "touch", "/run/sick"]);
    await site.untilDocker("web", "unhealthy");
    const target = `root@127.0.0.1:${host.sshPort}`;
    kept.length = 0;
    assert.deepEqual(await healthPolicyHandler.diff("health", created.outputs, inputs(), context()), {
      changes: true,
    });
    assert.deepEqual(kept, [`restart web on ${target}: its HEALTHCHECK fails`]);

    const outputs = await healthPolicyHandler.update("health", created.outputs, inputs(), context());
    assert.deepEqual(outputs.restarted, [`${target} web`]);
    assert.deepEqual(outputs.gaveUp, []);
    assert.deepEqual(outputs.report, created.outputs.report);
    const counts = { containers: 2, healthy: 1, unhealthy: 0, starting: 0, unchecked: 1, gaveUp: 0 };
    assert.deepEqual(outputs.counts, { ...counts, restarted: 1 });
    assert.ok(
      kept.some((text) => text.startsWith("HOST") && text.includes("unchecked")),
      kept.join("\n"),
    );
    assert.notEqual(await site.startedAt("web"), web);
    assert.equal(await site.startedAt("db"), db);
  });

  it("must give up on one that is always unhealthy, fail, and touch nothing else", async () => {
    await site.replica("bad", 1, "echo no good: $TOKEN; exit 3", "-e", "TOKEN=canary-health");
    await site.replica("good", 1, "true");
    await site.untilDocker("bad", "unhealthy");
    await site.untilDocker("good", "healthy");
    const [bad, good] = [await site.startedAt("bad"), await site.startedAt("good")];
    const attempt = healthPolicyHandler.create(inputs({ maxRestarts: 1 }), context());
    const failure = await attempt.then(
      () => assert.fail("it went through"),
      (error: unknown) => error,
    );
    assert.ok(failure instanceof PartialFailure, String(failure));
    assert.match(
      failure.message,
      /^"bad" stays unhealthy on root@127\.0\.0\.1:\d+: was not healthy within 10s/,
    );
    assert.match(failure.message, /after 1 restart\b/);
    assert.match(failure.message, /no good: \[secret\]/);
    assert.deepEqual(rowsOf(failure.outputs), ["bad running unhealthy", "good running healthy"]);
    assert.equal((failure.outputs.gaveUp as unknown[]).length, 1);
    assert.notEqual(await site.startedAt("bad"), bad);
    assert.equal(await site.startedAt("good"), good);
  });

  it("must restart one unhealthy of five, and touch none of the others", async () => {
    const names = ["web", "web-2", "web-3", "web-4", "web-5"];
    for (const at of names.keys()) await site.replica("web", at + 1, SICK_FILE);
    await site.stranger("stranger", "exit 1", "--label", "team=shop");
    for (const name of names) await site.untilDocker(name, "healthy");
    await site.makeSick("web-3");
    await site.untilDocker("stranger", "unhealthy");
    const all = async (): Promise<readonly string[]> => {
      const format = "{{.Name}} {{.Id}} {{.State.StartedAt}}";
      return (await host.must(["docker", "inspect", "-f", format, ...names, "stranger"])).split("\n");
    };
    const before = await all();
    const { outputs } = await healthPolicyHandler.create(inputs(), context());
    const after = await all();
    assert.deepEqual(outputs.restarted, [`${site.target} web-3`]);
    assert.deepEqual(
      after.filter((line, at) => line !== before[at]).map((line) => line.split(" ")[0]),
      ["/web-3"],
    );

    await host.must(["docker", "exec", "web", "/bin/busybox", "touch", "/run/sick"]);
    await site.untilDocker("web", "unhealthy");
    const scope = { label: "team=shop" };
    const labelled = inputs({ scope, maxRestarts: 1, failOnUnhealthy: false });
    const other = await healthPolicyHandler.create(labelled, context());
    assert.deepEqual(other.outputs.gaveUp, [`${site.target} stranger`]);
    assert.deepEqual(rowsOf(other.outputs), ["stranger running unhealthy"]);
  });

  it("must restart one that can never be healthy three times, with growing pauses, then fail with its words", async () => {
    await site.replica("bad", 1, "echo no good; exit 3");
    await site.untilDocker("bad", "unhealthy");
    await site.noteRestarts();
    const failure = await healthPolicyHandler.create(inputs({ backoff: "4s" }), context()).then(
      () => assert.fail("it went through"),
      (error: unknown) => error,
    );
    assert.ok(failure instanceof PartialFailure, String(failure));
    assert.match(failure.message, /given up after 3 restarts within 10m/);
    assert.match(failure.message, /no good/);
    assert.deepEqual(failure.outputs.gaveUp, [`${site.target} bad`]);
    const [first = 0, second = 0, third = 0, ...more] = await site.restartsOf("bad");
    assert.deepEqual(more, []);
    // 4 and 8 seconds at least, and what Docker needs to call it unhealthy
    assert.ok(
      second - first >= 4 && third - second >= 8 && third - second > second - first,
      `${second - first}s, then ${third - second}s`,
    );

    // its budget is used up: the next run says so at once, and restarts nothing
    const bad = await site.startedAt("bad");
    const again = await healthPolicyHandler
      .update("health", failure.outputs, inputs({ backoff: "4s" }), context())
      .catch((error: unknown) => error);
    assert.match(String(again), /its HEALTHCHECK fails; given up after 3 restarts within 10m/);
    assert.equal(await site.startedAt("bad"), bad);
  });

  it("must only report with repair: false, and when over half of a service is unhealthy", async () => {
    await site.replica("web", 1, "exit 1");
    await site.replica("web", 2, "exit 1");
    await site.untilDocker("web", "unhealthy");
    await site.untilDocker("web-2", "unhealthy");
    const before = [await site.startedAt("web"), await site.startedAt("web-2")];
    for (const more of [{ repair: false }, {}]) {
      const { outputs } = await healthPolicyHandler.create(
        inputs({ failOnUnhealthy: false, ...more }),
        context(),
      );
      assert.deepEqual([outputs.restarted, outputs.gaveUp], [[], []]);
      assert.equal((outputs.counts as Record<string, number>).unhealthy, 2);
    }
    assert.deepEqual([await site.startedAt("web"), await site.startedAt("web-2")], before);
    assert.ok(kept.some((text) => text.includes("2 of 2 of its service are unhealthy at once")));
  });

  it("must restart what crash-loops, and what comes up again is well", async () => {
    const labels = ["--label", "slipway.service=loop", "--restart", "always", "--tmpfs", "/run"];
    const script = "test -e /data/well && exec /bin/busybox sleep 100000; exit 4";
    await host.must(["mkdir", "-p", "/root/data"]);
    const args = ["docker", "run", "-d", "--name", "loop", ...labels, "-v", "/root/data:/data"];
    await host.must([...args, "probe-me", "/bin/busybox", "sh", "-c", script]);
    const looping = `until [ "$(docker inspect -f '{{.State.Status}} {{.RestartCount}}' loop)" = "restarting 8" ]; do sleep 0.1; done`;
    await host.must(["timeout", "60", "sh", "-c", looping]);
    await host.must(["touch", "/root/data/well"]);
    const { outputs } = await healthPolicyHandler.create(inputs(), context());
    assert.deepEqual(outputs.restarted, [`${site.target} loop`]);
    assert.deepEqual(rowsOf(outputs), ["loop running unchecked"]);
  });

  it("must leave a service alone whose lock is held", async () => {
    await site.replica("bad", 1, "exit 1");
    await site.untilDocker("bad", "unhealthy");
    await host.must(["docker", "create", "--name", "slipway.lock.bad", ...SLEEP]);
    const bad = await site.startedAt("bad");
    const { outputs } = await healthPolicyHandler.create(inputs(), context());
    assert.equal(await site.startedAt("bad"), bad);
    assert.deepEqual(rowsOf(outputs), ["bad running unhealthy"]);
    assert.ok(kept.some((line) => line.includes("a deployment holds the lock")));
  });

  it("must ask by itself what Docker knows nothing of, and start again what was stopped", async () => {
    const times = { timeoutMs: 2_000, intervalMs: 1_000, retries: 1 };
    const http = JSON.stringify({ test: { kind: "http", port: 3000, path: "/" }, ...times });
    const tcp = JSON.stringify({ test: { kind: "tcp", port: 3000 }, ...times });
    const serve = ["/bin/busybox", "httpd", "-f", "-p", "3000", "-h", "/bin"];
    const serving = async (label: string): Promise<void> => {
      const labels = ["--label", "slipway.service=page", "--label", `slipway.healthcheck=${label}`];
      const args = ["docker", "run", "-d", "--name", "page", "--restart", "always", ...labels];
      await host.must([...args, "probe-me", ...serve]);
    };
    await serving(http);
    await host.must(["docker", "stop", "page"]);
    const quick = inputs({ failOnUnhealthy: false, maxRestarts: 1, services: ["page"] });
    const { outputs } = await healthPolicyHandler.create(quick, context());
    // busybox answers 404 for a folder: an http check without a status takes 200 to 399
    assert.deepEqual(rowsOf(outputs), ["page running unhealthy"]);
    await host.must(["docker", "rm", "-f", "page"]);
    await serving(tcp);
    await host.must(["docker", "stop", "page"]);
    const again = await healthPolicyHandler.create(quick, context());
    assert.deepEqual(rowsOf(again.outputs), ["page running healthy"]);
    assert.equal((again.outputs.restarted as unknown[]).length, 1);
    const read = await healthPolicyHandler.read("health", again.outputs, context());
    assert.deepEqual(read?.outputs, again.outputs);
  });

  it("must see a closed port, with forwarding and without", async () => {
    const label = (port: number): string =>
      `slipway.healthcheck=${JSON.stringify({ test: { kind: "tcp", port }, timeoutMs: 2_000, retries: 1 })}`;
    for (const [service, port] of Object.entries({ open: 3000, closed: 3001 })) {
      const labels = ["--label", `slipway.service=${service}`, "--label", label(port)];
      const serve = ["probe-me", "/bin/busybox", "httpd", "-f", "-p", "3000", "-h", "/bin"];
      await host.must(["docker", "run", "-d", "--name", service, ...labels, ...serve]);
    }
    // past the ten seconds in which a container counts as starting
    const old = 'until [ $(($(date +%s) - $(date -d "$1" +%s))) -gt 11 ]; do sleep 0.2; done';
    await host.must(["timeout", "30", "bash", "-c", old, "until", await site.startedAt("closed")]);
    const quick = inputs({ failOnUnhealthy: false, repair: false });
    const expected = ["closed running unhealthy", "open running healthy"];
    assert.deepEqual(rowsOf((await healthPolicyHandler.create(quick, context())).outputs), expected);
    await host.must(["sh", "-c", "echo AllowTcpForwarding no > /etc/ssh/sshd_config.d/00-forbid.conf"]);
    assert.match(await host.must(["sshd", "-T"]), /^allowtcpforwarding no$/m);
    await host.must(["systemctl", "restart", "ssh"]);
    closeConnections();
    const without = await healthPolicyHandler.create(quick, context());
    await host.must(["rm", "/etc/ssh/sshd_config.d/00-forbid.conf"]);
    assert.deepEqual(rowsOf(without.outputs), expected);
  });

  it("must say in diff that it cannot look at a host that is down, and change nothing", async () => {
    const down = inputs({ hosts: [{ ...host.connection(), port: 1 }] });
    const began = performance.now();
    assert.deepEqual(await healthPolicyHandler.diff("health", {}, down, context()), { changes: false });
    assert.ok(performance.now() - began < 4_000);
    assert.equal(kept.length, 1);
    assert.match(kept[0] ?? "", /^could not look at root@127\.0\.0\.1:1: /);
  });
});
