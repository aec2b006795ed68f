import assert from "node:assert/strict";
import { PulumiStack, REPOSITORY } from "../support/pulumi-project";

/** The repository is a Pulumi project itself; its program is an example. */
describe("the repository as a Pulumi project", () => {
  let stack: PulumiStack;
  before(async () => {
    stack = new PulumiStack(REPOSITORY, `wiring-${process.pid}`);
    await stack.init();
  });
  after(() => stack.dispose());

  it("must preview exactly the example's resources, with nothing configured and no host to reach", async () => {
    const preview = await stack.preview({ args: ["--json"], env: { SSH_AUTH_SOCK: "" } });
    assert.equal(preview.code, 0, preview.output);
    const plan = JSON.parse(preview.output.slice(preview.output.indexOf("{"))) as Plan;
    assert.deepEqual(
      plan.steps
        .map(({ op, newState }) => `${op} ${newState.type.split(":").slice(-1)[0]} ${nameOf(newState.urn)}`)
        .sort(),
      [
        "create DockerHost server",
        "create HealthPolicy health",
        "create RemoteImage web-image",
        "create RollingContainer web",
        `create Stack rolling-web-${stack.name}`,
      ],
    );
    for (const { newState } of plan.steps.filter((step) => step.newState.type.includes("slipway:"))) {
      const kind = newState.type.split(":").at(-1) ?? "";
      const text = `exports.handler = () => require("pulumi-slipway/runtime").${kind};`;
      assert.equal(newState.inputs.__provider, text);
      assert.ok(text.length < 150);
    }
  });

  it("must know the image's reference, and what it rests on, in the preview", async () => {
    const look = async (): Promise<ReadonlyMap<string, Plan["steps"][number]["newState"]["inputs"]>> => {
      const { output } = await stack.preview({ args: ["--json"] });
      const plan = JSON.parse(output.slice(output.indexOf("{"))) as Plan;
      return new Map(plan.steps.map(({ newState }) => [nameOf(newState.urn), newState.inputs]));
    };
    const seen = await look();
    assert.deepEqual(await look(), seen, "two previews show the same");
    const inputs = (name: string) => seen.get(name);
    assert.match(String(inputs("web-image")?.ref), /^web:\S+$/);
    assert.equal(inputs("web")?.image, inputs("web-image")?.ref);
    for (const name of ["server", "web-image", "web", "health"]) {
      assert.deepEqual(inputs(name)?.targets, ["root@203.0.113.10:22"], name);
    }
  });
});

interface Plan {
  readonly steps: readonly {
    readonly op: string;
    readonly newState: {
      readonly urn: string;
      readonly type: string;
      readonly inputs: Readonly<Record<string, unknown>>;
    };
  }[];
}

function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? "";
}
