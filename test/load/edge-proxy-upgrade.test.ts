import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { edgeProxyHandler as handler } from "../../provider/edge-proxy/handler";
import { silentLog } from "../../provider/log";
import { parseRouteFile } from "../../provider/proxy/route-file";
import { loadHaproxy } from "../lab/haproxy";
import type { LabHost } from "../lab/lab-host";
import { type Backend, EdgeRoute } from "../support/edge-route";
import { EdgeSite } from "../support/edge-site";
import { setEdgeStage } from "../support/edge-stage";
import { loadHost } from "../support/load-host";
import { openWebSocket } from "../support/web-socket";

const OLD = { image: "haproxy-lab:bookworm", timeouts: { drain: "4s" } };
const NEW = { image: "haproxy-lab:sid", timeouts: { drain: "4s" } };
const FOLDER = "/var/lib/slipway/proxy/edge";

describe("an EdgeProxy that is exchanged", function () {
  this.timeout(300_000);
  const load = loadHost({ apps: { v1: "serve", v2: "serve" } });
  let site: EdgeSite;
  let host: LabHost;
  let web: EdgeRoute;
  let v1: Backend;
  let v2: Backend;

  const mustBeClean = async (): Promise<void> => {
    await site.refresh();
    assert.deepEqual(site.outputs.drift, []);
    const names = ["docker", "ps", "-a", "--filter", "name=edge", "--format", "{{.Names}}"];
    assert.equal(await host.must(names), "edge");
    assert.equal(await host.must(["sh", "-c", "iptables-save -t nat | grep -c slipway: || :"]), "0");
    assert.equal((await host.exec(["ls", "/run/slipway/edge"])).code, 2);
  };

  before(async () => {
    host = load.host;
    site = new EdgeSite(host);
    await loadHaproxy(host, "sid");
    await loadHaproxy(host, "bookworm");
  });
  beforeEach(async () => {
    ({ web, v1, v2 } = await setEdgeStage(site, site.inputs(NEW), "app"));
  });
  afterEach(async function () {
    // what it has left is not for the next one
    if (this.currentTest?.state === "failed") await site.clear();
  });

  for (const keepAlive of [false, true]) {
    it(`must lose no request on the way to another image and back, ${keepAlive ? "over kept connections" : "each over its own"}`, async () => {
      const headers = { host: "example.com" };
      const probe = load.probe({ perSecond: 100, timeoutMs: 10_000, keepAlive, headers });
      site.said.length = 0;
      for (const [wish, version] of [
        [OLD, /^2\.6/],
        [NEW, /^3\.2/],
      ] as const) {
        await site.update(site.inputs(wish));
        assert.match(String(site.outputs.version), version);
        assert.deepEqual(site.outputs.lastExchange, { switch: "bridged", gapMs: 0 });
      }
      const { requests, failed, slowestMs, firstFailure } = await probe.stop();
      const said = site.said.join("; ");
      console.log(
        `      ${requests} requests, ${failed} failed, slowest ${Math.round(slowestMs)} ms; ${said}`,
      );
      assert.deepEqual([failed, firstFailure], [0, undefined]);
      await mustBeClean();
    });
  }

  it("must lose no request when another port is published", async () => {
    const headers = { host: "example.com" };
    const probe = load.probe({ perSecond: 100, timeoutMs: 10_000, headers });
    await site.update(site.inputs({ ...NEW, tcpPorts: [8080, 8081] }));
    await site.update(site.inputs(NEW));
    const { requests, failed, firstFailure } = await probe.stop();
    console.log(`      ${requests} requests, ${failed} failed`);
    assert.deepEqual([failed, firstFailure], [0, undefined]);
    await mustBeClean();
  });

  it("must leave a websocket open while the old one ends, and cut it when the time to drain is over", async () => {
    const socket = await openWebSocket(host.url(), "example.com");
    assert.equal(await socket.echo("before"), "before");
    const update = site.update(site.inputs(OLD));
    let echoes = 0;
    for (let open = true; open; ) {
      open = await socket.echo("hello").then(
        (word) => word === "hello",
        () => false,
      );
      if (open) echoes += 1;
      await Promise.race([socket.closed, new Promise((resolve) => setImmediate(resolve))]);
    }
    await update;
    console.log(`      ${echoes} echoes meanwhile`);
    assert.ok(echoes > 0);
    assert.deepEqual(site.outputs.lastExchange, { switch: "bridged", gapMs: 0 });
    const again = await openWebSocket(host.url(), "example.com");
    assert.equal(await again.echo("after"), "after");
    again.close();
  });

  it("must give a websocket the drain timeout when its service is switched, and cut it then", async () => {
    const socket = await openWebSocket(host.url(), "example.com");
    const began = performance.now();
    const swap = web.swap(v1, v2, 3_000);
    const cutAtMs = socket.closed.then(() => performance.now() - began);
    assert.equal(await socket.echo("hello"), "hello");
    assert.equal(await swap, 1);
    assert.ok((await cutAtMs) >= 3_000, `cut after ${await cutAtMs} ms`);
    assert.equal(await site.body("/", "example.com"), "200 v2");
    const brief = await openWebSocket(host.url(), "example.com");
    const back = web.swap(v2, v1, 60_000);
    assert.equal(await brief.echo("hello"), "hello");
    brief.close();
    assert.equal(await back, 0);
  });

  it("must let two ups and two services change one proxy at once, one after another", async () => {
    const other = new EdgeRoute(host, "other");
    const third = new EdgeRoute(host, "third");
    await Promise.all([
      site.update(site.inputs(NEW)),
      site.update(site.inputs(NEW)),
      other.write(other.entry(v2, { hosts: ["other.example"] })),
      third.write(third.entry(v2, { hosts: ["third.example"] })),
      web.swap(v1, v2, 1_000),
    ]);
    for (const name of ["example.com", "other.example", "third.example"])
      assert.equal(await site.body("/", name), "200 v2");
    const map = await host.must(["cat", `${FOLDER}/routes.map`]);
    assert.deepEqual(map.split("\n"), [
      "example.com/ service.web",
      "other.example/ service.other",
      "third.example/ service.third",
    ]);
    const file = parseRouteFile(await host.must(["cat", `${FOLDER}/conf/50-web.cfg`]));
    assert.deepEqual(
      file?.servers.map(({ container }) => container),
      [v2.container.slice(0, 12)],
    );
    await mustBeClean();
    const before = await site.containerId();
    await site.update(site.inputs(NEW));
    assert.equal(await site.containerId(), before);
  });

  it("must hold back a change of a route while the host exchanges the proxy, and lose none", async () => {
    const socket = await openWebSocket(host.url(), "example.com");
    const said = new EventEmitter();
    const stopping = once(said, "stopping");
    const progress = (text: string): void => {
      if (text.startsWith("stopping the old one")) said.emit("stopping");
    };
    const update = site.update(site.inputs(OLD), site.context({ log: { ...silentLog, progress } }));
    await Promise.race([stopping, update]);
    const order: string[] = [];
    const late = new EdgeRoute(host, "late");
    await Promise.all([
      update.then(() => order.push("proxy")),
      late.write(late.entry(v1, { hosts: ["late.example"] })).then(() => order.push("route")),
    ]);
    assert.deepEqual(order, ["proxy", "route"]);
    assert.equal(await site.body("/", "late.example"), "200 v1");
    socket.close();
    await mustBeClean();
  });

  it("must go back when it is stopped in the exchange, and go on at the next up", async () => {
    await site.update(site.inputs(OLD));
    const probe = load.probe({
      perSecond: 100,
      timeoutMs: 10_000,
      headers: { host: "example.com" },
    });
    const socket = await openWebSocket(host.url(), "example.com");
    const abort = new AbortController();
    const progress = (text: string): void => {
      if (text.startsWith("stopping the old one")) abort.abort();
    };
    const context = site.context({ log: { ...silentLog, progress }, signal: abort.signal });
    await assert.rejects(site.update(site.inputs(NEW), context), /The one before serves/);
    await site.refresh();
    assert.match(String(site.outputs.version), /^2\.6/);
    await site.update(site.inputs(NEW));
    assert.match(String(site.outputs.version), /^3\.2/);
    const { requests, failed, firstFailure } = await probe.stop();
    console.log(`      ${requests} requests, ${failed} failed`);
    assert.deepEqual([failed, firstFailure], [0, undefined]);
    socket.close();
    await mustBeClean();
  });

  it("must measure and say the gap where the host allows no bridge", async () => {
    await host.must(["mv", "/usr/sbin/iptables-save", "/usr/sbin/iptables-save.away"]);
    try {
      site.said.length = 0;
      await site.update(site.inputs(OLD));
      assert.match(site.said.join("; "), /exchanged with a gap of .* \(plain\)/);
      console.log(`      ${site.said.join("; ")}`);
    } finally {
      await host.must(["mv", "/usr/sbin/iptables-save.away", "/usr/sbin/iptables-save"]);
    }
    assert.match(await site.body("/", "example.com"), /^200 v/);
    await mustBeClean();
  });

  it("must leave nothing", async () => {
    await handler.delete("edge", site.outputs, site.context());
    assert.equal(
      await host.must(["docker", "ps", "-a", "--filter", "name=edge", "--format", "{{.Names}}"]),
      "",
    );
    assert.equal((await host.exec(["ls", "/var/lib/slipway"])).code, 2);
  });
});
