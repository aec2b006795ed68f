import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { EngineProject } from "../support/engine-project";
import { PulumiStack } from "../support/pulumi-project";

const HOST = `
const connection = { host: "192.0.2.1", privateKey: "CANARY-private-key" };
`;
const PLAIN = `${HOST}
const web = new slipway.RollingContainer("web", { hosts: [connection], image: "web:1",
  labels: { S: pulumi.secret("CANARY-label") }, env: { A: "1" } });
`;
const EXPECT_NO_CHANGES = { args: ["--expect-no-changes"] };

describe("Pulumi's engine and our adapter", () => {
  let project: EngineProject;
  let stack: PulumiStack;

  before(async () => {
    project = new EngineProject();
    stack = new PulumiStack(project.folder, "dev");
    await stack.init();
  });
  after(async () => {
    await stack.dispose();
    project.remove();
  });
  beforeEach(() => project.behave({}));

  const mustUp = async (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) => {
    const run = await stack.up({ args, env });
    assert.equal(run.code, 0, run.output);
    return run.output;
  };
  const resources = async (args: readonly string[] = []): Promise<readonly StateResource[]> => {
    const { output } = await stack.must(["stack", "export", "--stack", stack.name, ...args]);
    const state = JSON.parse(output) as { deployment: { resources?: StateResource[] } };
    return (state.deployment.resources ?? []).filter(({ type }) => type.includes("slipway:"));
  };

  it("must save a partial failure with its provider, and try again until it is done", async () => {
    project.write(PLAIN);
    project.behave({ partial: true });
    const first = await stack.up();
    assert.notEqual(first.code, 0);
    assert.match(first.output, /create: it does not work\./);
    const [saved] = await resources();
    assert.equal(saved?.outputs.health, "unhealthy");
    assert.equal(saved.outputs.__provider, saved.inputs.__provider);

    project.behave({});
    // refresh clears the engine's own mark of a failed create
    assert.equal((await stack.refresh()).code, 0);
    project.takeCalls();
    await mustUp();
    assert.ok(project.takeCalls().some((call) => call.startsWith("update web ")));
    assert.equal((await resources())[0]?.outputs.health, "healthy");
    await mustUp(["--expect-no-changes"]);
    assert.equal((await stack.destroy()).code, 0);
  });

  it("must show live lines as live, keep what is to stay, and leave no process behind", async () => {
    const output = await mustUp();
    assert.match(diagnostics(output), /RollingContainer \(web\):\s+a line to keep/);
    assert.doesNotMatch(diagnostics(output), /a live line|a remote command/);
    const pid = Number(project.takeCalls().at(-1)?.split(" ")[2]);
    await delay(500);
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
    assert.equal((await stack.destroy()).code, 0);

    assert.match(diagnostics(await mustUp([], { SLIPWAY_DEBUG: "1" })), /a remote command/);
  });

  it("must hold no secret in clear, and the constant provider", async () => {
    const state = await stack.exportState();
    for (const canary of ["CANARY-private-key", "CANARY-label"]) {
      const forms = [canary, Buffer.from(canary).toString("base64"), encodeURIComponent(canary)];
      assert.ok(!forms.some((form) => state.includes(form)), canary);
    }
    const [web] = await resources();
    const text = 'exports.handler = () => require("pulumi-slipway/runtime").RollingContainer;';
    assert.equal(web?.inputs.__provider, text);
    assert.equal(web.outputs.__provider, text);
    assert.equal(typeof web.inputs.__salt, "object", "the salt is secret");
    assert.equal(typeof web.outputs.__salt, "object", "the salt is secret in the outputs too");
  });

  it("must change nothing at a second up, and keep the salt", async () => {
    const [before] = await resources(["--show-secrets"]);
    await mustUp(EXPECT_NO_CHANGES.args);
    const [after] = await resources(["--show-secrets"]);
    assert.deepEqual(after?.outputs, before?.outputs);
    assert.match(JSON.stringify(after?.inputs.__salt), /[0-9a-f]{32}/);
    assert.doesNotMatch(JSON.stringify(after?.inputs.__salt), /0{32}/);
  });

  it("must change nothing when the stack is renamed", async () => {
    await stack.rename("prod");
    await mustUp(EXPECT_NO_CHANGES.args);
    assert.equal((await stack.refresh(EXPECT_NO_CHANGES)).code, 0);
  });

  it("must change nothing when the provider's text is another one", async () => {
    const other =
      "transformations: [({ props, opts }) => ({ props: { ...props, __provider: props.__provider + ' ' }, opts })]";
    project.write(PLAIN.replace('env: { A: "1" } }', `env: { A: "1" } }, { ${other} }`));
    await mustUp(EXPECT_NO_CHANGES.args);
    project.write(PLAIN);
    await mustUp(EXPECT_NO_CHANGES.args);
  });

  it("must change nothing when it moves under a component with an alias", async () => {
    const moved = "{ parent: site, aliases: [{ parent: pulumi.rootStackResource }] }";
    project.write(
      `const site = new pulumi.ComponentResource("my:component:Site", "site");` +
        PLAIN.replace('env: { A: "1" } }', `env: { A: "1" } }, ${moved}`),
    );
    const preview = await stack.preview({ args: ["--diff"] });
    assert.match(preview.output, /\+ 1 to create/, preview.output);
    assert.doesNotMatch(preview.output, /to update|to replace|to delete/);
    project.takeCalls();
    await mustUp();
    assert.deepEqual(
      project.takeCalls().filter((call) => !/^(check|diff) /.test(call)),
      [],
    );
  });

  it("must show a changed argument, and drift, in the preview", async () => {
    project.write(PLAIN.replace('A: "1"', 'A: "2"'));
    await mustUp();
    const changed = await stack.preview({ args: ["--diff"] });
    assert.doesNotMatch(changed.output, /to update/);
    project.write(PLAIN.replace('A: "1"', 'A: "3"'));
    assert.match((await stack.preview({ args: ["--diff"] })).output, /A\s*: "2" => "3"/);
    project.write(PLAIN.replace(', env: { A: "1" }', ""));
    assert.match((await stack.preview({ args: ["--diff"] })).output, /- env/);
    project.write(PLAIN.replace('A: "1"', 'A: "2"'));
    project.behave({ drift: true });
    assert.match((await stack.preview()).output, /~ 1 to update/);
  });

  it("must say each error once, with its resource, and without a stack", async () => {
    for (const fail of ["check", "diff", "update"] as const) {
      project.write(PLAIN.replace('A: "1"', `A: "${fail}"`));
      project.behave({ fail });
      const run = await stack.up();
      assert.notEqual(run.code, 0);
      const told = diagnostics(run.output);
      assert.equal(told.split(`${fail} of web: it does not work.`).length, 2, told);
      assert.doesNotMatch(told, /^\s+at /m);
    }
  });

  it("must make it again after a refresh that found it gone", async () => {
    project.write(PLAIN);
    await mustUp();
    project.behave({ gone: true });
    assert.equal((await stack.refresh()).code, 0);
    assert.deepEqual(await resources(), []);
    project.behave({});
    assert.match(await mustUp(), /\+ 1 created/);
  });

  it("must know what check computed in a preview, also where other things are not known yet", async () => {
    project.write(`${HOST}
      const host = new slipway.DockerHost("new-host", { connection, dockerVersion: "28.x" });
      const image = new slipway.RemoteImage("new-image", { host, context: "." });
      new slipway.RollingContainer("new-web", { hosts: [host], image: image.ref, labels: { docker: host.version } });
    `);
    const preview = await stack.preview({ args: ["--diff"] });
    assert.equal(preview.code, 0, preview.output);
    assert.match(preview.output, /image\s*: "known-in-preview"/);
    assert.match(preview.output, /docker\s*: \[?unknown|docker\s*: output/);
  });

  it("must run refresh and destroy with the state alone", async () => {
    project.write("throw new Error('the program must not run');");
    assert.equal((await stack.refresh()).code, 0);
    assert.equal((await stack.destroy()).code, 0);
    assert.deepEqual(await resources(), []);
  });
});

interface StateResource {
  readonly type: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, unknown>>;
}

function diagnostics(output: string): string {
  return output.slice(output.indexOf("Diagnostics:"));
}
