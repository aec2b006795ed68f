import assert from "node:assert/strict";
import { dockerHostHandler as handler } from "../../provider/docker-host/handler";
import { isSlipwayError } from "../../provider/errors";
import { type HandlerContext, PartialFailure, type Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { type LabInit, startInitHost } from "../lab/init-host";
import type { LabHost } from "../lab/lab-host";
import { until } from "../lab/until";
import { labContext } from "../support/lab-context";
import { buildPage, preparePages } from "../support/web-host";

const VERSION = "26.1.5";
const POLICY = "/usr/sbin/policy-rc.d";
/** The links that have the daemon start at boot. */
const AT_BOOT: Readonly<Record<LabInit, string>> = {
  sysv: "/etc/rc2.d/S*docker",
  openrc: "/etc/runlevels/default/docker",
};

describe("DockerHost without systemd", function () {
  this.timeout(180_000);

  for (const init of ["sysv", "openrc"] as const) {
    describe(`with ${init}`, () => {
      const lines: string[] = [];
      const context: HandlerContext = labContext((line) => void lines.push(line));
      let host: LabHost;
      let outputs: Properties;

      before(async () => {
        host = await startInitHost(init);
        await host.must(["sh", "-c", "echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/lab"]);
      });
      after(async () => {
        closeConnections();
        await host.remove();
      });

      const inputs = (more: Properties = {}): Properties => ({
        connection: host.connection("deploy"),
        dockerVersion: VERSION,
        source: "distro",
        ...more,
      });
      const up = async (more: Properties): Promise<Properties> =>
        (outputs = await handler.update("id", outputs, inputs(more), context));
      const info = (format: string): Promise<string> => host.must(["docker", "info", "--format", format]);
      const daemon = (): Promise<string> => host.must(["pgrep", "-x", "dockerd"]);
      const starts = async (): Promise<number> => {
        const log = await host.must(["cat", "/var/log/docker.log"]);
        return log.split("\n").filter((line) => line.includes("Starting up")).length;
      };
      const container = (): Promise<string> =>
        host.must([
          "docker",
          "inspect",
          "-f",
          "{{.State.Pid}} {{.State.StartedAt}} {{.State.Running}}",
          "web",
        ]);

      it("must stand on a machine of its kind", async () => {
        const found = await host.must([
          "sh",
          "-c",
          "cat /proc/1/comm; ls -d /run/openrc /run/systemd/system 2>/dev/null || :",
        ]);
        assert.equal(found, init === "openrc" ? "init\n/run/openrc" : "init");
      });

      it("must install the pinned version, started once with its configuration, and at boot", async () => {
        outputs = (await handler.create(inputs(), context)).outputs;
        assert.deepEqual([outputs.version, outputs.drift], [VERSION, []]);
        assert.equal(await info("{{.LiveRestoreEnabled}}"), "true");
        assert.equal(await starts(), 1);
        await host.must(["sh", "-c", `test -e ${AT_BOOT[init]}`]);
        assert.match(await host.must(["apt-mark", "showhold"]), /^docker\.io$/m);
        assert.notEqual((await host.exec(["test", "-e", POLICY])).code, 0);
      });

      it("must change nothing the second time", async () => {
        lines.length = 0;
        assert.deepEqual((await handler.create(inputs(), context)).outputs, outputs);
        assert.deepEqual(lines, []);
      });

      it("must reload what can be reloaded, and restart with consent only, under a container that goes on", async () => {
        await preparePages(host);
        await host.must([
          "docker",
          "run",
          "-d",
          "--name",
          "web",
          "-p",
          "80:3000",
          await buildPage(host, "one"),
        ]);
        const [before, process] = [await container(), await daemon()];
        await up({ daemonConfig: { labels: ["a=b"] } });
        await until("the label", async () => (await info("{{.Labels}}")) === "[a=b]");
        assert.equal(await daemon(), process);
        const hard = { daemonConfig: { labels: ["a=b"], "log-driver": "local" } };
        await assert.rejects(up(hard), /Set allowDaemonRestart: true/);
        assert.equal(await daemon(), process);
        await up({ ...hard, allowDaemonRestart: true });
        assert.notEqual(await daemon(), process);
        assert.equal(await info("{{.LoggingDriver}}"), "local");
        assert.equal(await container(), before);
        assert.equal(await (await fetch(host.url(80))).text(), "one");
        assert.equal(await starts(), 2);
      });

      it("must put daemon.json back when the daemon does not start with it, though its script says that it did", async () => {
        const before = await host.must(["cat", "/etc/docker/daemon.json"]);
        const wrong = {
          daemonConfig: { labels: ["a=b"], "data-root": "/proc/nowhere" },
          allowDaemonRestart: true,
        };
        const was = await container();
        await assert.rejects(up(wrong), (error) => {
          assert.ok(error instanceof PartialFailure && isSlipwayError(error.cause, "daemon-config-invalid"));
          assert.match(
            error.message,
            /could not start it .*The former .* was put back, and the daemon runs with it/,
          );
          assert.match(error.message, /mkdir \/proc\/nowhere/);
          outputs = error.outputs;
          return true;
        });
        assert.equal(await host.must(["cat", "/etc/docker/daemon.json"]), before);
        assert.equal(await container(), was);
      });

      it("must see a daemon that was stopped and does not start at boot, and put both right", async () => {
        await host.must(["/etc/init.d/docker", "stop"]);
        await host.must(["update-rc.d", "docker", "disable"]);
        outputs = (await handler.read("id", outputs, context))?.outputs ?? {};
        assert.deepEqual([outputs.version, outputs.drift], ["", ["start the daemon: it is not running"]]);
        const wish = { daemonConfig: outputs.daemonConfig };
        const asked = await handler.diff("id", outputs, inputs(wish), context);
        assert.equal(asked.changes, true);
        await up(wish);
        assert.deepEqual([outputs.version, outputs.drift], [VERSION, []]);
        await host.must(["sh", "-c", `test -e ${AT_BOOT[init]}`]);
      });

      it("must come back with the machine", async () => {
        closeConnections();
        await host.kill();
        await host.start();
        await until("the daemon", async () => (await host.exec(["docker", "version"])).code === 0);
        assert.deepEqual((await handler.read("id", outputs, context))?.outputs, outputs);
      });

      it("must take packages and holds off again when asked to, with no daemon left", async () => {
        await handler.delete("id", { ...outputs, uninstallOnDelete: true }, context);
        const left = await host.exec([
          "sh",
          "-c",
          "which dockerd docker; apt-mark showhold; pgrep -a dockerd",
        ]);
        assert.equal(left.stdout, "");
      });
    });
  }
});
