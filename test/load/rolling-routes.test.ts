import assert from "node:assert/strict";
import type { Properties } from "../../provider/handler";
import { parseRouteFile } from "../../provider/proxy/route-file";
import { loadHaproxy } from "../lab/haproxy";
import type { LabHost } from "../lab/lab-host";
import { askFor } from "../support/edge-route";
import { clearServices, startEdge, stopEdge } from "../support/edge-service";
import { loadHost } from "../support/load-host";
import { RollingService } from "../support/rolling-service";
import { addSlowPage, buildPage } from "../support/web-host";
import { openWebSocket } from "../support/web-socket";

const NAME = "shop.example.com";
const COUNTED = "200 1\n2\n3\n4\n5\n6\n7\n8\n9\n10";

describe("the routes of a RollingContainer", function () {
  this.timeout(300_000);
  const loads = [
    loadHost({ apps: { v1: "serve", v2: "serve" } }),
    loadHost({ suite: "trixie", apps: { v1: "serve", v2: "deaf" } }),
  ] as const;
  let first: LabHost;
  let second: LabHost;
  let edges: readonly Properties[];
  let base: Properties;
  let one: Properties;

  before(async () => {
    [first, second] = [loads[0].host, loads[1].host];
    for (const host of [first, second]) await loadHaproxy(host, "trixie");
    await addSlowPage(first);
    await buildPage(first, "v1");
    const more = { tcpPorts: [8081] };
    edges = [
      await startEdge(first, more),
      await startEdge(second, { ...more, host: second.connection("deploy") }),
    ];
    base = {
      hosts: [first.connection(), second.connection("deploy")],
      route: route(edges, { hosts: [NAME] }),
      healthcheck: { tcp: { port: 3000 } },
      update: { healthyDeadline: "8s", minHealthyTime: "1s", lockWait: "1s" },
    };
    one = { ...base, hosts: [first.connection()], route: route(edges.slice(0, 1), { hosts: [NAME] }) };
  });

  // what a test that failed has left
  beforeEach(async () => {
    for (const host of [first, second]) await clearServices(host);
  });

  const route = (proxies: readonly Properties[], more: Properties): Properties => ({
    proxy: proxies.length === 1 ? proxies[0]?.ref : proxies.map(({ ref }) => ref),
    port: 3000,
    drainTimeout: "15s",
    ...more,
  });
  const page = (host = first, name = NAME): Promise<string> => askFor(host.url(), name);
  const idOf = (host: LabHost): Promise<string> => host.must(["docker", "inspect", "-f", "{{.Id}}", "web"]);
  const routeFile = async (edge = "edge") => {
    const { stdout, code } = await first.exec(["cat", `/var/lib/slipway/proxy/${edge}/conf/50-web.cfg`]);
    return code === 0 ? parseRouteFile(stdout) : undefined;
  };

  /** Asks for the page again and again while something is done; gives the answers, each once. */
  const answersDuring = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
    const over = new AbortController();
    const seen = new Set<string>();
    const asking = (async () => {
      while (!over.signal.aborted) seen.add(await page().catch(String));
    })();
    await work().finally(() => over.abort());
    await asking;
    return [...seen].sort();
  };

  for (const strategy of ["rolling", "atomic"]) {
    it(`must serve on through both proxies when the second host's container fails its gate (${strategy})`, async () => {
      const service = new RollingService({ ...base, update: { ...(base.update as Properties), strategy } });
      const v1 = await service.create("app:v1");
      const before = await Promise.all([idOf(first), idOf(second)]);
      const probes = loads.map((load) =>
        load.probe({ perSecond: 50, timeoutMs: 10_000, headers: { host: NAME } }),
      );
      await assert.rejects(service.update(v1, "app:v2"), (error) => {
        assert.match(
          String(error),
          new RegExp(`on deploy@127\\.0\\.0\\.1:${second.sshPort}.*did not pass its gate`, "s"),
        );
        return true;
      });
      const reports = await Promise.all(probes.map((probe) => probe.stop()));
      assert.deepEqual(
        reports.map(({ failed, firstFailure }) => [failed, firstFailure]),
        [
          [0, undefined],
          [0, undefined],
        ],
      );
      assert.deepEqual(await Promise.all([idOf(first), idOf(second)]), before);
      assert.deepEqual([await page(first), await page(second)], ["200 v1", "200 v1"]);
      assert.deepEqual(
        (await routeFile())?.servers.map(({ container }) => container),
        [before[0].slice(0, 12)],
      );
      await service.delete(v1);
    });
  }

  it("must swap behind a tcp route without losing a connection", async () => {
    const service = new RollingService({
      ...one,
      route: route(edges.slice(0, 1), { protocol: "tcp", listen: 8081 }),
    });
    let now = await service.create("app:v1");
    assert.equal(now.url, "tcp://127.0.0.1:8081");
    const probe = loads[0].probe({ port: 8081, perSecond: 100, timeoutMs: 10_000 });
    now = await service.update(now, "app:v2");
    now = await service.update(now, "app:v1");
    const { failed, requests, firstFailure, versions } = await probe.stop();
    assert.deepEqual([failed, firstFailure], [0, undefined]);
    console.log(`        failed ${failed} of ${requests}, ${JSON.stringify(versions)}`);
    assert.deepEqual(Object.keys(versions).sort(), ["v1", "v2"]);
    const socket = await openWebSocket(first.url(8081), NAME);
    const swapping = service.update(now, "app:v2");
    assert.equal(await socket.echo("hello"), "hello");
    socket.close();
    await service.delete(await swapping);
    assert.equal(await routeFile(), undefined);
  });

  it("must move to another proxy in place, with what the one before has", async () => {
    const service = new RollingService(one);
    let now = await service.create("page:v1");
    const id = await idOf(first);
    const other = await startEdge(first, { name: "edge2", httpPort: 8080 });
    const answer = askFor(`${first.url()}/cgi-bin/slow`, NAME);
    now = await service.update(now, "page:v1", { route: route([other], { hosts: [NAME] }) });
    assert.equal(await askFor(first.url(8080), NAME), "200 v1");
    assert.equal(await page(), "404 no route");
    assert.equal(await answer, COUNTED);
    assert.deepEqual([await idOf(first), await routeFile()], [id, undefined]);
    now = await service.update(now, "page:v1");
    assert.equal(await page(), "200 v1");
    await stopEdge(other);
    await service.delete(now);
  });

  it("must show at a refresh that a route was removed by hand, and put it back at the next up", async () => {
    const service = new RollingService(one);
    let now = await service.create("app:v1");
    const id = await idOf(first);
    now = await service.refresh(now);
    assert.deepEqual([now.drift, await service.sees(now, "app:v1")], [undefined, false]);
    await first.must(["rm", "/var/lib/slipway/proxy/edge/conf/50-web.cfg"]);
    now = await service.refresh(now);
    assert.match(String(now.drift), /the route of "web" on the proxy "edge" on root@.* is gone/);
    assert.equal(await service.sees(now, "app:v1"), true);
    now = await service.update(now, "app:v1");
    assert.equal((await routeFile())?.servers.length, 1);
    assert.deepEqual([await page(), await idOf(first)], ["200 v1", id]);
    now = await service.refresh(now);
    assert.equal(now.drift, undefined);
    await service.delete(now);
  });

  it("must serve by the old one again when a changed route is refused after it was stopped", async () => {
    const plain = { update: { ...(base.update as Properties), switch: "plain" } };
    const service = new RollingService({ ...one, ...plain });
    const now = await service.create("app:v1");
    const other = new RollingService({
      ...one,
      name: "shop",
      route: route(edges.slice(0, 1), { hosts: ["taken.example"] }),
    });
    const shop = await other.create("app:v1");
    const id = await idOf(first);
    const taken = { route: route(edges.slice(0, 1), { hosts: [NAME, "taken.example"] }) };
    await assert.rejects(service.update(now, "app:v2", taken), (error) => {
      assert.match(String(error), /another service has the route taken\.example\/.*v1|taken\.example/s);
      assert.doesNotMatch(String(error), /could not be (taken|put) back/);
      return true;
    });
    assert.deepEqual([await idOf(first), await page()], [id, "200 v1"]);
    await Promise.all([service.delete(now), other.delete(shop)]);
  });

  for (const [what, ports] of [
    ["no host port", undefined],
    ["a host port", [{ container: 3000, host: 8088 }]],
  ] as const) {
    it(`must let a long answer end when the route is taken away, for ${what}, and answer nobody 503`, async () => {
      const service = new RollingService(one);
      let now = await service.create("page:v1");
      const slow = askFor(`${first.url()}/cgi-bin/slow`, NAME);
      const answers = await answersDuring(async () => {
        now = await service.update(now, "page:v1", { route: undefined, ...(ports ? { ports } : {}) });
      });
      assert.equal(await slow, COUNTED);
      assert.deepEqual(answers, ["200 v1", "404 no route"]);
      await service.delete(now);
    });
  }

  it("must let a long answer and a websocket end when the service is destroyed", async () => {
    const service = new RollingService(one);
    const now = await service.create("page:v1");
    const slow = askFor(`${first.url()}/cgi-bin/slow`, NAME);
    const answers = await answersDuring(() => service.delete(now));
    assert.equal(await slow, COUNTED);
    assert.deepEqual(answers, ["200 v1", "404 no route"]);
    const echoing = await service.create("app:v1");
    const socket = await openWebSocket(first.url(), NAME);
    const removing = service.delete(echoing);
    assert.equal(await socket.echo("still there"), "still there");
    socket.close();
    await removing;
  });
});
