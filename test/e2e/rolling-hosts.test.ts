import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { rollingContainerHandler as handler } from "../../provider/rolling-container/handler";
import type { LabHost } from "../lab/lab-host";
import { containersOn } from "../support/containers-on";
import { labConnectionConfig } from "../support/example-project";
import { handlerContext } from "../support/handler-context";
import { PulumiStack, ScratchProject } from "../support/pulumi-project";
import { buildPage, startDockerHost } from "../support/web-host";

const PROGRAM = `
const pulumi = require("@pulumi/pulumi");
const { RollingContainer } = require("pulumi-slipway");
const config = new pulumi.Config();
new RollingContainer("web", {
  name: "web",
  hosts: config.requireObject("hosts"),
  image: config.require("image"),
  ports: [{ container: 3000, host: 80 }],
  healthcheck: { tcp: { port: 3000 } },
  update: { strategy: config.require("strategy"), healthyDeadline: "8s", minHealthyTime: "1s" },
});
`;

describe("RollingContainer on several hosts", function () {
  this.timeout(300_000);
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

  const inputs = (image: string, more: Properties = {}): Properties => ({
    name: "web",
    hosts: [first.connection(), second.connection("deploy")],
    image,
    ports: [{ container: 3000, host: 80 }],
    healthcheck: { tcp: { port: 3000 } },
    update: { healthyDeadline: "8s", minHealthyTime: "1s", lockWait: "1s" },
    __salt: "00",
    ...more,
  });

  const checked = async (given: Properties): Promise<Properties> =>
    (await handler.check({}, given, handlerContext())).inputs;
  const page = async (host: LabHost): Promise<string> => (await fetch(host.url())).text();
  const containers = async (host: LabHost): Promise<string> => (await containersOn(host)).join("\n");

  it("must put the done host back when the next one fails, by the very container that served", async () => {
    const { outputs } = await handler.create(await checked(inputs("page:v1")), handlerContext());
    const before = await first.must(["docker", "inspect", "-f", "{{.Id}}", "web"]);
    await assert.rejects(
      handler.update("web", outputs, await checked(inputs("page:v2")), handlerContext()),
      /exited with code 7[^]*was not touched and serves on[^]*put back/,
    );
    assert.deepEqual([await page(first), await page(second)], ["v1", "v1"]);
    assert.equal(await first.must(["docker", "inspect", "-f", "{{.Id}}", "web"]), before);
    assert.deepEqual([await containers(first), await containers(second)], ["web running", "web running"]);

    const renamed = inputs("page:v1", { name: "shop" });
    const shop = await handler.update("web", outputs, await checked(renamed), handlerContext());
    assert.deepEqual([await containers(first), await containers(second)], ["shop running", "shop running"]);

    const fewer = { ...renamed, hosts: [first.connection()] };
    const alone = await handler.update("web", shop, await checked(fewer), handlerContext());
    assert.deepEqual([await containers(first), await containers(second)], ["shop running", ""]);

    const otherUser = { ...renamed, hosts: [first.connection("deploy")] };
    const moved = await handler.update("web", alone, await checked(otherUser), handlerContext());
    assert.match(JSON.stringify(moved.containers), /deploy@127/);
    await handler.delete("web", moved, handlerContext());
    assert.equal(await containers(first), "");
  });

  it("must tell the user of the CLI what failed where, what serves now and what to do, and fail", async () => {
    const project = new ScratchProject("two-hosts");
    const stack = new PulumiStack(project.folder, `two-${randomBytes(3).toString("hex")}`);
    project.write(PROGRAM);
    const ids = (): Promise<readonly string[]> =>
      Promise.all([first, second].map((host) => host.must(["docker", "inspect", "-f", "{{.Id}}", "web"])));
    try {
      await stack.init();
      const hosts = JSON.stringify([first, second].map((host) => labConnectionConfig(host, "root")));
      await stack.configure({ hosts, strategy: "rolling", image: "page:v1" });
      const done = await stack.up();
      assert.equal(done.code, 0, done.output);
      const before = await ids();
      for (const strategy of ["rolling", "atomic"]) {
        await stack.configure({ strategy, image: "page:v2" });
        const { code, output } = await stack.up();
        assert.notEqual(code, 0, output);
        assert.match(output, new RegExp(`root@127\\.0\\.0\\.1:${second.sshPort}`));
        assert.match(output, /web(\.next|\.try)? did not pass its gate: it exited with code 7/);
        assert.match(output, /Revision [0-9a-f]{8} was not touched and serves on/);
        assert.match(output, /Mend the new version, then run pulumi up again/);
        assert.deepEqual(await ids(), before, strategy);
        assert.deepEqual([await page(first), await page(second)], ["v1", "v1"], strategy);
        const standing = [await containers(first), await containers(second)];
        assert.deepEqual(standing, ["web running", "web running"], strategy);
      }
    } finally {
      await stack.destroy();
      await stack.dispose();
      project.remove();
    }
    assert.deepEqual([await containers(first), await containers(second)], ["", ""]);
  });

  it("must begin nothing when one host does not answer", async () => {
    const dead = { ...second.connection(), port: 1, dialErrorLimit: 1, perDialTimeout: 2 };
    const given = await checked(inputs("page:v1", { hosts: [first.connection(), dead] }));
    await assert.rejects(handler.create(given, handlerContext()), { code: "dial-failed" });
    assert.equal(await containers(first), "");
  });
});
