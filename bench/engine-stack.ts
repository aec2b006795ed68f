import { randomBytes } from "node:crypto";
import type { DockerRepository } from "../test/lab/docker-repository";
import type { Properties } from "../provider/handler";
import type { LabHost } from "../test/lab/lab-host";
import { PulumiStack, ScratchProject } from "../test/support/pulumi-project";

/** A stack of the real CLI. */
export interface Stack {
  readonly stack: PulumiStack;
  readonly dispose: () => Promise<void>;
}

/** A DockerHost through a port of this machine. */
export interface DockerHostTarget {
  readonly port: number;
  /** Upstream version of the engine. */
  readonly version: string;
  readonly repository: DockerRepository;
}

/** Arguments of a DockerHost with what `bench/ansible/docker.yml` asks for. */
export function dockerHostArgs(host: LabHost, { port, version, repository }: DockerHostTarget): Properties {
  return {
    connection: { ...host.connection(), port },
    dockerVersion: version,
    source: {
      url: repository.url,
      suite: "trixie",
      key: repository.keys.right,
      keyFingerprint: repository.fingerprint,
    },
    dockerUsers: ["deploy"],
  };
}

/** A stack of one DockerHost. */
export function dockerHostStack(args: Properties): Promise<Stack> {
  return newStack(`
const slipway = require("pulumi-slipway");
new slipway.DockerHost("host", ${JSON.stringify(args)});
`);
}

/** One dynamic resource that does nothing: what the CLI, its language host and a provider process take by themselves. */
export function emptyStack(): Promise<Stack> {
  return newStack(`
const pulumi = require("@pulumi/pulumi");
class Nothing extends pulumi.dynamic.Resource {
  constructor() { super({ create: async () => ({ id: "nothing", outs: {} }) }, "nothing", {}); }
}
new Nothing();
`);
}

async function newStack(program: string): Promise<Stack> {
  const project = new ScratchProject("bench");
  project.write(program);
  const stack = new PulumiStack(project.folder, `bench-${randomBytes(3).toString("hex")}`);
  await stack.init();
  return {
    stack,
    // Docker stays on the machine: uninstallOnDelete is not set
    dispose: async () => {
      await stack.destroy();
      await stack.dispose();
      project.remove();
    },
  };
}
