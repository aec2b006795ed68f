import assert from "node:assert/strict";
import { dockerHostHandler } from "../../provider/docker-host/handler";
import { AGENT_VERSION } from "../../provider/health-policy/agent/program";
import { agentKey } from "../../provider/health-policy/agent/settings";
import { healthPolicyHandler } from "../../provider/health-policy/handler";
import { type LabInit, startInitHost } from "../lab/init-host";
import type { LabHost } from "../lab/lab-host";
import { until } from "../lab/until";
import { HealthHost, SICK_FILE } from "../support/health-host";
import { handlerContext } from "../support/handler-context";

const UNIT = `slipway-health-${agentKey("test/test", "health")}`;
/** Where its timer is, and how long it may take: cron begins once a minute. */
const PLACES: Readonly<Record<LabInit, { readonly file: string; readonly seconds: number }>> = {
  sysv: { file: `/etc/cron.d/${UNIT}`, seconds: 75 },
  openrc: { file: `/etc/init.d/${UNIT}`, seconds: 15 },
};

describe("the agent of a HealthPolicy without systemd", function () {
  this.timeout(300_000);

  for (const init of ["sysv", "openrc"] as const) {
    describe(`with ${init}`, () => {
      let site: HealthHost;
      let host: LabHost;

      before(async () => {
        host = await startInitHost(init);
        await host.must(["sh", "-c", "echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/lab"]);
        const given = { connection: host.connection(), dockerVersion: "26.1.5", source: "distro" };
        await dockerHostHandler.create(given, handlerContext("host"));
        if (init === "sysv") await host.must(["apt-get", "install", "-y", "-qq", "cron"]);
        site = await HealthHost.on(host);
      });

      after(() => host.remove());

      it("must make a container healthy again, come back when it is killed, and leave nothing when it goes", async () => {
        const inputs = site.inputs({ watch: true, watchInterval: "5s" });
        const { outputs } = await healthPolicyHandler.create(inputs, site.context());
        const { file, seconds } = PLACES[init];
        await host.must(["test", "-e", file]);
        await site.replica("web", 1, SICK_FILE);
        for (const killed of [false, true]) {
          await site.untilDocker("web", "healthy");
          // the loop of a service, or what cron has started, if it is at work just now
          if (killed) await host.exec(["pkill", "-9", "-f", "^/bin/sh /var/lib/slipway/health"]);
          const began = performance.now();
          await site.makeSick("web");
          await site.untilDocker("web", "healthy", 90);
          assert.ok(performance.now() - began < (seconds + 10) * 1_000);
        }
        const read = await healthPolicyHandler.read("health", outputs, site.context());
        assert.equal(read?.outputs.agentVersion, AGENT_VERSION);
        await healthPolicyHandler.delete("health", outputs, site.context());
        const left = `ls -d /var/lib/slipway /run/slipway/health.* ${file} /etc/runlevels/*/${UNIT} 2>/dev/null`;
        assert.equal((await host.exec(["sh", "-c", left])).stdout, "");
        // what cron has started sleeps to its next turn, which finds nothing
        const runs = ["pgrep", "-f", "^/bin/sh /var/lib/slipway/health"];
        await until("the last turn", async () => (await host.exec(runs)).code === 1);
      });
    });
  }
});
