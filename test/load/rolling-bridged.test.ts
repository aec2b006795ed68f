import assert from "node:assert/strict";
import type { Properties } from "../../provider/handler";
import { isObject } from "../../provider/values";
import type { LabHost } from "../lab/lab-host";
import { containersOn } from "../support/containers-on";
import { killClientAt } from "../support/killed-client";
import { clearSwitchAfterEach, loadHost } from "../support/load-host";
import { RollingService } from "../support/rolling-service";
import { standing } from "../support/switch-host";
import { SwitchLoad } from "../support/switch-load";

/** As a run shows it. */
const OLD_STOPPED = "starting the new one on its port";

describe("RollingContainer with a bridged switch", function () {
  this.timeout(300_000);
  const load = loadHost({ apps: { v1: "serve", v2: "serve", v3: "deaf" } });
  clearSwitchAfterEach(load);
  let host: LabHost;
  let base: Properties;

  before(() => {
    host = load.host;
    base = {
      hosts: [host.connection()],
      ports: [{ container: 3000, host: 80 }],
      healthcheck: { http: { port: 3000, path: "/" }, timeout: "10s" },
      stopTimeout: "5s",
      update: { healthyDeadline: "15s", minHealthyTime: "1s" },
    };
  });

  afterEach(async () => {
    await host.exec(["rm", "-rf", "/run/slipway/web"]);
    await host.exec(["sh", "-c", "docker rmi $(docker images -q --filter reference='slipway/kept')"]);
  });

  const page = async (): Promise<string> => (await fetch(host.url())).text();

  const lastRollout = (outputs: Properties): Readonly<Record<string, unknown>> => {
    assert.ok(isObject(outputs.lastRollout));
    return outputs.lastRollout;
  };

  /** Runs something while clients outside and on the host ask; gives what each lost. */
  const underLoad = async (work: () => Promise<void>): Promise<Readonly<Record<string, number>>> => {
    const clients = await SwitchLoad.on(host);
    await clients.fromHost("lo", "127.0.0.1");
    const outside = load.probe({ perSecond: 50, timeoutMs: 10_000 });
    await work().finally(() => outside.stop());
    const seen = await outside.stop();
    const [inside] = await clients.stop();
    const told = `outside ${seen.failed}/${seen.requests}, on the host ${inside?.failed ?? -1}/${inside?.requests ?? 0} (slowest ${inside?.slowestMs ?? -1} ms)`;
    console.log(`        failed: ${told}, longest gap ${Math.round(seen.longestGapMs)} ms`);
    return { outside: seen.failed, lo: inside?.failed ?? -1, gapMs: seen.longestGapMs };
  };

  it("must swap three versions and go back without losing a request", async () => {
    const service = new RollingService(base);
    let now = await service.create("app:v1");
    const first = String(now.revision);
    const lost = await underLoad(async () => {
      for (const [image, more] of [
        ["app:v2", {}],
        ["app:v2", { env: { THIRD: "yes" } }],
        ["app:v1", {}],
      ] as const) {
        now = await service.update(now, image, more);
        const { gapMs, durationMs, switch: way } = lastRollout(now);
        console.log(`        ${image}: ${String(way)}, ${String(durationMs)} ms`);
        assert.equal(way, "bridged");
        assert.equal(gapMs, 0);
      }
    });
    assert.deepEqual({ outside: lost.outside, lo: lost.lo }, { outside: 0, lo: 0 });
    assert.equal(now.revision, first);
    assert.equal(await page(), "v1");
    const containers = await containersOn(host);
    assert.equal((await standing(host)).rules, 0);
    assert.equal(containers.filter((line) => !line.startsWith("load-")).length, 2, containers.join());
    assert.ok(service.said.some((line) => line.includes("serves by a bridged switch, without a gap")));
  });

  it("must lose no request to a broken version, and say why it is one", async () => {
    const service = new RollingService(base);
    const v1 = await service.create("app:v1");
    const lost = await underLoad(() =>
      assert.rejects(service.update(v1, "app:v3"), /web\.try did not pass its gate.*was not touched/s),
    );
    assert.deepEqual({ outside: lost.outside, lo: lost.lo }, { outside: 0, lo: 0 });
    assert.deepEqual(await standing(host), { containers: ["web running"], rules: 0 });
    assert.equal(await page(), "v1");
  });

  it("must say the gap that it measured where a plain switch is asked for", async () => {
    const plain = { update: { switch: "plain", healthyDeadline: "10s", minHealthyTime: "1s" } };
    const service = new RollingService({ ...base, ...plain });
    const v1 = await service.create("app:v1");
    let gapMs = 0;
    const lost = await underLoad(async () => {
      const v2 = await service.update(v1, "app:v2");
      assert.equal(lastRollout(v2).switch, "plain");
      gapMs = Number(lastRollout(v2).gapMs);
    });
    console.log(`        plain: gap said ${gapMs} ms`);
    assert.ok(gapMs > 0 && (lost.outside ?? 0) > 0, "there is a gap, and it is said");
    assert.ok(service.said.some((line) => line.includes("by a plain switch, nobody served for")));
    assert.equal(await page(), "v2");
  });

  it("must refuse what says bridged and cannot be, before anything is touched", async () => {
    const service = new RollingService(base);
    const v1 = await service.create("app:v1");
    const bridged = { update: { switch: "bridged", healthyDeadline: "10s", minHealthyTime: "1s" } };
    await host.must([
      "sh",
      "-c",
      "cd $(dirname $(command -v iptables-save)) && mv iptables-save iptables-gone",
    ]);
    try {
      await assert.rejects(service.update(v1, "app:v2", bridged), /no iptables-save.*Nothing was touched/s);
      assert.deepEqual((await standing(host)).containers, ["web running"]);
    } finally {
      await host.must([
        "sh",
        "-c",
        "cd $(dirname $(command -v iptables-restore)) && mv iptables-gone iptables-save",
      ]);
    }
    const v2 = await service.update(v1, "app:v2", bridged);
    assert.equal(lastRollout(v2).switch, "bridged");
  });

  it("must go back when it is interrupted in the switch", async () => {
    const service = new RollingService(base);
    const v1 = await service.create("app:v1");
    const stopping = new AbortController();
    const lost = await underLoad(async () => {
      service.onProgress = (text) => text === OLD_STOPPED && stopping.abort(new Error("interrupted"));
      const failed = assert.rejects(
        service.update(v1, "app:v2", {}, stopping.signal),
        /asked to go back.*was started again and serves \(without a gap\)/s,
      );
      await failed;
    });
    assert.deepEqual({ outside: lost.outside, lo: lost.lo }, { outside: 0, lo: 0 });
    assert.deepEqual(await standing(host), { containers: ["web running"], rules: 0 });
    assert.equal(await page(), "v1");
  });

  for (const [point, text] of [
    ["ruled", "the copy takes new connections"],
    ["oldstopped", OLD_STOPPED],
  ] as const) {
    it(`must be finished by the host when its client is killed at "${point}", and the next run has the names to set`, async () => {
      const service = new RollingService(base);
      const v1 = await service.create("app:v1");
      let v2: Properties = {};
      const lost = await underLoad(async () => {
        await killClientAt(text, { base, olds: v1, image: "app:v2" });
        v2 = await service.update(v1, "app:v2");
      });
      console.log(`        the next run said: ${service.said.join(" | ")}`);
      assert.deepEqual({ outside: lost.outside, lo: lost.lo }, { outside: 0, lo: 0 });
      assert.ok(
        service.said.some((line) => /found .*switch|found web stopped/.test(line)),
        "it went on from there",
      );
      assert.equal(await page(), "v2");
      const { containers, rules } = await standing(host);
      assert.equal(rules, 0);
      assert.deepEqual(
        containers.filter((line) => !line.startsWith("load-")),
        [`web running`, `web.${String(v1.revision)} exited`],
      );
      const ids = await host.must(["docker", "ps", "-aq", "--no-trunc"]);
      const v3 = await service.update(v2, "app:v2");
      assert.equal(v3.revision, v2.revision);
      assert.equal(
        await host.must(["docker", "ps", "-aq", "--no-trunc"]),
        ids,
        "the one after changes nothing",
      );
    });
  }
});
