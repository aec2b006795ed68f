import assert from "node:assert/strict";
import type { Properties } from "../../provider/handler";
import { AGENT_VERSION } from "../../provider/health-policy/agent/program";
import { agentKey } from "../../provider/health-policy/agent/settings";
import { healthPolicyHandler } from "../../provider/health-policy/handler";
import { closeConnections } from "../../provider/host/pool";
import type { LabHost } from "../lab/lab-host";
import { until } from "../lab/until";
import { HealthHost, SICK_FILE, SLEEP } from "../support/health-host";

const KEY = agentKey("test/test", "health");
const FOLDER = `/var/lib/slipway/health/${KEY}`;
const UNIT = `slipway-health-${KEY}`;
const INTERVAL_SECONDS = 5;

interface Event {
  readonly event: string;
  readonly container: string;
  readonly why: string;
}

describe("the agent of a HealthPolicy on a lab host", function () {
  this.timeout(300_000);
  let site: HealthHost;
  let host: LabHost;

  before(async () => {
    site = await HealthHost.start();
    host = site.lab;
  });

  after(() => site.remove());

  afterEach(async () => {
    await healthPolicyHandler.delete("health", await outputsOf(), site.context());
    await site.clear();
  });

  const inputs = (more: Properties = {}): Properties =>
    site.inputs({ watch: true, watchInterval: `${INTERVAL_SECONDS}s`, failOnUnhealthy: false, ...more });
  const outputsOf = (): Promise<Properties> => Promise.resolve({ ...inputs(), __agent: KEY });
  const create = async (more: Properties = {}): Promise<Properties> =>
    (await healthPolicyHandler.create(inputs(more), site.context())).outputs;
  const refreshed = async (outputs: Properties): Promise<Properties> => {
    const read = await healthPolicyHandler.read("health", outputs, site.context());
    return read?.outputs ?? {};
  };
  const events = async (): Promise<readonly Event[]> => {
    const { stdout } = await host.exec(["cat", `${FOLDER}/log`]);
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Event);
  };
  const has = (event: string, container: string) => async (): Promise<boolean> =>
    (await events()).some((each) => each.event === event && each.container === container);
  /** Until the agent has looked so often from now on. */
  const turns = async (count: number): Promise<void> => {
    const looked = (): Promise<string> => host.must(["stat", "-c", "%y", `/run/slipway/health.${KEY}/list`]);
    for (let turn = 0; turn < count; turn += 1) {
      const before = await looked().catch(() => "");
      await until("a turn of the agent", async () => (await looked().catch(() => before)) !== before, 60_000);
    }
  };

  /** Until so many turns have begun from now on; that of before has ended by then, whatever it did. */
  const begun = async (count: number): Promise<void> => {
    const show = ["systemctl", "show", "--property", "InvocationID", "--value", `${UNIT}.service`];
    for (let turn = 0; turn < count; turn += 1) {
      const before = await host.must(show);
      await until("another turn of the agent", async () => (await host.must(show)) !== before, 60_000);
    }
  };

  it("must make a container healthy again between ups, and tell of it", async () => {
    await site.replica("web", 1, SICK_FILE);
    await site.replica("db", 1, "");
    await site.untilDocker("web", "healthy");
    const outputs = await create();
    assert.equal(outputs.agentVersion, AGENT_VERSION);
    const db = await site.startedAt("db");
    await site.makeSick("web");
    const began = performance.now();
    await site.untilDocker("web", "healthy");
    const seconds = (performance.now() - began) / 1_000;
    assert.ok(seconds < INTERVAL_SECONDS + 10, `healthy again after ${seconds}s`);
    assert.equal(await site.startedAt("db"), db);

    const read = await refreshed(outputs);
    const [event, ...others] = read.events as readonly Event[];
    assert.deepEqual(others, []);
    assert.deepEqual(
      [event?.event, event?.container, event?.why],
      ["restarted", "web", "its HEALTHCHECK fails"],
    );
    const journal = await host.must(["journalctl", "-u", UNIT, "-o", "cat"]);
    assert.match(journal, /"event":"restarted"/);
    assert.doesNotMatch(journal, /Starting|Finished/, "three lines a turn would drown what happened");
    const change = await healthPolicyHandler.diff("health", read, inputs(), site.context());
    assert.deepEqual(change, { changes: false });
    site.kept.length = 0;
    const next = await healthPolicyHandler.update("health", read, inputs(), site.context());
    assert.match(site.kept.join("\n"), /^since the last up:\n\S+ \S+ web: restarted: its HEALTHCHECK fails/);
    assert.deepEqual(next.events, []);
  });

  it("must keep its budget over a restart of the host, give up once, and share it with an up", async () => {
    const policy = { maxRestarts: 2, backoff: "1s", window: "1h" };
    const outputs = await create(policy);
    await site.replica("bad", 1, "exit 1");
    await until("the agent to give up", has("gave-up", "bad"), 120_000);
    closeConnections();
    await host.stop();
    await host.start();
    await host.must(["timeout", "60", "sh", "-c", "until docker ps; do sleep 0.5; done"]);
    await site.untilDocker("bad", "unhealthy");
    const bad = await site.startedAt("bad");
    await turns(2);
    assert.equal(await site.startedAt("bad"), bad);
    const told = (await events()).map(({ event }) => event);
    assert.deepEqual(told, ["restarted", "restarted", "gave-up"]);

    site.kept.length = 0;
    const change = await healthPolicyHandler.diff("health", outputs, inputs(policy), site.context());
    assert.deepEqual(change, { changes: true });
    assert.deepEqual(site.kept, [
      `leave bad on ${site.target}: its HEALTHCHECK fails; given up after 2 restarts within 60m`,
    ]);
    const up = await healthPolicyHandler.update("health", outputs, inputs(policy), site.context());
    assert.deepEqual([up.restarted, up.gaveUp], [[], [`${site.target} bad`]]);
    assert.equal(await site.startedAt("bad"), bad);
  });

  it("must leave a service alone that is being deployed", async () => {
    await site.replica("web", 1, SICK_FILE);
    await site.untilDocker("web", "healthy");
    await create();
    await host.must(["docker", "create", "--name", "slipway.lock.web", ...SLEEP]);
    await site.makeSick("web");
    const web = await site.startedAt("web");
    await turns(2);
    assert.equal(await site.startedAt("web"), web);
    await host.must(["docker", "rm", "slipway.lock.web"]);
    await site.untilDocker("web", "healthy");
  });

  it("must do nothing while an up is at work, and go on by itself when the deployer's connection dies", async () => {
    await site.replica("web", 1, SICK_FILE);
    await site.untilDocker("web", "healthy");
    let outputs = await create();
    // starting until its gate is open: an up waits for it, and the agent has no business with it
    await host.must(["mkdir", "-p", "/root/gate"]);
    const isOpen = "/bin/busybox test -e /gate/open";
    const gated = ["--health-start-period", "10m", "-v", "/root/gate:/gate:ro"];
    const hold = (): Promise<string> => host.must(["cat", `${FOLDER}/hold`]).catch(() => "");
    for (const dies of [false, true]) {
      await site.replica("slow", 1, isOpen, ...gated);
      const up = healthPolicyHandler.update("health", outputs, inputs(), site.context());
      const ended = up.then(
        () => "well",
        (error: unknown) => error,
      );
      await until("the up to hold the agent", async () => (await hold()) !== "");
      const before = await host.must(["cat", `${FOLDER}/ledger`, `${FOLDER}/log`]);
      await site.makeSick("web");
      const web = await site.startedAt("web");
      await begun(3);
      assert.equal(await site.startedAt("web"), web);
      assert.equal(await host.must(["cat", `${FOLDER}/ledger`, `${FOLDER}/log`]), before);
      const [, pid = ""] = (await hold()).split(" ");
      await host.must(dies ? ["kill", "-9", pid] : ["touch", "/root/gate/open"]);
      if (!dies) outputs = await up;
      const began = performance.now();
      await site.untilDocker("web", "healthy");
      assert.ok(performance.now() - began < (INTERVAL_SECONDS + 10) * 1_000);
      await until("the agent to tell", has("restarted", "web"));
      await host.must(["touch", "/root/gate/open"]);
      if (dies) assert.match(String(await ended), /connection/);
      await host.must(["sh", "-c", "rm /root/gate/open; docker rm -f slow"]);
    }
  });

  it("must come back when it was killed in the middle, with what it had begun counted", async () => {
    // one that takes ten seconds to be stopped
    await site.replica("slow", 1, SICK_FILE, "--stop-signal", "SIGUSR1", "--init");
    await site.untilDocker("slow", "healthy");
    await create();
    await site.makeSick("slow");
    const restarting = async (): Promise<boolean> =>
      (await host.exec(["pgrep", "-f", "docker restart"])).code === 0;
    await until("the agent to restart it", restarting, 60_000);
    await host.must(["systemctl", "kill", "--signal", "KILL", `${UNIT}.service`]);
    await site.untilDocker("slow", "healthy");
    await turns(1);
    assert.equal(await host.must(["systemctl", "is-active", `${UNIT}.timer`]), "active");
    assert.match(await host.must(["cat", `${FOLDER}/ledger`]), /^[0-9a-f]{64} \d+/);
  });

  it("must be missed when it was changed or stopped, and be there again after the next up", async () => {
    const outputs = await create({ notify: "https://chat.invalid/canary-hook" });
    assert.equal(await host.must(["stat", "-c", "%a %U", `${FOLDER}/notify`]), "600 root");
    const breaks = [
      [["sed", "-i", "2s/agent, .*/agent, 0123456789ab/", `${FOLDER}/agent`], "is another version"],
      [["systemctl", "disable", "--now", `${UNIT}.timer`], "does not run"],
      [["rm", "-r", FOLDER], "is missing"],
    ] as const;
    let state = outputs;
    for (const [argv, flaw] of breaks) {
      await host.must(argv);
      site.kept.length = 0;
      const preview = await healthPolicyHandler.diff("health", state, inputs(), site.context());
      assert.deepEqual(preview, { changes: true });
      assert.deepEqual(site.kept, [`the agent on ${site.target} ${flaw}: it is installed anew`]);
      state = await refreshed(state);
      assert.equal(state.agentVersion, "", argv.join(" "));
      const change = await healthPolicyHandler.diff("health", state, inputs(), site.context());
      assert.deepEqual(change, { changes: true });
      state = await healthPolicyHandler.update("health", state, inputs(), site.context());
      assert.equal(state.agentVersion, AGENT_VERSION);
      assert.equal((await refreshed(state)).agentVersion, AGENT_VERSION);
      await turns(1);
    }
    assert.match(await host.must(["sed", "-n", "2p", `${FOLDER}/agent`]), new RegExp(`${AGENT_VERSION}$`));
  });

  it("must take a turn at two hundred containers for less than a hundredth of a core", async () => {
    const create200 = `seq 1 200 | xargs -P 4 -I{} docker create --label slipway.service=well-{} --name well-{} probe-me /bin/busybox true`;
    await host.must(["sh", "-ec", `{ ${create200}; } >/dev/null`]);
    await create();
    await host.must(["systemctl", "stop", `${UNIT}.timer`]);
    const used = await host.must([
      "bash",
      "-c",
      `TIMEFORMAT='%U %S'; for turn in 1 2 3 4 5; do sh ${FOLDER}/agent ${FOLDER}; done; { time for turn in 1 2 3 4 5 6 7 8 9 10; do sh ${FOLDER}/agent ${FOLDER}; done; } 2>&1`,
    ]);
    const seconds = used.split(" ").reduce((sum, each) => sum + Number(each), 0) / 10;
    assert.ok(seconds < 0.15, `${seconds}s of CPU every 15 s`);
  });

  it("must lose neither its account nor its budget when another user logs in, nor when the policy watches no more", async () => {
    await site.replica("bad", 1, "echo no space left on /data; exit 1");
    const settings = { backoff: "1s", maxRestarts: 1 };
    const byDeploy = inputs({ ...settings, hosts: [host.connection("deploy")] });
    let state = await create(settings);
    await site.noteRestarts();
    for (const next of [byDeploy, { ...byDeploy, watch: false }]) {
      assert.match(await host.must(["cat", `${FOLDER}/ledger`]), /^[0-9a-f]+ \d+$/);
      const told = JSON.stringify({
        at: "T1",
        event: "restarted",
        container: "bad",
        restarts: 1,
        why: "sick",
      });
      await host.must(["sh", "-c", `printf '%s\\n' "$1" >>${FOLDER}/log`, "tell", told]);
      site.kept.length = 0;
      // as if the agent alone had restarted it
      const { __restarts, ...others } = state;
      assert.ok(typeof __restarts === "object");
      state = await healthPolicyHandler.update("health", others, next, site.context());
      assert.match(site.kept.join("\n"), /^since the last up:\nT1 \S+ bad: restarted: sick$/m);
      assert.deepEqual(await site.restartsOf("bad"), []);
    }
  });

  it("must be taken away though Docker is stopped", async () => {
    const outputs = await create();
    await host.must(["systemctl", "stop", "docker.socket", "docker.service"]);
    try {
      await healthPolicyHandler.delete("health", outputs, site.context());
      assert.notEqual((await host.exec(["test", "-e", FOLDER])).code, 0);
    } finally {
      await host.must(["systemctl", "start", "docker.service"]);
    }
  });

  it("must leave no unit, file or timer when the policy is gone, or watches no more", async () => {
    const nothing = async (): Promise<void> => {
      const text = `ls -d /var/lib/slipway/health /run/slipway/health.* /etc/systemd/system/*slipway-health* /etc/systemd/system/*/*slipway-health* 2>/dev/null; systemctl list-units --all --plain --no-legend 'slipway-health*'`;
      assert.equal((await host.exec(["sh", "-c", text])).stdout.trim(), "");
    };
    const outputs = await create();
    const without = await healthPolicyHandler.update("health", outputs, site.inputs(), site.context());
    assert.equal(without.agentVersion, "");
    assert.equal("__agent" in without, false);
    await nothing();
    const again = await create();
    await healthPolicyHandler.delete("health", again, site.context());
    await nothing();
  });
});
