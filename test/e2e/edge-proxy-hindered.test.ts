import assert from "node:assert/strict";
import { edgeProxyHandler as handler } from "../../provider/edge-proxy/handler";
import type { Properties } from "../../provider/handler";
import { silentLog } from "../../provider/log";
import { closeConnections } from "../../provider/host/pool";
import type { LabHost } from "../lab/lab-host";
import { type RestoreSshd, sshdSettings } from "../lab/sshd-settings";
import { until } from "../lab/until";
import { buildApp } from "../support/app-host";
import { type EdgeSite, startEdgeSite } from "../support/edge-site";
import { RollingService } from "../support/rolling-service";
import { openWebSocket } from "../support/web-socket";

const OLD = { image: "haproxy-lab:bookworm", timeouts: { drain: "4s" } };
const NEW = { image: "haproxy-lab:trixie", timeouts: { drain: "4s" } };
const LOCK = "/run/slipway/proxy.edge.lock";

describe("an EdgeProxy that is hindered", function () {
  this.timeout(300_000);
  let site: EdgeSite;
  let host: LabHost;
  let restore: RestoreSshd | undefined;
  let service: RollingService;
  let web: Properties;

  before(async () => {
    site = await startEdgeSite(["bookworm", "trixie"]);
    host = site.host;
    await buildApp(host, "v1");
    await buildApp(host, "v2");
    await sessions(1);
    await site.create(site.inputs(NEW));
    service = new RollingService({
      hosts: [host.connection("deploy")],
      route: { proxy: site.outputs.ref, hosts: ["example.com"], port: 3000 },
      healthcheck: { tcp: { port: 3000 } },
      update: { minHealthyTime: "1s" },
    });
    web = await service.create("app:v1");
    await unhinder();
  });
  afterEach(() => unhinder());
  after(() => site.remove());

  const sessions = async (count: number): Promise<void> => {
    restore = await sshdSettings(host, `MaxSessions ${count}`);
  };
  const unhinder = async (): Promise<void> => {
    closeConnections();
    await restore?.();
    restore = undefined;
  };
  const version = async (): Promise<string> => {
    await site.refresh();
    assert.deepEqual(site.outputs.drift, []);
    return String(site.outputs.version).slice(0, 3);
  };
  /** Somebody else holds the proxy's lock until it is let go. */
  const holdLock = async (): Promise<() => Promise<void>> => {
    await host.must([
      "sh",
      "-c",
      `mkdir -p /run/slipway; echo ann >${LOCK}; setsid flock ${LOCK} sleep 1000 >/dev/null 2>&1 &`,
    ]);
    await until("it to be held", async () => (await host.exec(["flock", "-n", LOCK, "true"])).code !== 0);
    return async () => {
      await host.must(["pkill", "-f", "^sleep 1000"]);
    };
  };

  it("must be exchanged and swapped behind over the only session that sshd gives, which has made it, too", async () => {
    await sessions(1);
    await site.update(site.inputs(OLD));
    assert.deepEqual(site.outputs.lastExchange, { switch: "bridged", gapMs: 0 });
    assert.equal(await version(), "2.6");
    web = await service.update(web, "app:v2");
    assert.equal(await site.body("/", "example.com"), "200 v2");
  });

  it("must hear that it is stopped in its exchange where sshd gives two", async () => {
    await site.update(site.inputs(OLD));
    await sessions(2);
    // it keeps the old one from ending at once
    const socket = await openWebSocket(host.url(), "example.com");
    const stopping = new AbortController();
    const progress = (text: string): void => {
      if (text.startsWith("stopping the old one")) stopping.abort(new Error("interrupted"));
    };
    const context = site.context({ signal: stopping.signal, log: { ...silentLog, progress } });
    await assert.rejects(site.update(site.inputs(NEW), context), /asked to go back/);
    socket.close();
    assert.equal(await version(), "2.6");
    await site.update(site.inputs(NEW));
    assert.equal(await version(), "3.0");
  });

  it("must pull its image before anybody waits for it", async () => {
    const release = await holdLock();
    const nowhere = await site.checked(site.inputs({ image: "127.0.0.1:1/nobody/haproxy:1" }));
    await assert.rejects(handler.update("edge", site.outputs, nowhere, site.context()), {
      code: "image-missing",
    });
    await release();
  });

  it("must wait for whoever changes the proxy before it swaps", async () => {
    web = await service.update(web, "app:v2");
    const release = await holdLock();
    const shown: string[] = [];
    service.onProgress = (text) => shown.push(text);
    const swapping = service.update(web, "app:v1");
    await until("it to wait", async () => {
      const waits = await host.exec(["pgrep", "-f", "^flock -s"]);
      return waits.code === 0 && shown.some((text) => text.startsWith("route web.next ready"));
    });
    assert.equal(await site.body("/", "example.com"), "200 v2");
    await release();
    web = await swapping;
    assert.equal(await site.body("/", "example.com"), "200 v1");
  });

  it("must leave another stack's proxy of its name as it is, and keep its own when its stack is renamed", async () => {
    const before = await site.containerId();
    const theirs = { stack: "test/other" };
    const wish = await site.checked(site.inputs({ ...NEW, timeouts: { client: "7s" } }));
    await assert.rejects(handler.create(wish, site.context(theirs)), {
      code: "name-taken",
      message: /of the stack test\/test /,
    });
    await handler.delete("edge", { ...wish, containerId: "" }, site.context(theirs));
    assert.equal(await handler.read("edge", { ...wish, containerId: "" }, site.context(theirs)), undefined);
    await site.refresh();
    assert.deepEqual([await site.containerId(), site.outputs.drift], [before, []]);
    assert.match(await site.body("/", "example.com"), /^200 v/);

    await site.update(site.inputs({ ...NEW, timeouts: { drain: "4s", client: "7s" } }), site.context(theirs));
    assert.equal(await site.containerId(), before);
    assert.match(await site.body("/", "example.com"), /^200 v/);
  });

  it("must give up an engine that hangs, and go on when it answers again", async () => {
    await host.must(["sh", "-c", "kill -STOP $(pidof dockerd)"]);
    try {
      await assert.rejects(site.update(site.inputs({ ...NEW, httpPort: 8080 })), {
        code: "engine-unreachable",
      });
    } finally {
      await host.must(["sh", "-c", "kill -CONT $(pidof dockerd)"]);
    }
    await site.update(site.inputs({ ...NEW, httpPort: 8080 }));
    assert.equal(await version(), "3.0");
  });
});
