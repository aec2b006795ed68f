import assert from "node:assert/strict";
import type { LabHost } from "../lab/lab-host";
import { actAt } from "../support/act-at";
import { clearSwitchAfterEach, loadHost } from "../support/load-host";
import { clear, exchange, type SceneOptions, setScene, standing } from "../support/switch-host";
import { type LoadReport, SwitchLoad } from "../support/switch-load";

describe("a bridged switch on a lab host", function () {
  this.timeout(240_000);
  const load = loadHost({ apps: { v1: "serve", v2: "serve", v3: "deaf" } });
  clearSwitchAfterEach(load);
  let host: LabHost;

  before(async () => {
    host = load.host;
    await host.must(["docker", "network", "create", "other"]);
    await host.must(["docker", "network", "create", "own"]);
  });

  const told = (reports: readonly LoadReport[]): string =>
    reports
      .map(
        ({ name, requests, failed, slowestMs }) =>
          `${name} ${failed}/${requests} (${Math.round(slowestMs)} ms)`,
      )
      .join(", ");

  /** Runs a switch under load from everywhere. */
  const underLoad = async (options: SceneOptions, network = "bridge", strangers = true) => {
    const scene = await load.onHost((session) => setScene(session, options));
    const clients = await SwitchLoad.on(host);
    const own = host.internalAddress;
    await clients.fromHost("lo", "127.0.0.1");
    await clients.fromHost("own", own);
    await clients.fromContainer("same", own, 80, network);
    if (strangers) await clients.fromContainer("other", own, 80, "other");
    const outside = load.probe({ perSecond: 50, timeoutMs: 10_000 });
    const result = await load.onHost((session) => exchange(session, scene));
    const inside = await clients.stop();
    const seen = await outside.stop();
    const reports = [{ name: "outside", ...seen }, ...inside];
    console.log(`        ${result.kind} (${result.why}), failed: ${told(reports)}`);
    if (seen.firstFailure) console.log("        first failure", seen.firstFailure, "last", seen.lastFailure);
    return { result, reports, seen };
  };

  it("must lose no request of any client", async () => {
    const { result, reports } = await underLoad({});
    assert.equal(result.kind, "switched", result.why);
    assert.equal(result.gapMs, 0);
    for (const { name, failed } of reports) assert.equal(failed, 0, name);
    assert.deepEqual(await standing(host), { containers: ["web exited", "web.next running"], rules: 0 });
  });

  it("must lose none with the service on a network of its own", async () => {
    const { result, reports } = await underLoad({ network: "own" }, "own");
    assert.equal(result.kind, "switched", result.why);
    for (const { name, failed } of reports) assert.equal(failed, 0, name);
  });

  it("must go back without losing a request when the new one fails at its port", async () => {
    // the copy has passed; the real one is another, sick image
    const { result, reports } = await underLoad({ next: "app:v3" });
    assert.equal(result.kind, "kept");
    assert.match(result.why, /was not healthy within \d+m?s/);
    for (const { name, failed } of reports) assert.equal(failed, 0, name);
    assert.deepEqual(await standing(host), { containers: ["web running", "web.next exited"], rules: 0 });
    assert.equal(await (await fetch(host.url())).text(), "v1");
  });

  it("must be finished after a kill where there is no systemd, for a user with sudo", async () => {
    await host.must(["mv", "/usr/bin/systemd-run", "/usr/bin/systemd-gone"]);
    try {
      const scene = await load.onHost((session) => setScene(session), "deploy");
      const clients = await SwitchLoad.on(host);
      await clients.fromHost("own", host.internalAddress);
      const program = actAt("nextstarted", "kill -9 $$");
      const result = await load.onHost((session) => exchange(session, scene, { program }), "deploy");
      for (const { name, failed } of await clients.stop()) assert.equal(failed, 0, name);
      assert.equal(result.kind, "switched", result.why);
      assert.ok(result.events.some(({ name }) => name === "recover"));
      assert.deepEqual((await standing(host)).rules, 0);
    } finally {
      await host.must(["mv", "/usr/bin/systemd-gone", "/usr/bin/systemd-run"]);
    }
  });

  for (const [what, prepare] of [
    ["no docker-proxy stands behind the ports", `echo '{"userland-proxy": false}' >/etc/docker/daemon.json`],
    [
      "the rules are those of iptables-legacy",
      "update-alternatives --set iptables /usr/sbin/iptables-legacy",
    ],
  ] as const)
    it(`must lose no request where ${what}`, async function () {
      const legacy = await host.exec(["iptables-legacy", "-t", "nat", "-S"]);
      if (what.includes("legacy") && legacy.code !== 0) this.skip();
      const restart = "systemctl reset-failed docker; systemctl restart docker";
      await host.must(["sh", "-c", `${prepare} && ${restart}`]);
      try {
        // without docker-proxy the engine lets no container of another network in, whoever serves
        const { result, reports } = await underLoad({}, "bridge", what.includes("legacy"));
        assert.equal(result.kind, "switched", result.why);
        for (const { name, failed } of reports) assert.equal(failed, 0, name);
        assert.deepEqual((await standing(host)).rules, 0);
      } finally {
        await clear(host);
        const undo = "rm -f /etc/docker/daemon.json; update-alternatives --auto iptables";
        await host.must(["sh", "-c", `${undo}; ${restart}`]);
      }
    });
});
