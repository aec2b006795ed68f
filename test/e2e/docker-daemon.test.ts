import assert from "node:assert/strict";
import { dockerHostHandler as handler } from "../../provider/docker-host/handler";
import { RESTART } from "../../provider/docker-host/daemon/restart-program";
import { PartialFailure, type Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { type LabHost, startLabHost } from "../lab/lab-host";
import { until } from "../lab/until";
import { handlerContext } from "../support/handler-context";
import { RollingService } from "../support/rolling-service";
import { buildPage, preparePages } from "../support/web-host";

const RULES_MS = 30_000;

describe("DockerHost and a daemon that goes on", function () {
  this.timeout(120_000);
  let host: LabHost;
  let inputs: Properties;
  let outputs: Properties;
  /** What came of a first run with a log driver that no engine has. */
  let refusal: unknown;

  before(async function () {
    this.timeout(300_000);
    host = await startLabHost({ suite: "trixie" });
    inputs = { connection: host.connection("deploy"), dockerVersion: "26.1.5", source: "distro" };
    const unloggable = { ...inputs, liveRestore: false, daemonConfig: { "log-driver": "nonsense" } };
    refusal = await handler.create(unloggable, handlerContext()).catch((error: unknown) => error);
    const left = refusal instanceof PartialFailure ? refusal.outputs : {};
    outputs = await handler.update("id", left, { ...inputs, liveRestore: false }, handlerContext());
    await preparePages(host);
    await buildPage(host, "one");
    await host.must(["docker", "run", "-d", "--name", "web", "-p", "8080:3000", "page:one"]);
  });
  after(async () => {
    closeConnections();
    await host.remove();
  });

  const up = async (more: Properties = {}): Promise<void> => {
    outputs = await handler.update("id", outputs, { ...inputs, ...more }, handlerContext());
  };
  const web = () => host.must(["docker", "inspect", "-f", "{{.State.Pid}} {{.State.StartedAt}}", "web"]);
  const rules = () => host.must(["iptables-save"]);
  /** However often it was started in this minute. */
  const restart = () =>
    host.must(["sh", "-ec", "systemctl reset-failed docker.service; systemctl restart docker.service"]);
  const daemonPid = () => host.must(["systemctl", "show", "--value", "-p", "MainPID", "docker.service"]);

  it("must put daemon.json back where the engine that it brought has no such log driver", () => {
    assert.ok(refusal instanceof PartialFailure);
    assert.match(
      refusal.message,
      /no log driver "nonsense".*daemon\.json was put back, and Docker 26\.1\.5 runs with it.*journald, json-file, local/,
    );
    assert.equal(refusal.outputs.version, "26.1.5");
  });

  it("must refuse a log driver that the engine has not, and a key that it does not know, before it asks for a restart", async () => {
    const [before, pid] = [await web(), await daemonPid()];
    await assert.rejects(up({ daemonConfig: { "log-driver": "nonsense" } }), {
      code: "daemon-config-invalid",
      message:
        /no log driver "nonsense".*Docker 26\.1\.5 goes on running, nothing was changed.*journald, json-file/,
    });
    const news = { ...inputs, daemonConfig: { "no-such-key": 1 } };
    const refused = {
      code: "daemon-config-invalid",
      message: /the engine does not accept it.*Docker 26\.1\.5 goes on running.*no-such-key/s,
    };
    await assert.rejects(up(news), refused);
    await assert.rejects(handler.diff("id", outputs, news, handlerContext()), refused);
    await assert.rejects(up({ daemonConfig: { mtu: 1400 } }), { code: "engine-consent" });
    assert.deepEqual([await web(), await daemonPid()], [before, pid]);
  });

  it("must refuse a daemon.json that is no JSON, and leave it as it is", async () => {
    const [pid, file, broken] = [await daemonPid(), "/etc/docker/daemon.json", '{ "debug": true,'];
    await host.must(["sh", "-ec", `cp -p ${file} ${file}.lab; echo '${broken}' >${file}`]);
    await assert.rejects(up({ daemonConfig: { labels: ["zone=a"] } }), {
      code: "daemon-config-invalid",
      message: /it is not a JSON object.*It was left as it is/s,
    });
    assert.equal(await host.must(["cat", file]), broken);
    await host.must(["mv", `${file}.lab`, file]);
    assert.equal(await daemonPid(), pid);
  });

  it("must leave running who ran where the daemon does not start with daemon.json, with live restore and without", async () => {
    const broken = { allowDaemonRestart: true, daemonConfig: { "data-root": "/proc/nowhere" } };
    const message = /could not start it.*was put back, and the daemon runs with it\./;
    const breakDown = async (liveRestore: boolean): Promise<void> => {
      const failure: unknown = await up({ ...broken, liveRestore }).catch((error: unknown) => error);
      assert.ok(failure instanceof PartialFailure);
      assert.match(failure.message, message);
      outputs = failure.outputs;
      await up({ liveRestore: false });
    };
    const [before, pid] = [await web(), await daemonPid()];
    await breakDown(true);
    assert.equal(await web(), before, "it outlived both starts");
    assert.notEqual(await daemonPid(), pid);
    await breakDown(false);
    assert.notEqual(await web(), before);
    assert.equal(await host.must(["docker", "inspect", "-f", "{{.State.Status}}", "web"]), "running");
  });

  it("must switch live restore on by a reload under a running container, which then outlives the daemon's restart", async () => {
    const [before, pid] = [await web(), await daemonPid()];
    assert.equal(await host.must(["docker", "info", "-f", "{{.LiveRestoreEnabled}}"]), "false");
    await up({ liveRestore: true });
    assert.equal(await host.must(["docker", "info", "-f", "{{.LiveRestoreEnabled}}"]), "true");
    assert.deepEqual([await web(), await daemonPid()], [before, pid]);
    await restart();
    assert.notEqual(await daemonPid(), pid);
    assert.equal(await web(), before);
  });

  it("must say that a reload was not taken over, and leave daemon.json as it was", async () => {
    const drop = "/etc/systemd/system/docker.service.d";
    const flag = "[Service]\\nExecStart=\\nExecStart=/usr/sbin/dockerd -H fd:// --label zone=a\\n";
    await host.must([
      "sh",
      "-ec",
      `mkdir -p ${drop}; printf '${flag}' >${drop}/lab.conf; systemctl daemon-reload`,
    ]);
    await restart();
    const [before, file] = [await web(), await host.must(["cat", "/etc/docker/daemon.json"])];
    await assert.rejects(up({ daemonConfig: { labels: ["zone=b"] } }), {
      message: /take over labels on .* goes on without.*was put back.*allowDaemonRestart: true/s,
    });
    assert.equal(await host.must(["cat", "/etc/docker/daemon.json"]), file);
    await host.must(["sh", "-ec", `rm -r ${drop}; systemctl daemon-reload`]);
    await restart();
    assert.equal(await web(), before);
    await up({ daemonConfig: { labels: ["zone=b"] } });
    assert.equal(await host.must(["docker", "info", "-f", "{{.Labels}}"]), "[zone=b]");
    await host.must(["sed", "-i", "s/zone=b/zone=c/", "/etc/docker/daemon.json"]);
    await up({ daemonConfig: { labels: ["zone=b"] } });
    assert.deepEqual(outputs.drift, []);
  });

  it("must lead published ports behind the rules of others while the daemon restarts, and take its own off", async () => {
    const mine = ["-m", "comment", "--comment", "mine", "-j", "RETURN"];
    for (const at of ["-I", "-A"]) {
      await host.must(["iptables", "-t", "nat", at, "PREROUTING", ...mine]);
      await host.must(["iptables", at, "FORWARD", ...mine]);
    }
    const during = await host.must(["sh", "-s", "--", "iptables-save"], { input: RESTART });
    const order = (chain: string): readonly string[] =>
      [...during.matchAll(new RegExp(`^-A ${chain} .*(mine|-j (?:DOCKER|SLIPWAY)\\S*)`, "gm"))].map(
        ([, word]) => (word ?? "").replace("-j ", ""),
      );
    assert.deepEqual(order("PREROUTING"), ["mine", "DOCKER", "SLIPWAY-RESTART", "mine"]);
    const forward = order("FORWARD");
    const ours = forward.indexOf("SLIPWAY-RESTART");
    assert.ok(forward[0] === "mine" && forward.at(-1) === "mine" && ours > forward.indexOf("DOCKER-USER"));
    assert.ok(
      forward.slice(ours + 1).every((word) => word === "mine"),
      forward.join(),
    );
    assert.match(during, /^-A SLIPWAY-RESTART .*--dport 8080 -j DNAT/m);
    assert.doesNotMatch(await rules(), /SLIPWAY/);
    assert.equal((await host.exec(["test", "-e", "/run/slipway-restart"])).code, 1);
  });

  /** A restart that never ends; `die` kills its program, and its watcher for good where that is not to live on. */
  const hangingRestart = async (watcher: "lives" | "is stopped" | "is killed") => {
    const sleep = ["sh", "-c", "exec sleep 1000 >/dev/null 2>&1"];
    const ended = host.exec(["sh", "-s", "--", ...sleep], { input: RESTART });
    await until("the rules", async () => (await rules()).includes("-j SLIPWAY-RESTART"), RULES_MS);
    await until("the watcher", async () => (await host.exec(WATCHER_RUNS)).code === 0, RULES_MS);
    if (watcher === "is stopped") await host.must(["systemctl", "stop", "slipway-restart-watcher.service"]);
    if (watcher === "is killed")
      await host.must(["systemctl", "kill", "-s", "KILL", "slipway-restart-watcher.service"]);
    const kill = "read -r pid start </run/slipway-restart; kill -9 $(cat /proc/$pid/task/$pid/children) $pid";
    await host.must(["sh", "-c", kill]);
    await ended;
  };
  const WATCHER_RUNS = ["systemctl", "is-active", "--quiet", "slipway-restart-watcher.service"];

  for (const watcher of ["lives", "is killed"] as const) {
    it(`must take its rules off within seconds when it is killed and its watcher ${watcher}`, async () => {
      await hangingRestart(watcher);
      await until("no rules", async () => !(await rules()).includes("SLIPWAY"), RULES_MS);
      await until(
        "no mark",
        async () => (await host.exec(["test", "-e", "/run/slipway-restart"])).code === 1,
      );
    });
  }

  it("must see at a refresh the rules that nobody takes off any more, and take them off at the next up", async () => {
    await hangingRestart("is stopped");
    assert.match(await rules(), /SLIPWAY-RESTART/);
    const seen = await handler.read("id", outputs, handlerContext());
    assert.match(
      String(seen?.outputs.drift),
      /take off the port rules of a restart of the daemon: it was cut off/,
    );
    outputs = seen?.outputs ?? {};
    await up({ daemonConfig: { labels: ["zone=b"] } });
    assert.doesNotMatch(await rules(), /SLIPWAY/);
    assert.deepEqual(outputs.drift, []);
  });

  it("must have a user whom it adds to the docker group be of use to a service of the same run", async () => {
    const connection = host.connection("plain");
    await assert.rejects(new RollingService({ hosts: [connection] }).create("page:one"), /socket|Engine/);
    closeConnections();
    await up({ dockerUsers: ["plain"] });
    const healthcheck = { http: { port: 3000, path: "/" } };
    const ports = [{ container: 3000, host: 80 }];
    const service = new RollingService({ ...{ name: "page", hosts: [connection] }, ports, healthcheck });
    const running = await service.create("page:one");
    assert.equal(await (await fetch(host.url(80))).text(), "one");
    const sudo = await host.must(["journalctl", "-q", "-o", "cat", "_COMM=sudo"]);
    assert.match(sudo, /deploy : .*COMMAND/, "sudo's calls are not in the journal");
    assert.doesNotMatch(sudo, /plain : .*COMMAND/);
    await service.delete(running);
  });

  it("must stop a container that outlived its daemon when Docker goes, and say so", async () => {
    const [pid = ""] = (await web()).split(" ");
    await host.must(["systemctl", "stop", "docker.socket", "docker.service"]);
    assert.equal((await host.exec(["test", "-d", `/proc/${pid}`])).code, 0);
    const context = handlerContext();
    const said: string[] = [];
    const log = { ...context.log, keep: (line: string) => void said.push(line) };
    await handler.delete("id", { ...outputs, uninstallOnDelete: true }, { ...context, log });
    assert.match(said.join("\n"), /^1 containers on .* are stopped/m);
    assert.equal((await host.exec(["test", "-d", `/proc/${pid}`])).code, 1);
    assert.equal((await host.exec(["pgrep", "-x", "containerd-shim"])).stdout, "");
  });
});
