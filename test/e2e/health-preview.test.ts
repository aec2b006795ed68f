import assert from "node:assert/strict";
import { PulumiStack, ScratchProject } from "../support/pulumi-project";
import { HealthHost, SICK_FILE } from "../support/health-host";

describe("pulumi preview of a HealthPolicy", function () {
  this.timeout(300_000);
  let site: HealthHost;
  let project: ScratchProject;
  let stack: PulumiStack;

  before(async () => {
    site = await HealthHost.start();
    project = new ScratchProject("health");
    const args = JSON.stringify({ hosts: [site.lab.connection()], backoff: "1s" });
    project.write(`
const slipway = require("pulumi-slipway");
const { counts, restarted } = new slipway.HealthPolicy("health", ${args});
exports.counts = counts;
exports.restarted = restarted;
`);
    stack = new PulumiStack(project.folder, "test");
    await stack.init();
  });

  after(async () => {
    await stack.destroy();
    await stack.dispose();
    project.remove();
    await site.remove();
  });

  it("must say who will be restarted and why, show no change where nobody is, and only warn of a host that is down", async () => {
    await site.replica("web", 1, SICK_FILE);
    await site.untilDocker("web", "healthy");
    const first = await stack.up();
    assert.equal(first.code, 0, first.output);
    assert.match(first.output, /HOST +CONTAINER +STATE +HEALTH/);
    const well = await stack.preview({ args: ["--expect-no-changes"] });
    assert.equal(well.code, 0, well.output);

    await site.makeSick("web");
    const startedAt = await site.startedAt("web");
    const sick = await stack.preview();
    assert.equal(sick.code, 0, sick.output);
    assert.ok(sick.output.includes(`restart web on ${site.target}: its HEALTHCHECK fails`), sick.output);
    assert.match(sick.output, /~ .*HealthPolicy +health/);
    assert.equal(await site.startedAt("web"), startedAt);

    await site.lab.pause();
    const began = performance.now();
    const down = await stack.preview({ args: ["--expect-no-changes"] });
    await site.lab.resume();
    assert.equal(down.code, 0, down.output);
    assert.match(down.output, /could not look at \S+: no answer within 3s/);
    assert.ok(performance.now() - began < 60_000);

    const up = await stack.up();
    assert.equal(up.code, 0, up.output);
    const { counts, restarted } = await stack.outputs();
    assert.deepEqual(restarted, [`${site.target} web`]);
    const none = { unhealthy: 0, starting: 0, unchecked: 0, gaveUp: 0 };
    assert.deepEqual(counts, { containers: 1, healthy: 1, restarted: 1, ...none });
    const after = await stack.preview({ args: ["--expect-no-changes"] });
    assert.equal(after.code, 0, after.output);
  });

  it("must update the report with a refresh, and act on nothing", async () => {
    await site.makeSick("web");
    const startedAt = await site.startedAt("web");
    const run = await stack.refresh();
    assert.equal(run.code, 0, run.output);
    const { counts } = await stack.outputs();
    assert.equal((counts as Record<string, number>).unhealthy, 0, "outputs of a program come with an up");
    assert.match(await stack.exportState(), /"unhealthy": 1/);
    assert.equal(await site.startedAt("web"), startedAt);
  });

  it("must fail the command when one stays unhealthy, show its last words, and keep who was given up", async () => {
    await site.replica("bad", 1, "echo no space left on /data; exit 1");
    const run = await stack.up();
    assert.notEqual(run.code, 0, run.output);
    assert.match(run.output, /"bad" stays unhealthy .*given up after 3 restarts within 10m/);
    assert.match(run.output, /no space left on \/data/);
    assert.match(await stack.exportState(), new RegExp(`"gaveUp": \\[\\s*"${site.target} bad"`));
    const after = await stack.preview();
    assert.equal(after.code, 0, after.output);
    assert.match(
      after.output,
      /leave bad on \S+: its HEALTHCHECK fails; given up after 3 restarts within 10m/,
    );
  });
});
