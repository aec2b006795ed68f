import { spawn } from "node:child_process";

/** What a program left. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Settings of one call. */
export interface AskOptions {
  readonly input?: string;
  readonly signal?: AbortSignal;
}

/** Runs the docker command of this machine; a non-zero exit is an answer, not an error. */
export async function askDocker(argv: readonly string[], options: AskOptions = {}): Promise<Outcome> {
  const { code, stdout, stderr } = await runDocker(argv, options);
  return { code, stdout: stdout.toString(), stderr };
}

/** Runs the docker command and returns what it printed, without the last line break. */
export async function docker(argv: readonly string[], options: AskOptions = {}): Promise<string> {
  return (await dockerBytes(argv, options)).toString().trimEnd();
}

/** The same for output that is no text. */
export async function dockerBytes(argv: readonly string[], options: AskOptions = {}): Promise<Buffer> {
  const { code, stdout, stderr } = await runDocker(argv, options);
  if (code !== 0) {
    throw new Error(`docker ${argv.slice(0, 2).join(" ")} on this machine: exit ${code}: ${stderr.trim()}`);
  }
  return stdout;
}

interface RawOutcome {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

function runDocker(argv: readonly string[], options: AskOptions): Promise<RawOutcome> {
  // The classic builder is there in every Docker; the plugin that BuildKit wants is not.
  const env = { ...process.env, DOCKER_BUILDKIT: "0" };
  return new Promise((resolve, reject) => {
    const child = spawn("docker", argv, { env, stdio: ["pipe", "pipe", "pipe"], signal: options.signal });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code: code ?? 1, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() });
    });
    child.stdin.on("error", () => undefined); // a child that ends without reading is judged by its exit code
    child.stdin.end(options.input ?? "");
  });
}
