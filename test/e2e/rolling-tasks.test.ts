import assert from "node:assert/strict";
import { PartialFailure, type Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { rollingContainerHandler as handler } from "../../provider/rolling-container/handler";
import type { LabHost } from "../lab/lab-host";
import { containersOn } from "../support/containers-on";
import { handlerContext } from "../support/handler-context";
import { formsOf } from "../support/state";
import { buildPage, startDockerHost } from "../support/web-host";

const SECRET = "canary-in-a-file-7c1e";
const TOKEN = "canary-in-a-task-93ab";

describe("RollingContainer with tasks, secretFiles and the strategy atomic", function () {
  this.timeout(600_000);
  let first: LabHost;
  let second: LabHost;

  before(async () => {
    [first, second] = await Promise.all([startDockerHost("bookworm"), startDockerHost("trixie")]);
    for (const host of [first, second]) await buildPage(host, "v1");
    await buildPage(first, "v2");
    await buildPage(second, "v2", "exit");
  });

  after(async () => {
    closeConnections();
    await Promise.all([first.remove(), second.remove()]);
  });

  const checked = async (image: string, more: Properties = {}): Promise<Properties> => {
    const given = {
      name: "web",
      hosts: [first.connection()],
      image,
      ports: [{ container: 3000, host: 80 }],
      healthcheck: { tcp: { port: 3000 } },
      update: { healthyDeadline: "20s", minHealthyTime: "1s", lockWait: "1s" },
      __salt: "00",
      ...more,
    };
    const { inputs, failures } = await handler.check({}, given, handlerContext());
    assert.deepEqual(failures, []);
    return inputs;
  };

  const page = async (host: LabHost): Promise<string> => (await fetch(host.url())).text();
  const sh = (...argv: readonly string[]): Promise<string> => first.must(argv);
  const containers = async (host: LabHost): Promise<string> => (await containersOn(host)).join("\n");
  const volumes = (): Promise<string> => sh("docker", "volume", "ls", "-q");
  /** Writes its line where the next task and the test can read it. */
  const task = (script: string, more: Properties = {}): Properties => ({
    command: ["/bin/busybox", "sh", "-c", script],
    ...more,
  });

  it("must run a migration before anything is swapped, and swap nothing when it fails", async () => {
    const mounts = [{ source: "files", target: "/files" }];
    const secretFiles = { db: SECRET };
    const write = task("echo before $TOKEN >> /files/log; /bin/busybox cat /run/secrets/db >> /files/seen", {
      env: { TOKEN },
    });
    const given = { mounts, secretFiles, preDeploy: [write], postDeploy: [task("echo after >> /files/log")] };
    const { outputs } = await handler.create(await checked("page:v1", given), handlerContext());
    const files = await sh("docker", "volume", "inspect", "-f", "{{.Mountpoint}}", "files");
    const logged = (): Promise<string> => sh("cat", `${files}/log`);
    assert.equal(await logged(), `before ${TOKEN}\nafter`);
    assert.equal(await sh("cat", `${files}/seen`), SECRET);
    assert.equal(await containers(first), "web running");

    const failing = task("echo no such table, token is $TOKEN >&2; exit 9", { env: { TOKEN } });
    const broken = await checked("page:v2", { ...given, preDeploy: [failing] });
    await assert.rejects(handler.update("web", outputs, broken, handlerContext()), (error: Error) => {
      assert.match(error.message, /running preDeploy\[0\] of "web"[^]*exited with code 9[^]*serves on/);
      assert.match(error.message, /no such table/);
      assert.ok(!error.message.includes(TOKEN), "the secret is blacked out");
      return true;
    });
    const slow = await checked("page:v2", {
      ...given,
      preDeploy: [task("exec /bin/busybox sleep 600", { timeout: "2s" })],
    });
    await assert.rejects(handler.update("web", outputs, slow, handlerContext()), /did not end within 2s/);
    assert.equal(await page(first), "v1");
    assert.equal(await containers(first), "web running");

    const after = await checked("page:v2", { ...given, postDeploy: [task("exit 4")] });
    const partial = await handler
      .update("web", outputs, after, handlerContext())
      .catch((error: unknown) => error);
    assert.ok(partial instanceof PartialFailure, String(partial));
    assert.match(partial.message, /postDeploy\[0\][^]*exited with code 4[^]*serves/);
    assert.equal(await page(first), "v2");
    const mended = await checked("page:v2", { ...given, postDeploy: [task("echo late >> /files/log")] });
    const now = await handler.update("web", partial.outputs, mended, handlerContext());
    assert.match(await logged(), /late$/);
    const same = await logged();
    await handler.update("web", now, await checked("page:v2", { ...given, memory: "64m" }), handlerContext());
    assert.equal(await logged(), same, "nothing is swapped, so no task runs");

    await handler.delete("web", now, handlerContext());
    assert.equal(await containers(first), "");
    assert.equal(await volumes(), "files");
    await sh("docker", "volume", "rm", "files");
  });

  it("must keep secretFiles in the container and nowhere else, over restarts and for kept revisions", async () => {
    const given = { secretFiles: { db: SECRET, "tls.key": "a\nb\n" }, readOnly: true };
    const read = (name: string, file: string): Promise<string> =>
      sh("docker", "exec", name, "/bin/busybox", "cat", `/run/secrets/${file}`);
    const { outputs } = await handler.create(await checked("page:v1", given), handlerContext());
    assert.equal(await read("web", "db"), SECRET);
    assert.equal(await read("web", "tls.key"), "a\nb");
    const shown = await sh("docker", "inspect", "web");
    const system = await sh("docker", "volume", "ls", "--format", "json");
    for (const form of formsOf(SECRET)) assert.ok(!shown.includes(form) && !system.includes(form), form);
    await sh("docker", "restart", "-t", "0", "web");
    assert.equal(await read("web", "db"), SECRET);

    const changed = await checked("page:v1", { ...given, secretFiles: { db: "another" } });
    const next = await handler.update("web", outputs, changed, handlerContext());
    assert.equal(await read("web", "db"), "another");
    // the first is the newer engines'
    await sh("sh", "-c", "docker volume prune -af || docker volume prune -f");
    const back = await handler.update("web", next, await checked("page:v1", given), handlerContext());
    assert.equal(await read("web", "db"), SECRET, "the kept one has its own");
    assert.equal((await volumes()).split("\n").length, 2);
    await handler.delete("web", back, handlerContext());
    assert.equal(await volumes(), "");
  });

  it("must leave every host on the old version when one fails its gate, with the strategy atomic", async () => {
    const hosts = [first.connection(), second.connection()];
    const update = { healthyDeadline: "20s", minHealthyTime: "1s", lockWait: "1s", strategy: "atomic" };
    const { outputs } = await handler.create(await checked("page:v1", { hosts, update }), handlerContext());
    const started = (): Promise<string> =>
      sh("docker", "inspect", "-f", "{{.Id}} {{.State.StartedAt}}", "web");
    const before = await started();
    const broken = await checked("page:v2", { hosts, update });
    await assert.rejects(handler.update("web", outputs, broken, handlerContext()), (error: Error) => {
      assert.match(error.message, /exited with code 7[^]*was not touched and serves on/);
      return true;
    });
    assert.deepEqual([await page(first), await page(second)], ["v1", "v1"]);
    assert.deepEqual([await containers(first), await containers(second)], ["web running", "web running"]);
    assert.equal(await started(), before, "it never stopped");
    await handler.delete("web", outputs, handlerContext());
  });
});
