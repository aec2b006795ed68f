import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../provider/clock";
import { dockerHostHandler } from "../../provider/docker-host/handler";
import type { Handler, HandlerContext, Properties } from "../../provider/handler";
import { healthPolicyHandler } from "../../provider/health-policy/handler";
import { closeConnections } from "../../provider/host/pool";
import { silentLog } from "../../provider/log";
import { remoteImageHandler } from "../../provider/remote-image/handler";
import { rollingContainerHandler } from "../../provider/rolling-container/handler";
import type { LabConnection, LabHost } from "../lab/lab-host";
import { containersOn } from "../support/containers-on";
import { buildPage, startDockerHost } from "../support/web-host";

/** Outputs as they were before machine-ids were recorded. */
function ofEarlierRelease(outputs: Properties): Properties {
  return Object.fromEntries(Object.entries(outputs).filter(([key]) => key !== "machineIds"));
}

/** One machine by three addresses, and a second machine. */
describe("hosts that moved or died", function () {
  this.timeout(300_000);
  let first: LabHost;
  let second: LabHost;
  let folder: string;
  let said: string[];

  before(async () => {
    [first, second] = await Promise.all([startDockerHost("bookworm"), startDockerHost("trixie")]);
    for (const host of [first, second]) for (const version of ["v1", "v2"]) await buildPage(host, version);
    folder = mkdtempSync(join(tmpdir(), "slipway-moved-"));
    writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
  });

  after(async () => {
    closeConnections();
    rmSync(folder, { recursive: true, force: true });
    await Promise.all([first.remove(), second.remove()]);
  });

  beforeEach(() => {
    said = [];
  });

  const context = (urn = ""): HandlerContext => {
    const keep = (text: string): void => void said.push(text);
    return {
      urn,
      name: "web",
      log: { ...silentLog, keep, warn: keep },
      clock: systemClock,
      random: Math.random,
      signal: new AbortController().signal,
      holder: "test, somebody@here",
      stack: "test/test",
    };
  };
  const published = (): LabConnection => first.connection();
  const internal = (): LabConnection => ({ ...first.connection(), host: first.internalAddress, port: 22 });
  const local = (): LabConnection => ({ ...first.connection(), host: "localhost" });
  const dead = (): LabConnection => ({ ...second.connection(), port: 1, ...{ dialErrorLimit: 1 } });

  const checked = async (handler: Handler, inputs: Properties): Promise<Properties> => {
    const { inputs: found, failures } = await handler.check({}, inputs, context());
    assert.deepEqual(failures, []);
    return found;
  };
  const create = async (handler: Handler, inputs: Properties): Promise<Properties> =>
    (await handler.create(await checked(handler, inputs), context())).outputs;
  const update = async (handler: Handler, olds: Properties, inputs: Properties): Promise<Properties> =>
    handler.update("id", olds, await checked(handler, inputs), context());
  const containers = (host: LabHost): Promise<string> =>
    host.must([
      "sh",
      "-c",
      "docker inspect -f '{{.Id}} {{.Name}} {{.State.StartedAt}}' $(docker ps -aq) | sort",
    ]);
  const names = async (host: LabHost): Promise<string> =>
    (await containersOn(host)).map((line) => line.replace(/ .*/, "")).join("\n");
  const moved = (from: LabConnection, to: LabConnection, more = ", nothing touched"): string =>
    `host moved from root@${from.host}:${from.port} to root@${to.host}:${to.port}${more}`;

  describe("RollingContainer", () => {
    const handler = rollingContainerHandler;
    const web = (hosts: readonly LabConnection[], more: Properties = {}): Properties => ({
      name: "web",
      hosts,
      image: "page:v1",
      ports: [{ container: 3000, host: 80 }],
      healthcheck: { tcp: { port: 3000 } },
      update: { healthyDeadline: "8s", minHealthyTime: "1s", lockWait: "1s" },
      __salt: "00",
      ...more,
    });
    let outputs: Properties;

    it("must touch nothing on a machine that has another address", async () => {
      outputs = await create(handler, web([published()]));
      const before = await containers(first);
      said = [];
      outputs = await update(handler, outputs, web([internal()]));
      assert.deepEqual(said, [moved(published(), internal())]);
      assert.equal(await containers(first), before);
      assert.match(
        JSON.stringify(outputs.containers),
        new RegExp(`"host":"root@${first.internalAddress}:22"`),
      );
      assert.equal(outputs.url, `http://${first.internalAddress}`);
      const seen = await handler.read("web", outputs, context());
      assert.deepEqual(seen?.outputs, outputs);
    });

    it("must refuse one machine by two addresses before it touches anything, naming both", async () => {
      const before = await containers(first);
      const twice = web([internal(), local()], { image: "page:v2" });
      await assert.rejects(update(handler, outputs, twice), (error: Error) => {
        assert.match(error.message, new RegExp(`${first.internalAddress}:22 and root@localhost`));
        return (error as Error & { code: string }).code === "machine-twice";
      });
      assert.equal(await containers(first), before);
    });

    it("must swap where it is when another address comes with another version", async () => {
      outputs = await update(handler, outputs, web([local()], { image: "page:v2" }));
      assert.ok(said.includes(moved(internal(), local(), "")), said.join("\n"));
      assert.equal(await (await fetch(first.url())).text(), "v2");
      assert.match(await names(first), /^web\nweb\.[0-9a-f]{8}$/);
    });

    it("must remove nothing at an old address of the machine when no machine-id was recorded", async () => {
      const before = await containers(first);
      const older = ofEarlierRelease(outputs);
      outputs = await update(handler, older, web([published()], { image: "page:v2" }));
      assert.equal(await containers(first), before);
    });

    it("must deploy to a real other machine, and remove on the first", async () => {
      outputs = await update(handler, outputs, web([second.connection()], { image: "page:v2" }));
      assert.deepEqual([await names(first), await names(second)], ["", "web"]);
    });

    it("must deploy anew where the machine at its address was installed anew", async () => {
      await second.must(["docker", "rm", "-f", "web"]);
      const other = { ...outputs, machineIds: { [`root@127.0.0.1:${second.sshPort}`]: "0a".repeat(16) } };
      const rotated = { ...second.connection(), hostKey: second.hostKeyLine };
      outputs = await update(handler, other, web([rotated], { image: "page:v2" }));
      assert.equal(await names(second), "web");
    });

    it("must name a dead host that was taken out, and leave it only where the program says so", async () => {
      const gone = { ...outputs, hosts: [dead()], machineIds: {} };
      const before = await containers(second);
      const inputs = web([second.connection()], { image: "page:v2" });
      await assert.rejects(update(handler, gone, inputs), /root@127\.0\.0\.1:1: .*abandonUnreachable: true/);
      outputs = await update(handler, gone, { ...inputs, abandonUnreachable: true });
      assert.equal(await containers(second), before);
      await handler.delete("web", { ...outputs, hosts: [second.connection(), dead()] }, context());
      assert.equal(await names(second), "");
    });
  });

  describe("RemoteImage", () => {
    const handler = remoteImageHandler;
    const image = (hosts: readonly LabConnection[], more: Properties = {}): Properties => ({
      name: "moved",
      hosts,
      context: folder,
      ...more,
    });
    const images = (host: LabHost): Promise<string> =>
      host.must([
        "docker",
        "images",
        "--no-trunc",
        "--filter=reference=moved",
        "--format={{.Repository}}:{{.Tag}} {{.ID}} {{.CreatedAt}}",
      ]);
    let outputs: Properties;

    it("must build and remove nothing on a machine that has another address", async () => {
      outputs = await create(handler, image([published()]));
      const before = await images(first);
      said = [];
      outputs = await update(handler, outputs, image([internal()]));
      assert.deepEqual(said, [moved(published(), internal())]);
      const older = ofEarlierRelease(outputs);
      outputs = await update(handler, older, image([local()]));
      assert.equal(await images(first), before);
      await assert.rejects(create(handler, image([published(), internal()])), { code: "machine-twice" });
    });

    it("must build on another machine, and leave a dead one only where the program says so", async () => {
      const gone = { ...outputs, hosts: [...(outputs.hosts as unknown[]), dead()] };
      const inputs = image([second.connection()]);
      await assert.rejects(update(handler, gone, inputs), /root@127\.0\.0\.1:1: .*abandonUnreachable: true/);
      outputs = await update(handler, gone, { ...inputs, abandonUnreachable: true });
      assert.match(await images(second), /^moved/);
      assert.equal(await images(first), "");
      await handler.delete("moved", outputs, context());
      assert.equal(await images(second), "");
    });
  });

  describe("HealthPolicy", () => {
    const handler = healthPolicyHandler;

    it("must say that a machine has another address, and pass over a dead one only when told", async () => {
      const outputs = await create(handler, { name: "health", hosts: [published()] });
      said = [];
      const again = await update(handler, outputs, { name: "health", hosts: [internal()] });
      assert.deepEqual(said, [moved(published(), internal(), "")]);
      const both = { name: "health", hosts: [internal(), dead()] };
      await assert.rejects(update(handler, again, both), { code: "dial-failed" });
      await update(handler, again, { ...both, abandonUnreachable: true });
      assert.match(said.join("\n"), /left out root@127\.0\.0\.1:1/);
      const twice = { name: "health", hosts: [internal(), local()] };
      await assert.rejects(update(handler, again, twice), { code: "machine-twice" });
    });
  });

  describe("DockerHost", () => {
    const handler = dockerHostHandler;
    const host = (connection: LabConnection, more: Properties = {}): Properties => ({
      connection,
      dockerVersion: ">=20",
      source: "distro",
      ...more,
    });
    const daemon = (of: LabHost): Promise<string> =>
      of.must(["systemctl", "show", "--property=MainPID,ActiveEnterTimestampMonotonic", "docker"]);
    let outputs: Properties;

    it("must touch nothing on a machine that has another address", async () => {
      outputs = await create(handler, host(published()));
      const before = await daemon(first);
      said = [];
      const now = await update(handler, outputs, host(internal()));
      assert.deepEqual(said, [moved(published(), internal())]);
      assert.equal(await daemon(first), before);
      assert.equal(now.machineId, outputs.machineId);
      assert.deepEqual(now.targets, [`root@${first.internalAddress}:22`]);
    });

    it("must set up another machine as a new one, and leave Docker on the first", async () => {
      const now = await update(
        handler,
        outputs,
        host(second.connection(), { daemonConfig: { debug: true } }),
      );
      assert.match(said.join("\n"), /is another machine than the one before/);
      assert.match(String(now.version), /^26\./);
      assert.match(await second.must(["cat", "/etc/docker/daemon.json"]), /debug/);
      assert.match(await daemon(first), /MainPID=[1-9]/);
    });

    it("must not uninstall Docker from the machine that its replacement has", async () => {
      const removing = { uninstallOnDelete: true };
      const news = await checked(handler, host(internal(), removing));
      const olds = { ...outputs, ...removing };
      assert.deepEqual((await handler.diff("id", olds, news, context("urn"))).replaces, ["connection"]);
      await handler.create(news, context("urn"));
      await handler.delete("id", olds, context("urn"));
      assert.match(said.join("\n"), /Docker stays on root@127\.0\.0\.1:\d+: .*:22 is the same machine/);
      assert.match(await daemon(first), /MainPID=[1-9]/);
    });

    it("must let delete finish for a dead machine only where the program says so", async () => {
      const gone = { ...outputs, connection: dead(), targets: ["root@127.0.0.1:1"], uninstallOnDelete: true };
      const others = { ...gone, machineIds: {}, machineId: "" };
      await assert.rejects(handler.delete("id", others, context("other")), { code: "dial-failed" });
      await handler.delete("id", { ...others, abandonUnreachable: true }, context("other"));
      assert.match(said.join("\n"), /does not answer .* Docker was left there/);
    });
  });
});
