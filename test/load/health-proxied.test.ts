import assert from "node:assert/strict";
import type { Properties } from "../../provider/handler";
import { healthPolicyHandler } from "../../provider/health-policy/handler";
import { closeConnections } from "../../provider/host/pool";
import type { HostSession } from "../../provider/host/session";
import { silentLog } from "../../provider/log";
import { setAside } from "../../provider/proxy/aside";
import type { RouteServer } from "../../provider/proxy/observed";
import type { ServerState } from "../../provider/proxy/runtime-api";
import { observeRoute } from "../../provider/proxy/switch-route";
import { loadHaproxy } from "../lab/haproxy";
import type { LabHost } from "../lab/lab-host";
import { until } from "../lab/until";
import { clearServices, startEdge, stopEdge } from "../support/edge-service";
import { handlerContext } from "../support/handler-context";
import { loadHost } from "../support/load-host";
import { RollingService } from "../support/rolling-service";

const SERVICES = ["shop", "blog"] as const;
const SICK = "/tmp/sick";

/** Well until there is a file; it goes with a restart, for its folder is in memory. */
const CHECK = {
  command: ["/node", "-e", `process.exit(require("node:fs").existsSync("${SICK}") ? 1 : 0)`],
  interval: "1s",
  retries: 2,
};

describe("a HealthPolicy behind an EdgeProxy", function () {
  this.timeout(300_000);
  const load = loadHost({ suite: "trixie", apps: { v1: "rude" } });
  const { signal } = new AbortController();
  let host: LabHost;
  let edge: Properties;

  before(async () => {
    host = load.host;
    await loadHaproxy(host, "trixie");
  });

  beforeEach(async () => {
    edge = await startEdge(host);
  });

  afterEach(async () => {
    await clearServices(host);
    await stopEdge(edge);
  });

  const serve = async (name: string): Promise<void> => {
    const service = new RollingService({
      name,
      hosts: [host.connection()],
      replicas: 2,
      tmpfs: ["/tmp"],
      route: { proxy: edge.ref, port: 3000, hosts: [`${name}.example.com`] },
      healthcheck: CHECK,
      update: { minHealthyTime: "1s" },
    });
    await service.create("app:v1");
  };
  const becomes = (name: string, health: string): Promise<string> => {
    const text = `until [ "$(docker inspect -f '{{.State.Health.Status}}' ${name})" = ${health} ]; do sleep 0.2; done`;
    return host.must(["timeout", "60", "sh", "-c", text]);
  };
  const makeSick = async (name: string): Promise<void> => {
    const touch = `require("node:fs").writeFileSync("${SICK}", "")`;
    await host.must(["docker", "exec", name, "/node", "-e", touch]);
  };
  const inputs = (more: Properties = {}): Properties => ({
    name: "health",
    hosts: [host.connection()],
    ...more,
  });
  /** What the proxy has behind the route of a service. */
  const servers = async (service: string): Promise<readonly RouteServer[]> => {
    const look = (session: HostSession) => observeRoute({ session, signal }, { name: "edge" }, service);
    return (await load.onHost(look)).servers.filter(({ container }) => container !== undefined);
  };
  const states = async (service: string): Promise<readonly ServerState[]> =>
    (await servers(service)).map(({ state }) => state);
  const probe = (service: string) => load.probe({ headers: { host: `${service}.example.com` } });

  it("must put two services right at once without a lost request: each keeps one that serves", async () => {
    for (const name of SERVICES) await serve(name);
    const sick = SERVICES.map((name) => `${name}-2`);
    for (const name of sick) {
      await makeSick(name);
      await becomes(name, "unhealthy");
    }
    const probes = SERVICES.map(probe);
    const { outputs } = await healthPolicyHandler.create(inputs(), handlerContext("health"));
    const reports = await Promise.all(probes.map((each) => each.stop()));
    assert.deepEqual(
      outputs.restarted,
      [...sick].sort().map((name) => `root@127.0.0.1:${host.sshPort} ${name}`),
    );
    for (const report of reports) {
      assert.ok(report.requests > 100);
      assert.equal(report.failed, 0, JSON.stringify(report));
    }
    for (const name of SERVICES) assert.deepEqual(await states(name), ["ready", "ready"]);
  });

  it("must lose no request between ups: the agent lets what is open end, and waits until it is well", async () => {
    await serve("shop");
    const { outputs } = await healthPolicyHandler.create(
      inputs({ watch: true, watchInterval: "5s" }),
      handlerContext("health"),
    );
    try {
      const requests = probe("shop");
      await makeSick("shop-2");
      await until("it is aside", async () => (await states("shop")).includes("drain"), 60_000);
      await becomes("shop-2", "healthy");
      await until("it is back", async () => !(await states("shop")).includes("drain"), 60_000);
      const report = await requests.stop();
      assert.equal(report.failed, 0, JSON.stringify(report));
    } finally {
      await healthPolicyHandler.delete("health", outputs, handlerContext("health"));
    }
  });

  it("must be back behind its route when an agent that took it aside is taken away", async () => {
    await serve("shop");
    const policy = inputs({ watch: true, watchInterval: "5s" });
    const { outputs } = await healthPolicyHandler.create(policy, handlerContext("health"));
    await makeSick("shop-2");
    await until("it is aside", async () => (await states("shop")).includes("drain"), 60_000);
    await host.exec(["sh", "-c", "systemctl kill --signal KILL 'slipway-health-*.service'"]);
    await healthPolicyHandler.delete("health", outputs, handlerContext("health"));
    assert.deepEqual(await states("shop"), ["ready", "ready"]);
  });

  it("must be back behind its route when the connection of an up ends in the middle", async () => {
    await serve("shop");
    const id = await host.must(["docker", "inspect", "-f", "{{.Id}}", "shop-2"]);
    await load.onHost((session) =>
      setAside({ session, signal, log: silentLog }, { service: "shop", id, name: "shop-2" }),
    );
    assert.deepEqual([...(await states("shop"))].sort(), ["drain", "ready"]);
    closeConnections();
    await until("it is back", async () => !(await states("shop")).includes("drain"), 30_000);
  });

  it("must go on serving where it is alone", async () => {
    await serve("shop");
    await host.must(["docker", "stop", "shop"]);
    await until("the proxy knows", async () => (await servers("shop")).some(({ up }) => !up), 30_000);
    const id = await host.must(["docker", "inspect", "-f", "{{.Id}}", "shop-2"]);
    await load.onHost((session) =>
      setAside({ session, signal, log: silentLog }, { service: "shop", id, name: "shop-2" }),
    );
    assert.ok(!(await states("shop")).includes("drain"));
  });
});
