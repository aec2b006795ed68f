import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { isObject } from "../../provider/values";
import { labDemoHost } from "../demo/lab-demo-host";
import { PulumiStack, REPOSITORY } from "../support/pulumi-project";
import { formatPlan, type PlannedStep, readPlan } from "../support/plan";

const WITHOUT_KEY = { SSH_AUTH_SOCK: "", HOME: "/nonexistent" };

describe("pulumi preview of the root project", () => {
  let host: Awaited<ReturnType<typeof labDemoHost>>;
  let stack: PulumiStack;

  before(async () => {
    host = await labDemoHost("bookworm", "root");
    stack = new PulumiStack(REPOSITORY, `e2e-${randomBytes(3).toString("hex")}`);
    await stack.init();
    await stack.configure({ version: "v1", ...host.config });
  });

  after(async () => {
    await host.lab.start();
    await stack.destroy();
    await stack.dispose();
    await host.dispose();
  });

  const preview = async (env: Readonly<Record<string, string>> = {}): Promise<readonly PlannedStep[]> => {
    const run = await stack.preview({ args: ["--json"], env });
    assert.equal(run.code, 0, run.output);
    return readPlan(run.output);
  };

  it("must register exactly the example's resources, and show the same plan with the host down and no key", async () => {
    const up = await preview();
    assert.deepEqual(formatPlan(up), [
      "create Stack rolling-web-" + stack.name,
      "create DockerHost server",
      "create RemoteImage web-image",
      "create RollingContainer web",
      "create HealthPolicy health",
    ]);
    await host.lab.stop();
    await stack.configure({ privateKeyPath: "/nonexistent/key" });
    const down = await preview(WITHOUT_KEY);
    await host.lab.start();
    await stack.configure({ privateKeyPath: host.config.privateKeyPath ?? "" });
    const withoutKeyPath = (steps: readonly PlannedStep[]): string =>
      JSON.stringify(steps).replaceAll("/nonexistent/key", host.config.privateKeyPath ?? "");
    assert.equal(withoutKeyPath(down), withoutKeyPath(up));
    assert.notEqual((await host.look("command -v docker")).code, 0, "preview must not install anything");
  });

  it("must show the same change with the host down, and say only that the policy could not look", async () => {
    assert.equal((await stack.up()).code, 0);
    await stack.configure({ version: "v2" });
    const onTheHost = async (): Promise<string> => {
      const ids =
        "docker ps -aq --no-trunc; docker images -aq --no-trunc; docker network ls -q; docker volume ls -q";
      return (await host.look(`(${ids}) | sort`)).out;
    };
    const before = await onTheHost();
    const up = await preview();
    assert.deepEqual(
      formatPlan(up).filter((line) => !line.startsWith("same")),
      ["update RemoteImage web-image", "update RollingContainer web", "update HealthPolicy health"],
    );
    assert.equal(await onTheHost(), before);
    await host.lab.stop();
    const down = await stack.preview({ args: ["--json"], env: WITHOUT_KEY });
    const text = await stack.preview({ env: WITHOUT_KEY });
    await host.lab.start();
    assert.equal(down.code, 0, down.output);
    assert.deepEqual(readPlan(down.output), up);
    assert.match(text.output, /could not look/);
  });

  it("must show no change while the context is as it was, and the image's new ref downstream after one file changed", async () => {
    await stack.configure({ version: "v2" });
    assert.equal((await stack.up()).code, 0);
    const unchanged = formatPlan(await preview()).filter((line) => !line.startsWith("same"));
    assert.deepEqual(unchanged, []);
    const inputOf = (steps: readonly PlannedStep[], resource: string, key: string): unknown => {
      const step = steps.find((each) => each.resource === resource);
      return isObject(step?.inputs) ? step.inputs[key] : undefined;
    };
    const before = inputOf(await preview(), "RemoteImage web-image", "ref");
    writeFileSync(path.join(host.config.context ?? "", "one-more"), "changed");
    const steps = await preview();
    const ref = inputOf(steps, "RemoteImage web-image", "ref");
    assert.match(String(ref), /^web:[0-9a-f]{12}$/);
    assert.notEqual(ref, before);
    assert.equal(inputOf(steps, "RollingContainer web", "image"), ref);
    const changed = formatPlan(steps).filter((line) => !line.startsWith("same"));
    assert.deepEqual(changed.slice(0, 2), ["update RemoteImage web-image", "update RollingContainer web"]);
  });
});
