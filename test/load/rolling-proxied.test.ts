import assert from "node:assert/strict";
import type { Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { parseRouteFile } from "../../provider/proxy/route-file";
import { isObject } from "../../provider/values";
import { loadHaproxy } from "../lab/haproxy";
import type { LabHost } from "../lab/lab-host";
import { until } from "../lab/until";
import { askFor } from "../support/edge-route";
import { clearServices, startEdge } from "../support/edge-service";
import { killClientAt } from "../support/killed-client";
import { loadHost } from "../support/load-host";
import { RollingService } from "../support/rolling-service";
import { addSlowPage, buildPage } from "../support/web-host";

const NAME = "shop.example.com";

describe("RollingContainer behind an EdgeProxy", function () {
  this.timeout(300_000);
  const load = loadHost({ apps: { v1: "serve", v2: "serve", v3: "deaf" } });
  let host: LabHost;
  let edge: Properties;
  let base: Properties;

  before(async () => {
    host = load.host;
    await addSlowPage(host);
    await buildPage(host, "v1");
    await buildPage(host, "v2");
    await loadHaproxy(host, "trixie");
    edge = await startEdge(host);
    base = {
      hosts: [host.connection()],
      route: { proxy: edge.ref, hosts: [NAME], port: 3000, drainTimeout: "10s" },
      healthcheck: { http: { port: 3000, path: "/" }, timeout: "10s" },
      stopTimeout: "5s",
      update: { healthyDeadline: "15s", minHealthyTime: "1s" },
    };
  });

  // what a test that failed has left
  beforeEach(() => clearServices(host));

  const page = (name = NAME): Promise<string> => askFor(host.url(), name);
  const names = async (): Promise<readonly string[]> => {
    const all = await host.must(["docker", "ps", "-a", "--format", "{{.Names}} {{.State}}"]);
    return all
      .split("\n")
      .filter((line) => line.startsWith("web"))
      .sort();
  };
  const shortIdOf = async (name: string): Promise<string> =>
    (await host.must(["docker", "inspect", "-f", "{{.Id}}", name])).slice(0, 12);
  const routeFile = async (service = "web") => {
    const file = `/var/lib/slipway/proxy/edge/conf/50-${service}.cfg`;
    const { stdout, code } = await host.exec(["cat", file]);
    return code === 0 ? parseRouteFile(stdout) : undefined;
  };
  const listed = async (): Promise<readonly string[]> =>
    ((await routeFile())?.servers ?? []).map(({ container }) => container);
  const wayOf = (outputs: Properties): unknown => isObject(outputs.lastRollout) && outputs.lastRollout.switch;

  /** Clients with connections of their own, and with kept ones, while something is done; gives what failed. */
  const underLoad = async (work: () => Promise<void>): Promise<void> => {
    const headers = { host: NAME };
    const options = { perSecond: 60, timeoutMs: 10_000, headers };
    const probes = [false, true].map((keepAlive) => load.probe({ ...options, keepAlive }));
    try {
      await work();
    } finally {
      const reports = await Promise.all(probes.map((probe) => probe.stop()));
      for (const { failed, requests, slowestMs, versions, firstFailure, lastFailure } of reports)
        console.log(
          `        failed ${failed} of ${requests}, slowest ${Math.round(slowestMs)} ms, ${JSON.stringify(versions)} ${JSON.stringify(firstFailure ?? {})} last ${JSON.stringify(lastFailure ?? {})}`,
        );
      assert.deepEqual(
        reports.map(({ failed }) => failed),
        [0, 0],
      );
    }
  };

  it("must swap three versions and go back without losing a request, and leave no route when it goes", async () => {
    const service = new RollingService(base);
    let now = await service.create("app:v1");
    assert.equal(now.url, `http://${NAME}`);
    assert.equal(await page(), "200 v1");
    assert.equal(await page("other.example.com"), "404 no route");
    const first = String(now.revision);
    await underLoad(async () => {
      for (const [image, more] of [
        ["app:v2", {}],
        ["app:v2", { env: { THIRD: "yes" } }],
        ["app:v1", {}],
      ] as const) {
        now = await service.update(now, image, more);
        assert.equal(wayOf(now), "proxied");
      }
    });
    assert.equal(now.revision, first);
    assert.deepEqual(await listed(), [await shortIdOf("web")]);
    assert.equal((await names()).filter((line) => line.endsWith("running")).length, 1);
    assert.ok(service.said.some((line) => line.includes("serves by a proxied switch, without a gap")));
    const lines = isObject(now.lastRollout) ? now.lastRollout.operations : [];
    console.log(`        ${String(lines)}`);
    const ids = await host.must(["docker", "ps", "-aq", "--no-trunc"]);
    await service.update(now, "app:v1");
    assert.equal(
      await host.must(["docker", "ps", "-aq", "--no-trunc"]),
      ids,
      "the one after changes nothing",
    );
    await service.delete(now);
    assert.equal(await routeFile(), undefined);
    assert.deepEqual(await names(), []);
    assert.equal(await page(), "404 no route");
  });

  it("must never let a broken version behind the route", async () => {
    const service = new RollingService(base);
    const v1 = await service.create("app:v1");
    const before = await routeFile();
    await underLoad(() =>
      assert.rejects(service.update(v1, "app:v3"), /web\.next did not pass its gate.*was not touched/s),
    );
    assert.deepEqual(await routeFile(), before);
    assert.deepEqual(await names(), ["web running"]);
    await service.delete(v1);
  });

  it("must let a long answer end before the old one is stopped", async () => {
    const service = new RollingService(base);
    const v1 = await service.create("page:v1");
    const answer = askFor(`${host.url()}/cgi-bin/slow`, NAME);
    const v2 = await service.update(v1, "page:v2");
    assert.equal(await answer, "200 1\n2\n3\n4\n5\n6\n7\n8\n9\n10");
    assert.equal(await page(), "200 v2");
    await service.delete(v2);
  });

  it("must swap several replicas one after another, and scale without losing a request", async () => {
    const service = new RollingService({ ...base, replicas: 2 });
    let now = await service.create("app:v1");
    assert.equal((await listed()).length, 2);
    await underLoad(async () => {
      now = await service.update(now, "app:v2");
      assert.equal((await listed()).length, 2);
      now = await service.update(now, "app:v2", { replicas: 3 });
      assert.equal((await listed()).length, 3);
      now = await service.update(now, "app:v2", { replicas: 1 });
    });
    assert.deepEqual(await listed(), [await shortIdOf("web")]);
    assert.equal(await page(), "200 v2");
    await service.delete(now);
  });

  it("must change host name and path in place, and go over to the route and away from it by a swap", async () => {
    const ports = { route: undefined, ports: [{ container: 3000, host: 8088 }] };
    const service = new RollingService(base);
    let now = await service.create("app:v1", ports);
    now = await service.update(now, "app:v1");
    assert.equal(await page(), "200 v1");
    const id = await shortIdOf("web");
    const other = { route: { proxy: edge.ref, hosts: ["other.example.com"], port: 3000, path: "/a" } };
    now = await service.update(now, "app:v1", other);
    assert.equal(await shortIdOf("web"), id);
    assert.equal(await askFor(`${host.url()}/a`, "other.example.com"), "200 v1");
    assert.equal(await page(), "404 no route");
    now = await service.update(now, "app:v1", ports);
    assert.equal(await routeFile(), undefined);
    const ask = "exec 3<>/dev/tcp/127.0.0.1/8088; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; tail -n 1 <&3";
    assert.equal(await host.must(["bash", "-c", ask]), "v1");
    await service.delete(now);
  });

  it("must swap without losing a request where the route's file is gone, and write it anew", async () => {
    const service = new RollingService(base);
    let now = await service.create("app:v1");
    await underLoad(async () => {
      await host.must(["rm", "/var/lib/slipway/proxy/edge/conf/50-web.cfg"]);
      now = await service.update(now, "app:v2");
    });
    assert.ok(service.said.some((line) => line.includes("the route of web without its file")));
    assert.deepEqual(await listed(), [await shortIdOf("web")]);
    assert.equal(await page(), "200 v2");
    await service.delete(now);
  });

  it("must follow a new name of the service without losing a request", async () => {
    const service = new RollingService(base);
    const web = await service.create("app:v1");
    let site: Properties = {};
    await underLoad(async () => {
      site = await service.update(web, "app:v1", { name: "site" });
    });
    assert.equal(await routeFile(), undefined);
    assert.equal((await routeFile("site"))?.servers.length, 1);
    await service.delete(site);
  });

  for (const text of ["route web.next ready", "drain web.", "remove server web.", "rename web.next"]) {
    it(`must converge when the deployer is killed at "${text}"`, async () => {
      const service = new RollingService(base);
      const v1 = await service.create("app:v1");
      let v2: Properties = {};
      await underLoad(async () => {
        await killClientAt(text, { base, olds: v1, image: "app:v2" });
        v2 = await service.update(v1, "app:v2");
      });
      console.log(`        the next run said: ${service.said.join(" | ")}`);
      assert.deepEqual(await listed(), [await shortIdOf("web")]);
      assert.deepEqual(await names(), ["web running", `web.${String(v1.revision)} exited`]);
      assert.equal(await page(), "200 v2");
      await service.delete(v2);
    });
  }

  it("must keep the route over a restart of the host", async () => {
    const service = new RollingService(base);
    const v1 = await service.create("app:v1");
    closeConnections();
    await host.stop();
    await host.start();
    await until(
      "the page to be there again",
      async () => (await page().catch(() => "")) === "200 v1",
      90_000,
    );
    const v2 = await service.update(v1, "app:v2");
    assert.equal(await page(), "200 v2");
    await service.delete(v2);
  });
});
