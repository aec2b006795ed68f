import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { labDemoHost } from "../demo/lab-demo-host";
import { PulumiStack, ScratchProject } from "../support/pulumi-project";
import { formatPlan, readPlan } from "../support/plan";
import { testKey } from "../lab/test-key";
import { formsOf, readState } from "../support/state";

const CANARY = { env: "canary-env-9f8e7d6c/+", sudo: "canary-sudo-1a2b3c4d&=", arg: "canary-arg-5e6f7a8b%~" };

interface Variation {
  readonly privateKey: string;
  readonly underComponent?: boolean;
  readonly providerText?: boolean;
}

/** The example's four resources with secrets in every place that takes one; the variations change what must not matter. */
function program(
  config: Readonly<Record<string, string>>,
  { privateKey, underComponent, providerText }: Variation,
): string {
  return `
const pulumi = require("@pulumi/pulumi");
const slipway = require("pulumi-slipway");
const config = ${JSON.stringify(config)};
${
  providerText
    ? `pulumi.runtime.registerStackTransformation(({ props, opts }) => props.__provider === undefined ? undefined
  : { props: { ...props, __provider: props.__provider + " // another release" }, opts });`
    : ""
}
class Site extends pulumi.ComponentResource {
  constructor() { super("test:index:Site", "site"); }
}
const opts = ${underComponent ? "{ parent: new Site(), aliases: [{ parent: pulumi.rootStackResource }] }" : "{}"};
const server = new slipway.DockerHost("server", {
  connection: { host: config.host, port: Number(config.port), user: "deploy", hostKey: config.hostKey,
    privateKey: pulumi.secret(${JSON.stringify(privateKey)}), sudoPassword: ${JSON.stringify(CANARY.sudo)} },
  dockerVersion: config.dockerVersion, source: "distro",
}, opts);
const image = new slipway.RemoteImage("image", {
  host: server, name: "web", context: config.context,
  buildArgs: { BASE: "scratch", VERSION: "v1", TOKEN: pulumi.secret(${JSON.stringify(CANARY.arg)}) },
}, opts);
const web = new slipway.RollingContainer("web", {
  hosts: [server], image: image.ref, ports: [{ container: 3000, host: 80 }],
  env: { PLAIN: "visible", PASSWORD: pulumi.secret(${JSON.stringify(CANARY.env)}) },
  healthcheck: { http: { port: 3000, path: "/up" }, interval: "1s", timeout: "2s" },
}, opts);
new slipway.HealthPolicy("health", { hosts: [server], services: [web] }, opts);
exports.url = web.url;
`;
}

