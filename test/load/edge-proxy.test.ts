import assert from "node:assert/strict";
import { connect } from "node:net";
import { edgeProxyHandler as handler } from "../../provider/edge-proxy/handler";
import { closeConnections } from "../../provider/host/pool";
import { serverName, shortId } from "../../provider/proxy/route-file";
import { removeRoute } from "../../provider/proxy/switch-route";
import { loadHaproxy } from "../lab/haproxy";
import type { LabHost } from "../lab/lab-host";
import { until } from "../lab/until";
import { type Backend, EdgeRoute } from "../support/edge-route";
import { EdgeSite } from "../support/edge-site";
import { setEdgeStage } from "../support/edge-stage";
import { loadHost } from "../support/load-host";
import { namesShown, newCertificate } from "../support/shown-certificate";
import { addSlowPage, buildPage } from "../support/web-host";

describe("EdgeProxy on a lab host", function () {
  this.timeout(300_000);
  const load = loadHost();
  let site: EdgeSite;
  let host: LabHost;

  before(async () => {
    host = load.host;
    site = new EdgeSite(host);
    await loadHaproxy(host, "trixie");
    await addSlowPage(host);
    await buildPage(host, "v1");
    await buildPage(host, "v2");
  });

  const mustBeBare = async (): Promise<void> => {
    assert.equal(await host.must(["docker", "ps", "-aq"]), "");
    assert.equal((await host.exec(["ls", "/var/lib/slipway"])).code, 2);
    assert.doesNotMatch(await host.must(["docker", "network", "ls", "--format", "{{.Name}}"]), /slipway/);
  };

  describe("where there is none", () => {
    beforeEach(() => site.clear());

    it("must refuse a configuration that HAProxy does not accept, and leave nothing", async () => {
      const news = await site.checked(site.inputs({ config: "frontend broken\n    bnid :99\n" }));
      await assert.rejects(handler.create(news, site.context()), /does not accept its configuration[^]*bnid/);
      await mustBeBare();
    });

    it("must leave nothing when it is deleted", async () => {
      const { web } = await setEdgeStage(site, site.inputs(), "page");
      await web.on((access) => removeRoute(access, web.proxy, "web"));
      await host.must(["docker", "rm", "-f", "one", "two"]);
      await handler.delete("edge", site.outputs, site.context());
      await mustBeBare();
      assert.equal(await handler.read("edge", site.outputs, site.context()), undefined);
    });
  });

  describe("with a route", () => {
    let web: EdgeRoute;
    let v1: Backend;
    let v2: Backend;

    beforeEach(async () => {
      ({ web, v1, v2 } = await setEdgeStage(site, site.inputs(), "page"));
    });
    afterEach(async function () {
      // what it has left is not for the next one
      if (this.currentTest?.state === "failed") await site.clear();
    });

    const isBusy = async (): Promise<boolean> =>
      (await web.observe()).servers.some(({ sessions }) => sessions > 0);
    const serves = async (): Promise<boolean> =>
      (await site.body("/", "example.com").catch(() => "")) === "200 v1";

    it("must route by host and path, the longest path and the exact host first", async () => {
      assert.match(String(site.outputs.version), /^3\.0/);
      const api = new EdgeRoute(host, "api");
      await api.write(api.entry(v2, { hosts: ["example.com"], path: "/cgi-bin" }));
      const wild = new EdgeRoute(host, "wild");
      await wild.write(wild.entry(v2, { hosts: ["*.example.com"] }));
      assert.equal(await site.body("/", "example.com"), "200 v1");
      assert.match(await site.body("/cgi-bin/slow", "Example.Com:80"), /^200 1/);
      assert.match(await site.body("/cgi-binx", "example.com"), /^404 /);
      assert.equal(await site.body("/", "a.example.com"), "200 v2");
      assert.equal(await site.body("/", "a.b.example.com"), "404 no route");
      const twice = new EdgeRoute(host, "other");
      await assert.rejects(twice.write(twice.entry(v2, { hosts: ["example.com"] })), { code: "route-taken" });
      await api.on((access) => removeRoute(access, api.proxy, "api"));
      await wild.on((access) => removeRoute(access, wild.proxy, "wild"));
      assert.equal(await site.body("/", "a.example.com"), "404 no route");
    });

    it("must carry a tcp route on its own port", async () => {
      const tcp = new EdgeRoute(host, "raw");
      await tcp.write(tcp.entry(v2, { protocol: "tcp", listen: 8081 }));
      const socket = connect(host.webPorts[8081], "127.0.0.1");
      socket.write("GET / HTTP/1.0\r\n\r\n");
      let text = "";
      for await (const chunk of socket) text += String(chunk);
      assert.match(text, /v2/);
      await tcp.on((access) => removeRoute(access, tcp.proxy, "raw"));
    });

    // the page's httpd has a queue of nine: on a busy machine a connection waits a second or two for its place, which is no loss
    for (const keepAlive of [false, true]) {
      it(`must lose no request in 20 switches, ${keepAlive ? "over kept connections" : "each over its own"}`, async () => {
        const probe = load.probe({
          perSecond: 200,
          timeoutMs: 10_000,
          keepAlive,
          headers: { host: "example.com" },
        });
        for (let turn = 0; turn < 10; turn++) {
          assert.equal(await web.swap(v1, v2, 5_000), 0);
          assert.equal(await web.swap(v2, v1, 5_000), 0);
        }
        const { requests, failed, versions, firstFailure, slowestMs } = await probe.stop();
        console.log(
          `      ${requests} requests, ${failed} failed, slowest ${Math.round(slowestMs)} ms, ${JSON.stringify(versions)}`,
        );
        assert.deepEqual([failed, firstFailure], [0, undefined]);
        assert.ok(Object.keys(versions).length === 2);
      });
    }

    it("must lose no request when another service's route comes and goes", async () => {
      const probe = load.probe({
        perSecond: 200,
        keepAlive: true,
        headers: { host: "example.com" },
      });
      const other = new EdgeRoute(host, "other");
      for (let turn = 0; turn < 3; turn++) {
        await other.write(other.entry(v2, { hosts: ["other.example"] }));
        assert.equal(await site.body("/", "other.example"), "200 v2");
        await other.on((access) => removeRoute(access, other.proxy, "other"));
      }
      const { requests, failed, firstFailure } = await probe.stop();
      console.log(`      ${requests} requests, ${failed} failed, 6 reloads`);
      assert.deepEqual([failed, firstFailure], [0, undefined]);
    });

    it("must let a long answer end within the drain timeout, also one of a process before a reload", async () => {
      const slow = site.body("/cgi-bin/slow?1.5", "example.com");
      await until("an open request", isBusy);
      const other = new EdgeRoute(host, "other");
      await other.write(other.entry(v2, { hosts: ["other.example"] }));
      await other.on((access) => removeRoute(access, other.proxy, "other"));
      assert.equal(
        (await web.observe()).former.reduce((sum, { sessions }) => sum + sessions, 0),
        1,
      );
      assert.equal(await web.swap(v1, v2, 60_000), 0);
      assert.match(await slow, /^200 1\n[^]*\n10$/);
    });

    it("must cut what is still open at the drain timeout", async () => {
      const slow = site.body("/cgi-bin/slow?60", "example.com").catch((error: unknown) => String(error));
      await until("an open request", isBusy);
      assert.equal(await web.swap(v1, v2, 500), 1);
      assert.doesNotMatch(await slow, /\n10$/);
    });

    it("must be the same after a restart of the proxy and of the host, whatever address containers get", async () => {
      await host.must(["docker", "restart", "edge"]);
      await until("the page", serves);
      await host.must(["docker", "stop", "one", "two", "edge"]);
      // another one takes the address, as containers do that start in another order
      await host.must(["docker", "start", "two", "one", "edge"]);
      await until("the page", serves);
      closeConnections();
      await host.stop();
      await host.start();
      await until("the page", serves, 60_000);
      const { entry, servers } = await web.observe();
      const place = entry?.servers[0]?.place ?? 0;
      assert.deepEqual(entry?.servers, [{ place, container: shortId(v1.container) }]);
      const ready = servers.filter(({ state }) => state === "ready");
      assert.deepEqual(
        ready.map(({ name, container }) => [name, container]),
        [[serverName(place), shortId(v1.container)]],
      );
    });

    it("must change nothing in a second up", async () => {
      await site.refresh();
      const before = await site.containerId();
      const started = await host.must(["docker", "inspect", "-f", "{{.State.StartedAt}}", "edge"]);
      assert.deepEqual(site.outputs.drift, []);
      await site.update(site.inputs());
      assert.equal(await site.containerId(), before);
      assert.equal(await host.must(["docker", "inspect", "-f", "{{.State.StartedAt}}", "edge"]), started);
      assert.deepEqual(site.outputs.routes, [
        { service: "web", protocol: "http", hosts: ["example.com"], path: "/", port: 3000 },
      ]);
    });

    it("must put right what was edited by hand, and refuse bad lines with all as it was", async () => {
      const folder = "/var/lib/slipway/proxy/edge";
      await host.must([
        "sh",
        "-c",
        `sed -i s/roundrobin/first/ ${folder}/conf/50-web.cfg; echo junk >>${folder}/conf/00-proxy.cfg; echo x >${folder}/conf/99.cfg`,
      ]);
      await site.refresh();
      assert.match(String(site.outputs.drift), /00-proxy\.cfg, conf\/50-web\.cfg, conf\/99\.cfg changed/);
      await site.update(site.inputs());
      assert.deepEqual(site.outputs.drift, []);
      assert.equal(await site.body("/", "example.com"), "200 v1");
      await assert.rejects(site.update(site.inputs({ config: "backend b\n    blance\n" })), {
        code: "proxy-config-invalid",
      });
      await site.refresh();
      assert.deepEqual(site.outputs.drift, []);
    });

    it("must show self-signed certificates, and then given ones, by the name asked for", async () => {
      await site.update(site.inputs({ tls: "internal", httpsPort: 8080 }));
      assert.equal(await namesShown(host.webPorts[8080], "example.com"), "DNS:example.com");
      assert.match(await site.body("/x", "example.com"), /^308/);
      const shop = newCertificate("shop.example");
      const rest = newCertificate("rest.example");
      await site.update(
        site.inputs({ tls: { certificates: [rest, shop] }, httpsPort: 8080, redirectToHttps: false }),
      );
      assert.equal(await namesShown(host.webPorts[8080], "shop.example"), "DNS:shop.example");
      assert.equal(await namesShown(host.webPorts[8080], "who.example"), "DNS:rest.example");
      assert.equal(await site.body("/", "example.com"), "200 v1");
      const seen = await host.must([
        "sh",
        "-c",
        "docker inspect edge; docker logs edge 2>&1; cat /proc/[0-9]*/cmdline | tr '\\0' ' '",
      ]);
      assert.doesNotMatch(seen, /PRIVATE KEY/);
      assert.equal(
        await host.must(["stat", "-c", "%a %U", "/var/lib/slipway/proxy/edge", "/var/lib/slipway"]),
        "700 root\n700 root",
      );
    });

    it("must refuse a port that is held, with what serves as it was", async () => {
      await host.must(["docker", "run", "-d", "--name", "taker", "-p", "8080:3000", "page:v1"]);
      await assert.rejects(
        site.update(site.inputs({ httpPort: 8080 })),
        /port 8080 is held by the container "taker"/,
      );
      assert.equal(await site.body("/", "example.com"), "200 v1");
      await host.must(["docker", "rm", "-f", "taker"]);
    });
  });
});
