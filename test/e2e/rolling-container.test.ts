import assert from "node:assert/strict";
import { systemClock } from "../../provider/clock";
import type { HandlerContext, Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { rollingContainerHandler as handler } from "../../provider/rolling-container/handler";
import { silentLog } from "../../provider/log";
import { isObject } from "../../provider/values";
import type { LabHost } from "../lab/lab-host";
import { startProbe } from "../lab/probe";
import { containersOn } from "../support/containers-on";
import { buildPage, startDockerHost } from "../support/web-host";

const SALT = "00112233445566778899aabbccddeeff";

describe("RollingContainer on a lab host", function () {
  this.timeout(240_000);
  let host: LabHost;
  const said: string[] = [];

  before(async () => {
    host = await startDockerHost("bookworm");
    await buildPage(host, "v1");
    await buildPage(host, "v2");
    await buildPage(host, "v3", "deaf");
    await buildPage(host, "v4", "exit");
    await buildPage(host, "v5", "crash");
  });

  after(async () => {
    closeConnections();
    await host.remove();
  });

  beforeEach(() => {
    said.length = 0;
  });

  afterEach(async () => {
    await host.exec(["sh", "-c", "docker rm -f $(docker ps -aq)"]);
    await host.exec(["sh", "-c", "docker rmi $(docker images -q --filter reference='slipway/*')"]);
  });

  const context = (): HandlerContext => ({
    urn: "",
    name: "web",
    log: { ...silentLog, keep: (text) => void said.push(text), warn: (text) => void said.push(text) },
    clock: systemClock,
    random: Math.random,
    signal: new AbortController().signal,
    holder: "test, somebody@here",
    stack: "test/test",
  });

  const inputs = (image: string, more: Properties = {}): Properties => ({
    name: "web",
    hosts: [host.connection()],
    image,
    ports: [{ container: 3000, host: 80 }],
    healthcheck: { http: { port: 3000, path: "/" } },
    env: { TOKEN: "canary-4711" },
    update: { healthyDeadline: "8s", minHealthyTime: "2s", lockWait: "1s" },
    __salt: SALT,
    ...more,
  });

  const create = async (given: Properties): Promise<Properties> => {
    const checked = await handler.check({}, given, context());
    assert.deepEqual(checked.failures, []);
    return (await handler.create(checked.inputs, context())).outputs;
  };

  const update = async (olds: Properties, given: Properties): Promise<Properties> => {
    const checked = await handler.check({}, given, context());
    assert.deepEqual(checked.failures, []);
    return handler.update("web", olds, checked.inputs, context());
  };

  const page = async (): Promise<string> => (await fetch(host.url())).text();

  const containers = (): Promise<readonly string[]> => containersOn(host);

  const liveId = (outputs: Properties): string => {
    const first: unknown = Array.isArray(outputs.containers) ? outputs.containers[0] : undefined;
    return isObject(first) && typeof first.id === "string" ? first.id : "";
  };

  it("must bring a service up, leave it alone, swap it, and remove it", async () => {
    const v1 = await create(inputs("page:v1"));
    assert.equal(await page(), "v1");
    assert.equal(v1.url, "http://127.0.0.1");
    assert.deepEqual(await containers(), ["web running"]);

    const again = await update(v1, inputs("page:v1"));
    assert.deepEqual(again, v1, "no change, no touch");

    const probe = startProbe(host.url());
    const v2 = await update(v1, inputs("page:v2"));
    const report = await probe.stop();
    console.log(`        swap: ${report.failed} of ${report.requests} failed, gap ${report.longestGapMs} ms`);
    assert.equal(await page(), "v2");
    assert.deepEqual(await containers(), [`web running`, `web.${String(v1.revision)} exited`]);
    assert.deepEqual(v2.previous, [v1.revision]);
    assert.ok(isObject(v2.lastRollout));
    assert.equal(v2.lastRollout.switch, "bridged");
    // that no request is lost is load/rolling-bridged's to see, with a server whose queue is as long as a real one's
    assert.equal(v2.lastRollout.gapMs, 0);
    assert.equal(v2.lastRollout.from, v1.revision);

    const back = await update(v2, inputs("page:v1"));
    assert.equal(await page(), "v1");
    assert.equal(liveId(back), liveId(v1), "going back starts the kept container itself");

    await handler.delete("web", back, context());
    assert.deepEqual(await containers(), [""]);
    assert.equal(await host.must(["docker", "images", "-q", "--filter", "reference=slipway/*"]), "");
  });

  it("must keep the old version serving, without one failed request, when the new one is broken", async () => {
    const v1 = await create(inputs("page:v1"));
    for (const [image, why] of [
      ["page:v3", /was not healthy within 8s/],
      ["page:v4", /exited with code 7[\s\S]*no database, token is \[secret\]/],
    ] as const) {
      const probe = startProbe(host.url());
      const error = await update(v1, inputs(image)).then(
        () => assert.fail("a broken version passed"),
        (thrown: unknown) => thrown,
      );
      const report = await probe.stop();
      assert.ok(error instanceof Error);
      assert.match(error.message, why);
      assert.match(
        error.message,
        new RegExp(`Revision ${String(v1.revision)} was not touched and serves on`),
      );
      assert.doesNotMatch(error.message, /canary-4711/);
      assert.equal(report.failed, 0);
      assert.equal(await page(), "v1");
      assert.deepEqual(await containers(), ["web running"]);
      assert.equal(await host.must(["docker", "inspect", "-f", "{{.Id}}", "web"]), liveId(v1));
    }
  });

  it("must start the old version again when the new one fails in its place", async () => {
    const plain = { update: { switch: "plain", healthyDeadline: "4s", minHealthyTime: "1s" } };
    const v1 = await create(inputs("page:v1", plain));
    await assert.rejects(update(v1, inputs("page:v3", plain)), /was started again and serves/);
    assert.equal(await page(), "v1");
    assert.deepEqual(await containers(), ["web running"]);
    const policy = ["docker", "inspect", "-f", "{{.HostConfig.RestartPolicy.Name}} {{.Id}}", "web"];
    assert.equal(await host.must(policy), `unless-stopped ${liveId(v1)}`);
  });

  it("must find out a version that crashes after two seconds without any healthcheck", async () => {
    const bare = { healthcheck: undefined, update: { minHealthyTime: "3s", healthyDeadline: "10s" } };
    const v1 = await create(inputs("page:v1", bare));
    await assert.rejects(update(v1, inputs("page:v5", bare)), /exited with code 3[\s\S]*gave up/);
    assert.equal(await page(), "v1");
    assert.ok(said.some((text) => text.includes("no healthcheck")));
  });

  it("must name who holds the port, and touch nothing", async () => {
    const foreign = ["docker", "run", "-d", "--name", "other", "-p", "80:3000", "page:v1"];
    await host.must(foreign);
    await assert.rejects(create(inputs("page:v2")), /port 80\/tcp is held by the container "other"/);
    assert.deepEqual(await containers(), ["other running"]);
    await host.must(["docker", "rm", "-f", "other"]);

    const listen = "@s = IO::Socket::INET->new(LocalPort => 80, Listen => 1) or die; sleep 1000";
    await host.must(["systemd-run", "--unit", "taker", "perl", "-MIO::Socket::INET", "-e", listen]);
    try {
      await host.must([
        "timeout",
        "10",
        "sh",
        "-c",
        "until grep -q ':0050 .* 0A ' /proc/net/tcp; do sleep 0.1; done",
      ]);
      await assert.rejects(create(inputs("page:v2")), /port 80\/tcp is held by the process perl \(pid \d+\)/);
    } finally {
      await host.exec(["systemctl", "stop", "taker"]);
    }
    assert.deepEqual(await containers(), [""]);
  });

  it("must refuse a name that is somebody else's, and take it over when told to", async () => {
    await host.must(["docker", "run", "-d", "--name", "web", "-p", "80:3000", "page:v1"]);
    await assert.rejects(create(inputs("page:v2")), /"web" belongs to a container that Slipway did not make/);
    const taken = await create(inputs("page:v2", { adopt: true }));
    assert.equal(await page(), "v2");
    await handler.delete("web", taken, context());
    assert.match((await containers()).join(), /^web\.[0-9a-f]{8} exited$/, "what is not ours stays");
  });

  it("must show a container that was removed by hand, and bring it back", async () => {
    const v1 = await create(inputs("page:v1"));
    await host.must(["docker", "rm", "-f", "web"]);
    const read = await handler.read("web", v1, context());
    assert.ok(read !== undefined);
    assert.match(JSON.stringify(read.outputs.containers), /"state":"missing"/);
    assert.deepEqual(await handler.diff("web", read.outputs, inputs("page:v1"), context()), {
      changes: true,
    });
    await update(read.outputs, inputs("page:v1"));
    assert.equal(await page(), "v1");
  });

  it("must wait for another's lock and then name its holder, and take over a dead one's", async () => {
    const v1 = await create(inputs("page:v1"));
    const boot = (await host.must(["cat", "/proc/sys/kernel/random/boot_id"])).trim();
    const lock = (session: string): Promise<string> =>
      host.must([
        ...["docker", "create", "--name", "slipway.lock.web", "--label", "slipway.lock.holder=them@there"],
        ...["--label", "slipway.lock.operation=1", "--label", "slipway.lock.ttl-ms=600000"],
        ...["--label", `slipway.lock.session=${session}`, "slipway/empty:1", "never"],
      ]);
    const fields = (await host.must(["cat", "/proc/1/stat"])).replace(/^.*\) /, "").split(" ");
    await lock(`${boot} 1 ${fields[19] ?? ""}`);
    await assert.rejects(update(v1, inputs("page:v2")), /them@there is changing it/);
    assert.equal(await page(), "v1");

    await host.must(["docker", "rm", "slipway.lock.web"]);
    await lock(`${boot} 999999 1`);
    await update(v1, inputs("page:v2"));
    assert.equal(await page(), "v2");
    assert.ok(said.some((text) => text.includes("its deployer's connection is gone")));
    assert.ok(!(await containers()).join().includes("lock"));
  });

  it("must gate the new one beside the old one when no port is in the way, on further slots too", async () => {
    const inner = { ports: [], replicas: 2, networks: ["inner"] };
    const v1 = await create(inputs("page:v1", inner));
    const v2 = await update(v1, inputs("page:v2", inner));
    assert.ok(isObject(v2.lastRollout));
    assert.equal(v2.lastRollout.switch, "overlap");
    assert.equal(v2.lastRollout.gapMs, 0);
    const kept = String(v1.revision);
    const expected = ["web running", "web-2 running", `web-2.${kept} exited`, `web.${kept} exited`];
    assert.deepEqual(await containers(), expected.sort());
    const one = await update(v2, inputs("page:v2", { ...inner, replicas: 1, memory: "64m" }));
    assert.equal(liveId(one), liveId(v2), "a limit needs no new container");
    assert.deepEqual(await containers(), ["web running", `web.${kept} exited`]);
    await handler.delete("web", one, context());
    assert.ok(!(await host.must(["docker", "network", "ls", "--format", "{{.Name}}"])).includes("inner"));
  });

  it("must go on with a further slot whose run was cut off between two of its networks' names", async () => {
    const inner = { ports: [], replicas: 2, networks: ["inner"] };
    const v1 = await create(inputs("page:v1", inner));
    await host.must(["docker", "rename", "web-2", "web-2.next"]);
    await host.must(["docker", "network", "disconnect", "inner", "web-2.next"]);
    const again = await update(v1, inputs("page:v1", inner));
    assert.deepEqual(await containers(), ["web running", "web-2 running"]);
    const format = '{{json (index .NetworkSettings.Networks "inner").Aliases}}';
    assert.match(await host.must(["docker", "inspect", "-f", format, "web-2"]), /"web"/);
    await handler.delete("web", again, context());
  });

  it("must carry an interrupted switch forward, or bring the old one back, from what stands on the host", async () => {
    const v1 = await create(inputs("page:v1"));
    const v2 = await update(v1, inputs("page:v2"));
    const kept = `web.${String(v1.revision)}`;

    await host.must(["docker", "rename", "web", "web.next"]);
    const forward = await update(v1, inputs("page:v2"));
    assert.ok(said.some((text) => text.includes(`found no live one, web.next (running) and ${kept}`)));
    assert.equal(liveId(forward), liveId(v2), "died between the renames: forward");

    await host.must(["docker", "rename", "web", "web.next"]);
    await host.must(["docker", "rename", kept, "web"]);
    const again = await update(v1, inputs("page:v2"));
    assert.ok(said.some((text) => text.includes("found web stopped, web.next (running)")));
    assert.equal(liveId(again), liveId(v2), "died before the renames, healthy: forward");
    assert.deepEqual(await containers(), ["web running", `${kept} exited`].sort());

    await host.must(["docker", "rename", "web", "web.next"]);
    await host.must(["docker", "stop", "web.next"]);
    await host.must(["docker", "rename", kept, "web"]);
    await assert.rejects(update(v1, inputs("page:v4")), /exited with code 7/);
    assert.equal(await page(), "v1", "died before the candidate served: the live one first");
    assert.deepEqual(await containers(), ["web running"]);
  });
});