describe("what must change nothing", () => {
  const keys = [testKey(), testKey()] as const;
  let host: Awaited<ReturnType<typeof labDemoHost>>;
  let project: ScratchProject;
  let stack: PulumiStack;
  let firstUp = "";

  before(async () => {
    host = await labDemoHost("bookworm", "deploy");
    await authorize(keys.map((key) => key.publicKey));
    project = new ScratchProject("quiet");
    stack = new PulumiStack(project.folder, `e2e-${randomBytes(3).toString("hex")}`);
    await stack.init();
    project.write(program(host.config, { privateKey: keys[0].privateKey }));
    const run = await stack.up({ env: { SLIPWAY_DEBUG: "1" } });
    assert.equal(run.code, 0, run.output);
    firstUp = run.output;
  });

  after(async () => {
    await stack.destroy();
    await stack.dispose();
    project.remove();
    await host.dispose();
    rmSync(host.config.context ?? "", { recursive: true, force: true });
  });

  const authorize = (lines: readonly string[]): Promise<string> =>
    host.lab.must(["sh", "-c", "cat > /home/deploy/.ssh/authorized_keys"], {
      input: `${lines.join("\n")}\n`,
    });

  const containers = async (): Promise<string> =>
    (await host.look("docker inspect -f '{{.Id}} {{.Name}} {{.State.StartedAt}}' $(docker ps -aq) | sort"))
      .out;

  const untouched = async (act: () => Promise<void>): Promise<void> => {
    const before = await containers();
    await act();
    assert.equal(await containers(), before);
  };

  it("must keep every secret out of the state, the output of a debug run and the labels", async () => {
    const state = await stack.exportState();
    const labels = (
      await host.look(
        "docker inspect -f '{{json .Config.Labels}}' $(docker ps -aq) && docker image inspect -f '{{json .Config.Labels}}' $(docker images -q)",
      )
    ).out;
    assert.match(firstUp, /docker/, "the debug run shows commands");
    const keyBody = keys[0].privateKey.split("\n")[2] ?? "";
    assert.ok(keyBody.length > 30);
    for (const secret of [...Object.values(CANARY), keyBody]) {
      for (const form of formsOf(secret)) {
        for (const [place, text] of Object.entries({ state, firstUp, labels })) {
          assert.ok(!text.includes(form), `a secret (${form.slice(0, 6)}…) is in ${place}`);
        }
      }
    }
  });

  it("must keep the constant provider text in the state", async () => {
    const resources = readState(await stack.exportState());
    assert.equal(resources.length, 4);
    for (const resource of resources) {
      const kind = resource.type.split(":").at(-1) ?? "";
      const text = `exports.handler = () => require("pulumi-slipway/runtime").${kind};`;
      assert.equal(resource.outputs.__provider, text);
      assert.ok(text.length < 150);
    }
  });

  it("must change nothing at a second up", () =>
    untouched(async () => {
      const run = await stack.up({ args: ["--expect-no-changes"] });
      assert.equal(run.code, 0, run.output);
    }));

  it("must change nothing after a stack rename", () =>
    untouched(async () => {
      await stack.rename(`${stack.name}-renamed`);
      const run = await stack.up({ args: ["--expect-no-changes"] });
      assert.equal(run.code, 0, run.output);
    }));

  it("must change nothing with another text of the provider constant", () =>
    untouched(async () => {
      project.write(program(host.config, { privateKey: keys[0].privateKey, providerText: true }));
      const run = await stack.up({ args: ["--expect-no-changes"] });
      assert.equal(run.code, 0, run.output);
      project.write(program(host.config, { privateKey: keys[0].privateKey }));
    }));

  it("must change nothing when the resources move under a component with aliases", () =>
    untouched(async () => {
      project.write(program(host.config, { privateKey: keys[0].privateKey, underComponent: true }));
      const preview = await stack.preview({ args: ["--json"] });
      const changes = formatPlan(readPlan(preview.output)).filter((line) => !line.startsWith("same"));
      assert.deepEqual(changes, ["create Site site"], preview.output);
      const run = await stack.up();
      assert.equal(run.code, 0, run.output);
      const again = await stack.up({ args: ["--expect-no-changes"] });
      assert.equal(again.code, 0, again.output);
    }));

  it("must log in at most once in each provider process", async () => {
    const mark = (await host.lab.logins()).length;
    const run = await stack.run(["up", "--yes", "--refresh=false", "--stack", stack.name]);
    assert.equal(run.code, 0, run.output);
    const afterUp = (await host.lab.logins()).length;
    assert.ok(afterUp - mark <= 2, `${afterUp - mark} logins in an up with preview`);
    assert.equal((await stack.refresh()).code, 0);
    assert.equal((await host.lab.logins()).length - afterUp, 1, "a refresh is one provider process");
  });

  it("must show a container that was removed by hand, and bring it back", async () => {
    await host.lab.must(["docker", "rm", "-f", "web"]);
    const refresh = await stack.refresh({ args: ["--diff"] });
    assert.equal(refresh.code, 0, refresh.output);
    assert.match(refresh.output, /missing/);
    const run = await stack.up();
    assert.equal(run.code, 0, run.output);
    assert.match(await (await fetch(host.url)).text(), /v1/);
    const again = await stack.up({ args: ["--expect-no-changes"] });
    assert.equal(again.code, 0, again.output);
  });

  it("must touch nothing when only the private key changes, and use the new one to refresh and destroy", async () => {
    await untouched(async () => {
      project.write(program(host.config, { privateKey: keys[1].privateKey, underComponent: true }));
      const run = await stack.up();
      assert.equal(run.code, 0, run.output);
      assert.match(run.output, /4 updated/);
    });
    await authorize([keys[1].publicKey]);
    const refresh = await stack.refresh();
    assert.equal(refresh.code, 0, refresh.output);
    const destroy = await stack.destroy();
    assert.equal(destroy.code, 0, destroy.output);
    assert.equal((await host.look("docker ps -aq")).out, "");
  });
});
