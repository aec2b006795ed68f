import assert from "node:assert/strict";
import { startProbe } from "../lab/probe";
import type { PulumiStack } from "../support/pulumi-project";
import type { DemoHost } from "./demo-host";

/** What a step works on; `containerId` travels from step to step. */
export interface Stage {
  readonly host: DemoHost;
  readonly stack: PulumiStack;
  /** Shows the CLI's output while it comes. */
  readonly show: (text: string) => void;
  containerId: string;
}

/** One step of the story: acts, looks at the host, and says what it saw; throws when the host does not bear it out. */
export interface Step {
  readonly name: string;
  run(stage: Stage): Promise<string>;
}

const SERVICE = "web";

async function seen(stage: Stage, script: string): Promise<string> {
  const look = await stage.host.look(script);
  assert.equal(look.code, 0, `looking at the host (${script}): exit ${look.code}: ${look.out}`);
  return look.out.trim();
}

async function page(stage: Stage): Promise<string> {
  const answer = await fetch(stage.host.url, { signal: AbortSignal.timeout(5_000) });
  return (await answer.text()).trim();
}

async function up(stage: Stage): Promise<void> {
  const run = await stage.stack.up({ onOutput: stage.show });
  assert.equal(run.code, 0, "pulumi up failed");
}

const containerId = (stage: Stage): Promise<string> => seen(stage, `docker inspect -f '{{.Id}}' ${SERVICE}`);
const health = (stage: Stage): Promise<string> =>
  seen(stage, `docker inspect -f '{{.State.Health.Status}}' ${SERVICE}`);

const bareHost: Step = {
  name: "bare host",
  async run(stage) {
    const look = await stage.host.look("command -v docker");
    if (look.code === 0) {
      assert.equal(stage.host.dockerVersion, undefined, "the lab host has Docker before the demo began");
      return "Docker is there already (a host of yours)";
    }
    return `no docker command (${await seen(stage, '. /etc/os-release; echo "$PRETTY_NAME"')})`;
  },
};

const firstUp: Step = {
  name: "first up, v1",
  async run(stage) {
    await up(stage);
    const version = await seen(stage, "docker version -f '{{.Server.Version}}'");
    // Debian marks its own builds: 20.10.24+dfsg1
    if (stage.host.dockerVersion !== undefined) assert.equal(version.split("+")[0], stage.host.dockerVersion);
    const images = await seen(stage, "docker images -q --filter label=slipway.stack | sort -u | wc -l");
    assert.equal(images, "1", "one image of ours on the host");
    assert.match(await page(stage), /\bv1\b/);
    assert.equal(await health(stage), "healthy");
    stage.containerId = await containerId(stage);
    return `Docker ${version} runs, image built there, container healthy, page says v1`;
  },
};

const secondUp: Step = {
  name: "second up",
  async run(stage) {
    const run = await stage.stack.up({ onOutput: stage.show, args: ["--expect-no-changes"] });
    assert.equal(run.code, 0, "the second up changed something");
    assert.equal(await containerId(stage), stage.containerId);
    return `no change, same container ${stage.containerId.slice(0, 12)}`;
  },
};

const newVersion: Step = {
  name: "v2 up",
  async run(stage) {
    await stage.stack.configure({ version: "v2" });
    const probe = startProbe(stage.host.url);
    await up(stage).finally(() => probe.stop());
    const report = await probe.stop();
    assert.match(await page(stage), /\bv2\b/);
    assert.notEqual(await containerId(stage), stage.containerId);
    stage.containerId = await containerId(stage);
    return `page says v2; ${report.failed} of ${report.requests} requests failed, longest gap ${Math.round(report.longestGapMs)} ms`;
  },
};

const brokenVersion: Step = {
  name: "broken v3 up",
  async run(stage) {
    await stage.stack.configure({ version: "broken" });
    const probe = startProbe(stage.host.url);
    const run = await stage.stack.up({ onOutput: stage.show }).finally(() => probe.stop());
    const report = await probe.stop();
    assert.notEqual(run.code, 0, "pulumi up of a broken version must fail");
    assert.match(await page(stage), /\bv2\b/);
    assert.equal(await containerId(stage), stage.containerId);
    const reason = /error: .*?: (\S+ did not pass its gate: .*?)\./.exec(run.output)?.[1];
    assert.ok(reason, "the reason is shown");
    await stage.stack.configure({ version: "v2" });
    return `exit ${run.code}, v2 still serves (${report.failed} of ${report.requests} failed): ${reason}`;
  },
};

const unhealthyByHand: Step = {
  name: "made unhealthy, up",
  async run(stage) {
    await seen(stage, `docker exec ${SERVICE} /bin/busybox rm /www/up`);
    await waitFor(async () => (await health(stage)) === "unhealthy", "Docker to see the container unhealthy");
    const before = await seen(stage, `docker inspect -f '{{.State.StartedAt}}' ${SERVICE}`);
    await up(stage);
    assert.equal(await health(stage), "healthy");
    assert.notEqual(await seen(stage, `docker inspect -f '{{.State.StartedAt}}' ${SERVICE}`), before);
    assert.equal(await containerId(stage), stage.containerId);
    return "same container, restarted, healthy";
  },
};

const destroy: Step = {
  name: "destroy",
  async run(stage) {
    const run = await stage.stack.destroy({ onOutput: stage.show });
    assert.equal(run.code, 0, "pulumi destroy failed");
    const left = await seen(
      stage,
      "docker ps -aq --filter label=slipway.service; docker images -q --filter label=slipway.stack; docker images -q 'slipway/kept'; docker network ls -q --filter label=slipway.service",
    );
    assert.equal(left, "", "something of ours was left");
    return `nothing of ours left, Docker ${await seen(stage, "docker version -f '{{.Server.Version}}'")} still runs`;
  },
};

/** The story, in order. */
export const STEPS: readonly Step[] = [
  bareHost,
  firstUp,
  secondUp,
  newVersion,
  brokenVersion,
  unhealthyByHand,
  destroy,
];

/** Asks four times a second, for two minutes at most. */
async function waitFor(condition: () => Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + 120_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited two minutes for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
