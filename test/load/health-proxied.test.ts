import assert from "node:assert/strict";
import type { Properties } from "../../provider/handler";
import { healthPolicyHandler } from "../../provider/health-policy/handler";
import { loadHaproxy } from "../lab/haproxy";
import type { LabHost } from "../lab/lab-host";
import { clearServices, startEdge } from "../support/edge-service";
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
  const load = loadHost({ suite: "trixie", apps: { v1: "serve" } });
  let host: LabHost;

  before(async () => {
    host = load.host;
    await loadHaproxy(host, "trixie");
  });

  it("must put two services right at once without a lost request: each keeps one that serves", async () => {
    const edge = await startEdge(host);
    for (const name of SERVICES) {
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
    }
    const sick = SERVICES.map((name) => `${name}-2`);
    for (const name of sick) {
      const touch = `require("node:fs").writeFileSync("${SICK}", "")`;
      await host.must(["docker", "exec", name, "/node", "-e", touch]);
      const ill = `until [ "$(docker inspect -f '{{.State.Health.Status}}' ${name})" = unhealthy ]; do sleep 0.2; done`;
      await host.must(["timeout", "60", "sh", "-c", ill]);
    }
    const probes = SERVICES.map((name) => load.probe({ headers: { host: `${name}.example.com` } }));
    const inputs: Properties = { name: "health", hosts: [host.connection()] };
    const { outputs } = await healthPolicyHandler.create(inputs, handlerContext("health"));
    const reports = await Promise.all(probes.map((probe) => probe.stop()));
    assert.deepEqual(
      outputs.restarted,
      [...sick].sort().map((name) => `root@127.0.0.1:${host.sshPort} ${name}`),
    );
    for (const report of reports) {
      assert.ok(report.requests > 100);
      assert.equal(report.failed, 0, JSON.stringify(report));
    }
    await clearServices(host);
  });
});
