import assert from "node:assert/strict";
import { systemClock } from "../../provider/clock";
import { type HandlerContext, PartialFailure, type Properties } from "../../provider/handler";
import { healthPolicyHandler } from "../../provider/health-policy/handler";
import { closeConnections } from "../../provider/host/pool";
import { silentLog } from "../../provider/log";
import { isObject } from "../../provider/values";
import { busyboxPath } from "../lab/busybox";
import { docker } from "../lab/docker";
import { type LabHost, startLabHost } from "../lab/lab-host";

const DOCKERFILE = "FROM scratch\nCOPY busybox /bin/busybox\nSTOPSIGNAL SIGKILL\n";
const QUICK = ["--health-interval", "1s", "--health-retries", "2", "--health-timeout", "5s"];
const SLEEP = ["probe-me", "/bin/busybox", "sleep", "100000"];

describe("HealthPolicy on a lab host", function () {
  this.timeout(240_000);
  let host: LabHost;
  const kept: string[] = [];

  before(async () => {
    host = await startLabHost({ suite: "bookworm" });
    await host.must(["apt-get", "update", "-qq"]);
    const install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "docker.io"];
    await host.must(["env", "DEBIAN_FRONTEND=noninteractive", ...install]);
    await host.must(["mkdir", "-p", "/root/image"]);
    await docker(["cp", await busyboxPath(), `${host.name}:/root/image/busybox`]);
    await host.must(["sh", "-c", "cat > /root/image/Dockerfile"], { input: DOCKERFILE });
    await host.must(["docker", "build", "-q", "-t", "probe-me", "/root/image"]);
  });

  after(async () => {
    closeConnections();
    await host.remove();
  });

  beforeEach(() => {
    kept.length = 0;
  });

  afterEach(async () => {
    await host.exec(["sh", "-c", "docker rm -f $(docker ps -aq)"]);
  });

  const context = (): HandlerContext => ({
    urn: "",
    name: "health",
    log: { ...silentLog, keep: (text) => void kept.push(text), warn: (text) => void kept.push(text) },
    clock: systemClock,
    random: Math.random,
    signal: new AbortController().signal,
    holder: "test",
    stack: "test/test",
  });

  const inputs = (more: Properties = {}): Properties => ({
    name: "health",
    hosts: [host.connection()],
    backoff: "100ms",
    ...more,
  });

  /** A container of a service; its /run is empty again after a restart. */
  const run = (service: string, check: string, ...options: string[]): Promise<string> =>
    host.must([
      "docker",
      "run",
      "-d",
      "--name",
      service,
      "--label",
      `slipway.service=${service}`,
      "--label",
      "slipway.slot=1",
      "--restart",
      "unless-stopped",
      "--tmpfs",
      "/run",
      ...(check === "" ? [] : ["--health-cmd", check, ...QUICK]),
      ...options,
      ...SLEEP,
    ]);

  const startedAt = (name: string): Promise<string> =>
    host.must(["docker", "inspect", "-f", "{{.State.StartedAt}}", name]);

  const untilDocker = async (name: string, status: string): Promise<void> => {
    const text = `until [ "$(docker inspect -f '{{.State.Health.Status}}' "$1")" = "$2" ]; do sleep 0.2; done`;
    await host.must(["timeout", "60", "sh", "-c", text, "until", name, status]);
  };

  // the image has no shell: Docker's CMD-SHELL is tried with the container's /bin/sh, so one is put there
  const withShell = async (service: string, test: string, ...more: string[]): Promise<void> => {
    await run(service, test, ...more, "-v", "/root/image/busybox:/bin/sh:ro");
  };

  it("must restart a container that was made unhealthy by hand, and see it healthy", async () => {
    await withShell("web", "! /bin/busybox test -e /run/sick");
    await run("db", "");
    await untilDocker("web", "healthy");
    const created = await healthPolicyHandler.create(inputs(), context());
    assert.deepEqual(rows(created.outputs), ["db running unchecked", "web running healthy"]);
    assert.deepEqual(created.outputs.restarted, []);
    assert.deepEqual(await healthPolicyHandler.diff("health", created.outputs, inputs(), context()), {
      changes: false,
    });

    const [web, db] = [await startedAt("web"), await startedAt("db")];
    await host.must(["docker", "exec", "web", "/bin/busybox", "touch", "/run/sick"]);
    await untilDocker("web", "unhealthy");
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
    assert.notEqual(await startedAt("web"), web);
    assert.equal(await startedAt("db"), db);
  });

  it("must give up on one that is always unhealthy, fail, and touch nothing else", async () => {
    await withShell("bad", "echo no good: $TOKEN; exit 3", "-e", "TOKEN=canary-health");
    await withShell("good", "true");
    await untilDocker("bad", "unhealthy");
    await untilDocker("good", "healthy");
    const [bad, good] = [await startedAt("bad"), await startedAt("good")];
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
    assert.deepEqual(rows(failure.outputs), ["bad running unhealthy", "good running healthy"]);
    assert.equal((failure.outputs.gaveUp as unknown[]).length, 1);
    assert.notEqual(await startedAt("bad"), bad);
    assert.equal(await startedAt("good"), good);
  });

  it("must leave a service alone whose lock is held", async () => {
    await withShell("bad", "exit 1");
    await untilDocker("bad", "unhealthy");
    await host.must(["docker", "create", "--name", "slipway.lock.bad", ...SLEEP]);
    const bad = await startedAt("bad");
    const { outputs } = await healthPolicyHandler.create(inputs(), context());
    assert.equal(await startedAt("bad"), bad);
    assert.deepEqual(rows(outputs), ["bad running unhealthy"]);
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
    assert.deepEqual(rows(outputs), ["page running unhealthy"]);
    await host.must(["docker", "rm", "-f", "page"]);
    await serving(tcp);
    await host.must(["docker", "stop", "page"]);
    const again = await healthPolicyHandler.create(quick, context());
    assert.deepEqual(rows(again.outputs), ["page running healthy"]);
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
    await host.must(["timeout", "30", "bash", "-c", old, "until", await startedAt("closed")]);
    const quick = inputs({ failOnUnhealthy: false, repair: false });
    const expected = ["closed running unhealthy", "open running healthy"];
    assert.deepEqual(rows((await healthPolicyHandler.create(quick, context())).outputs), expected);
    await host.must(["sh", "-c", "echo AllowTcpForwarding no > /etc/ssh/sshd_config.d/00-forbid.conf"]);
    assert.match(await host.must(["sshd", "-T"]), /^allowtcpforwarding no$/m);
    await host.must(["systemctl", "restart", "ssh"]);
    closeConnections();
    const without = await healthPolicyHandler.create(quick, context());
    await host.must(["rm", "/etc/ssh/sshd_config.d/00-forbid.conf"]);
    assert.deepEqual(rows(without.outputs), expected);
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

/** `web running healthy` */
function rows(outputs: Properties): readonly string[] {
  const report = outputs.report as readonly unknown[];
  return report.filter(isObject).map(({ name, state, health }) => [name, state, health].join(" "));
}
