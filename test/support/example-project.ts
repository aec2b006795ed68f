import { randomBytes } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { busyboxPath } from "../lab/busybox";
import type { LabHost, LabUser } from "../lab/lab-host";
import { PulumiStack, REPOSITORY } from "./pulumi-project";

/** A copy of one of the examples, as a user would have it, with a stack of its own. An image of it is built without any registry. */
export class ExampleProject {
  readonly stack: PulumiStack;
  private readonly folder: string;

  private constructor(folder: string, name: string) {
    this.folder = folder;
    this.stack = new PulumiStack(folder, `${name}-${randomBytes(3).toString("hex")}`);
  }

  static async of(name: string): Promise<ExampleProject> {
    const folder = mkdtempSync(path.join(tmpdir(), `slipway-${name}-`));
    const example = path.join(REPOSITORY, "examples", name);
    const parts = ["index.ts", "package.json", "app"].filter((part) => existsSync(path.join(example, part)));
    for (const part of parts) cpSync(path.join(example, part), path.join(folder, part), { recursive: true });
    if (parts.includes("app")) {
      copyFileSync(await busyboxPath(), path.join(folder, "app/busybox"));
      chmodSync(path.join(folder, "app/busybox"), 0o755);
    }
    const runtime = "runtime: { name: nodejs, options: { typescript: false, nodeargs: --import tsx } }";
    writeFileSync(path.join(folder, "Pulumi.yaml"), `name: ${name}\n${runtime}\nmain: index.ts\n`);
    symlinkSync(path.join(REPOSITORY, "node_modules"), path.join(folder, "node_modules"));
    const project = new ExampleProject(folder, name);
    await project.stack.init();
    return project;
  }

  async remove(): Promise<void> {
    await this.stack.dispose();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The fields of a connection to a lab host, as the examples take them from the configuration. */
export function labConnectionConfig(host: LabHost, user: LabUser) {
  const { address, sshPort: port, hostKeyFingerprint: hostKey, privateKeyPath } = host;
  return { host: address, port, user, hostKey, privateKeyPath };
}
