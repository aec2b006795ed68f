import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import type { Properties } from "../../provider/handler";
import { agentKey } from "../../provider/health-policy/agent/settings";
import { healthPolicyHandler } from "../../provider/health-policy/handler";
import type { LabHost } from "../lab/lab-host";
import { until } from "../lab/until";
import { HealthHost, SICK_FILE } from "../support/health-host";
import { TAKEN, Webhook } from "../support/webhook";

const KEY = agentKey("test/test", "health");
const FOLDER = `/var/lib/slipway/health/${KEY}`;
const UNIT = `slipway-health-${KEY}`;

describe("the agent of a HealthPolicy and its webhook", function () {
  this.timeout(300_000);
  let site: HealthHost;
  let host: LabHost;
  let hook: Webhook;

  before(async () => {
    site = await HealthHost.start();
    host = site.lab;
  });

  after(() => site.remove());

  beforeEach(async () => {
    hook = await Webhook.start(host);
  });

  afterEach(async () => {
    await healthPolicyHandler.delete("health", { ...inputs(), __agent: KEY }, site.context());
    await site.clear();
    hook.close();
  });

  const inputs = (more: Properties = {}): Properties =>
    site.inputs({ watch: true, watchInterval: "5s", failOnUnhealthy: false, notify: hook.url, ...more });
  const create = (more: Properties = {}): Promise<unknown> =>
    healthPolicyHandler.create(inputs(more), site.context());
  /** Until so many turns have begun from now on, and all but the last have ended. */
  const turns = async (count: number): Promise<void> => {
    const show = ["systemctl", "show", "--property", "InvocationID", "--value", `${UNIT}.service`];
    for (let turn = 0; turn < count; turn += 1) {
      const before = await host.must(show);
      await until("another turn of the agent", async () => (await host.must(show)) !== before, 60_000);
    }
  };
  const unsent = async (): Promise<string> => (await host.exec(["cat", `${FOLDER}/unsent`])).stdout;
  const restarted = (name: string): string =>
    `Slipway restarted ${name} on ${host.name} (restart 1 of 3): its HEALTHCHECK fails`;
  const mustNotShow = async (): Promise<void> => {
    assert.doesNotMatch(await host.journal(), /canary-hook/);
    const kept = await host.must(["sh", "-c", `cd ${FOLDER} && grep -l canary-hook * || true`]);
    assert.equal(kept, "notify");
  };

  it("must be told of a restart and of giving up, once each, as Slack wants it, with the address in no list of processes", async () => {
    const held: ServerResponse[] = [];
    hook.answer = (response) => void held.push(response);
    await create({ maxRestarts: 1, backoff: "1s", window: "1h" });
    await site.replica("bad", 1, "exit 1");
    await until("a message that is not answered yet", () => held.length > 0, 60_000);
    const processes = await host.must([
      "sh",
      "-c",
      "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' ' '",
    ]);
    assert.match(processes, /curl -q .*Slipway restarted bad on/);
    assert.doesNotMatch(processes, /canary-hook/);
    hook.answer = TAKEN;
    for (const response of held) TAKEN(response);

    await until("the second message", () => hook.posted.length > 1, 60_000);
    await turns(3);
    assert.deepEqual(hook.texts(), [
      `Slipway restarted bad on ${host.name} (restart 1 of 1): its HEALTHCHECK fails`,
      `Slipway gave up on bad on ${host.name} after 1 restart within 3600s: its HEALTHCHECK fails`,
    ]);
    for (const { method, path, headers, body } of hook.posted) {
      assert.deepEqual(
        [method, path, headers["content-type"]],
        ["POST", "/services/canary-hook", "application/json"],
      );
      assert.deepEqual(Object.keys(JSON.parse(body) as object), ["text"]);
    }
    await mustNotShow();
  });

  it("must keep no repair waiting when it hangs or fails, and hear what it refused when it is well again", async () => {
    for (const name of ["web", "db", "api"]) await site.replica(name, 1, SICK_FILE);
    for (const name of ["web", "db", "api"]) await site.untilDocker(name, "healthy");
    await create();
    hook.answer = () => {};
    await site.makeSick("web");
    await site.untilDocker("web", "healthy");
    hook.answer = (response) => void response.writeHead(500).end("no");
    await site.makeSick("db");
    await site.untilDocker("db", "healthy");
    hook.answer = (response) => void response.writeHead(302, { location: "/elsewhere" }).end();
    await site.makeSick("api");
    await site.untilDocker("api", "healthy");
    const both = async (): Promise<boolean> => (await unsent()).trim().split("\n").length === 2;
    await until("both to be kept that were refused", both, 60_000);
    await mustNotShow();

    const before = hook.posted.length;
    hook.answer = TAKEN;
    await until("both to be sent", async () => (await unsent()) === "", 60_000);
    await turns(2);
    assert.deepEqual([...hook.texts().slice(before)].sort(), [restarted("api"), restarted("db")]);
    // whether that one came nobody knew
    assert.equal(hook.texts().filter((text) => text === restarted("web")).length, 1);
    assert.deepEqual(
      [...new Set(hook.posted.map(({ method, path }) => `${method} ${path}`))],
      ["POST /services/canary-hook"],
    );
  });

  it("must get nothing where nobody vouches for it, and keep no repair waiting", async () => {
    const stranger = await Webhook.start(host, "https");
    try {
      await site.replica("web", 1, SICK_FILE);
      await site.untilDocker("web", "healthy");
      await create({ notify: stranger.url });
      await site.makeSick("web");
      await site.untilDocker("web", "healthy");
      await until("the message to be kept", async () => (await unsent()).includes(restarted("web")), 60_000);
      assert.deepEqual(stranger.posted, []);
      await mustNotShow();
    } finally {
      stranger.close();
    }
  });

  it("must be told where there is no curl, by GNU's wget or by busybox's", async () => {
    await site.replica("web", 1, SICK_FILE);
    await site.untilDocker("web", "healthy");
    await create({ backoff: "1s" });
    await host.must(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "wget"]);
    await host.must(["mv", "/usr/bin/curl", "/root/curl"]);
    try {
      for (const [at, way] of ["GNU's", "busybox's"].entries()) {
        if (way === "busybox's") await host.must(["ln", "-sf", "/root/image/busybox", "/usr/bin/wget"]);
        await site.makeSick("web");
        await site.untilDocker("web", "healthy");
        await until(`a message by ${way} wget`, () => hook.posted.length > at, 60_000);
        assert.match(hook.posted[at]?.headers["user-agent"] ?? "", /^Wget/, way);
      }
    } finally {
      await host.must(["mv", "/root/curl", "/usr/bin/curl"]);
    }
    assert.deepEqual(hook.texts(), [restarted("web"), restarted("web").replace("1 of 3", "2 of 3")]);
    for (const { method, headers } of hook.posted)
      assert.deepEqual([method, headers["content-type"]], ["POST", "application/json"]);
  });
});
