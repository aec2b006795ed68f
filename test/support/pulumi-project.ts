import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** The repository's root, which is a Pulumi project itself. */
export const REPOSITORY = path.resolve(__dirname, "../..");

/** The packages that a project's program sees, ours among them; a long run brings its own built copy. */
const PACKAGES = process.env.SLIPWAY_PACKAGES ?? path.join(REPOSITORY, "node_modules");

/** What one call of the Pulumi CLI left. */
export interface PulumiRun {
  readonly code: number;
  /** stdout and stderr as they came, without colours. */
  readonly output: string;
}

/** Settings of one call. */
export interface PulumiRunOptions {
  /** More environment for this call. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each piece of output as it comes. */
  readonly onOutput?: (text: string) => void;
  /** Called with the id of the CLI's process when it has been started. */
  readonly onStart?: (pid: number) => void;
}

/**
 * One stack of one Pulumi project, driven by the real CLI with a state folder and a home of its own, so that nothing of
 * the user's is read or changed. `dispose` removes the folders; resources have to be destroyed before.
 */
export class PulumiStack {
  /** The name as the CLI knows it now. */
  name: string;
  private readonly folder: string;
  private readonly project: string;

  constructor(project: string, name: string) {
    this.project = project;
    this.name = name;
    this.folder = mkdtempSync(path.join(tmpdir(), "slipway-stack-"));
    mkdirSync(path.join(this.folder, "state"));
  }

  /** Where the state file, the configuration and the CLI's home are. */
  get stateFolder(): string {
    return this.folder;
  }

  async init(): Promise<void> {
    await this.must(["stack", "init", this.name]);
  }

  /** Sets plain configuration values of this stack. */
  async configure(values: Readonly<Record<string, string>>): Promise<void> {
    const pairs = Object.entries(values).flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]);
    await this.must(["config", "set-all", "--stack", this.name, ...pairs]);
  }

  up(options: PulumiRunOptions & { readonly args?: readonly string[] } = {}): Promise<PulumiRun> {
    return this.run(
      ["up", "--yes", "--skip-preview", "--stack", this.name, ...(options.args ?? [])],
      options,
    );
  }

  preview(options: PulumiRunOptions & { readonly args?: readonly string[] } = {}): Promise<PulumiRun> {
    return this.run(["preview", "--stack", this.name, ...(options.args ?? [])], options);
  }

  refresh(options: PulumiRunOptions & { readonly args?: readonly string[] } = {}): Promise<PulumiRun> {
    return this.run(
      ["refresh", "--yes", "--skip-preview", "--stack", this.name, ...(options.args ?? [])],
      options,
    );
  }

  destroy(options: PulumiRunOptions = {}): Promise<PulumiRun> {
    return this.run(["destroy", "--yes", "--skip-preview", "--stack", this.name], options);
  }

  async rename(name: string): Promise<void> {
    await this.must(["stack", "rename", name, "--stack", this.name]);
    this.name = name;
  }

  /** The stack's outputs, parsed. */
  async outputs(): Promise<Readonly<Record<string, unknown>>> {
    const run = await this.must(["stack", "output", "--json", "--stack", this.name]);
    return JSON.parse(run.output) as Record<string, unknown>;
  }

  /** The exported state as text, secrets still encrypted. */
  async exportState(): Promise<string> {
    return (await this.must(["stack", "export", "--stack", this.name])).output;
  }

  /** Removes the stack and its folders. */
  async dispose(): Promise<void> {
    await this.run(["stack", "rm", "--yes", "--force", "--stack", this.name]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs the CLI and gives what it left, whatever its exit code. */
  run(args: readonly string[], options: PulumiRunOptions = {}): Promise<PulumiRun> {
    const env = {
      ...process.env,
      PULUMI_BACKEND_URL: `file://${path.join(this.folder, "state")}`,
      PULUMI_HOME: path.join(this.folder, "home"),
      PULUMI_CONFIG_PASSPHRASE: "lab",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      // the plugins of packages that the repository only type-checks against
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: "true",
      ...options.env,
    };
    return new Promise((resolve, reject) => {
      const child = spawn("pulumi", [...args, "--non-interactive", "--color", "never"], {
        cwd: this.project,
        env,
      });
      if (child.pid !== undefined) options.onStart?.(child.pid);
      let output = "";
      const take = (chunk: Buffer): void => {
        output += chunk.toString();
        options.onOutput?.(chunk.toString());
      };
      child.stdout.on("data", take);
      child.stderr.on("data", take);
      child.on("error", reject);
      child.on("close", (code) => resolve({ code: code ?? -1, output }));
    });
  }

  /** As `run`, but anything else than exit code 0 is an error with the output. */
  async must(args: readonly string[], options: PulumiRunOptions = {}): Promise<PulumiRun> {
    const run = await this.run(args, options);
    if (run.code !== 0) throw new Error(`pulumi ${args.join(" ")} exited ${run.code}:\n${run.output}`);
    return run;
  }
}

/** A Pulumi project of one JavaScript file in a folder of its own that sees the repository's packages. */
export class ScratchProject {
  readonly folder: string;

  constructor(name: string) {
    this.folder = mkdtempSync(path.join(tmpdir(), `slipway-${name}-`));
    writeFileSync(path.join(this.folder, "Pulumi.yaml"), `name: ${name}\nruntime: nodejs\n`);
    writeFileSync(
      path.join(this.folder, "package.json"),
      JSON.stringify({ name, private: true, main: "index.js" }),
    );
    symlinkSync(PACKAGES, path.join(this.folder, "node_modules"));
  }

  /** Replaces the program. */
  write(program: string): void {
    writeFileSync(path.join(this.folder, "index.js"), program);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
