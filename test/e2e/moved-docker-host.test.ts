import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { labDemoHost } from "../demo/lab-demo-host";
import { PulumiStack, ScratchProject } from "../support/pulumi-project";

interface Place {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

describe("DockerHost with uninstallOnDelete, on a machine that stays", function () {
  this.timeout(600_000);
  let host: Awaited<ReturnType<typeof labDemoHost>>;
  let project: ScratchProject;
  let stack: PulumiStack;

  before(async () => {
    host = await labDemoHost("bookworm", "deploy");
    project = new ScratchProject("moved");
    stack = new PulumiStack(project.folder, `e2e-${randomBytes(3).toString("hex")}`);
    await stack.init();
    await up({ name: "server", host: host.lab.address, port: host.lab.sshPort });
  });

  after(async () => {
    await stack.destroy();
    await stack.dispose();
    project.remove();
    await host.dispose();
  });

  const up = async ({ name, host: address, port }: Place): Promise<string> => {
    const { hostKey, privateKeyPath, dockerVersion } = host.config;
    const connection = { host: address, port, user: "deploy", hostKey, privateKeyPath };
    const args = { connection, dockerVersion, source: "distro", uninstallOnDelete: true };
    project.write(
      `new (require("pulumi-slipway").DockerHost)(${JSON.stringify(name)}, ${JSON.stringify(args)});\n`,
    );
    const run = await stack.up();
    assert.equal(run.code, 0, run.output);
    return run.output;
  };
  const daemon = (): Promise<string> =>
    host.lab.must(["systemctl", "show", "--property=MainPID,ActiveEnterTimestampMonotonic", "docker"]);

  it("must leave Docker there when the machine has another address", async () => {
    const before = await daemon();
    const output = await up({ name: "server", host: host.lab.internalAddress, port: 22 });
    assert.match(output, /1 replaced/);
    assert.match(output, /Docker stays on deploy@127\.0\.0\.1:\d+: .*:22 is the same machine/);
    assert.equal(await daemon(), before);
  });

  it("must leave Docker there when the resource has another name", async () => {
    const before = await daemon();
    const output = await up({ name: "machine", host: host.lab.internalAddress, port: 22 });
    assert.match(output, /1 created[^]*1 deleted/);
    assert.equal(await daemon(), before);
  });

  it("must uninstall Docker when the last of them is deleted", async () => {
    const destroy = await stack.destroy();
    assert.equal(destroy.code, 0, destroy.output);
    assert.notEqual((await host.look("command -v dockerd")).code, 0);
  });
});
