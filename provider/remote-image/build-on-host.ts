import { Readable } from "node:stream";
import type { RegistryLogin } from "../container/registry-login";
import { assertOutcomeKnown } from "../host/known-outcome";
import type { HostSession } from "../host/session";
import { type BuildJob, type BuildResult, resourceKey } from "./build-job";
import type { BuildVerdict } from "./build-log";
import { withLogins } from "./command-login";
import type { StoredContext } from "./context-store";
import type { EnvironmentValue } from "./environment-value";
import { FROM_STORE } from "./store-scripts";
import { FROM_FOLDER } from "./tree-script";

/** Where a builder's tar comes from: the host's own store, or the program's machine. */
export type ContextSource =
  | { readonly kind: "stored"; readonly context: StoredContext }
  | { readonly kind: "stream"; readonly tar: Readable };

/** One docker command that builds, without its Dockerfile and without where the context is. */
export interface HostBuild {
  readonly argv: readonly string[];
  /** True for a builder that keeps the last folder it saw, and takes only what changed. */
  readonly takesFolders: boolean;
  readonly env: Readonly<Record<string, string>>;
  /** Environment variables with secret values, which are in no command line: they go in by standard input. */
  readonly values: readonly EnvironmentValue[];
  /** Of the registries that it may ask; their values are among the others. */
  readonly logins: readonly RegistryLogin[];
  readonly log: BuildOutput;
}

/** What makes something of the lines that a builder writes. */
export interface BuildOutput {
  line(text: string): void;
  end(): BuildVerdict;
}

/** What the docker command of a host can build with; `none` where there is no such command. */
export type DockerCommand = "buildkit" | "classic" | "none";

/** What sh says of a command that is not there, or cannot be run. */
const NOT_RUN = [126, 127];

/** Leaves what comes in as descriptor 3 as well, for WITH_VALUES: what stands between them may give the builder another input. */
const WITH_INPUT = `exec 3<&0; exec "$@"`;

/**
 * Takes the values from descriptor 3, one line of base64 each, puts them into the environment under the names given as
 * arguments up to `--`, and becomes the command after it. So no value is ever in a command line or in a file. It stands right before
 * the builder's command: a variable of another script of ours that has such a name would be exported in its place.
 */
const WITH_VALUES = [
  `while [ "$1" != -- ]; do`,
  `  IFS= read -r slipway_line <&3 || exit 125`,
  // the x keeps line feeds at the value's end, which $(…) would cut off
  `  slipway_value=$(printf %s "$slipway_line" | base64 -d && printf x) || exit 125`,
  `  export "$1=\${slipway_value%x}"`,
  `  shift`,
  `done`,
  `shift`,
  `exec "$@" 3<&-`,
].join("\n");

/** Whether the host has a docker command, and BuildKit's client, buildx, in it. */
export async function findDockerCommand(
  session: HostSession,
  sudo: boolean,
  signal: AbortSignal,
): Promise<DockerCommand> {
  const outcome = await session.exec(["docker", "buildx", "version"], { sudo, signal });
  assertOutcomeKnown(outcome, session.target, "asking for buildx");
  if (outcome.kind !== "exited") return "none";
  if (outcome.code === 0) return "buildkit";
  return NOT_RUN.includes(outcome.code) ? "none" : "classic";
}

/**
 * Builds by the host's own docker command.
 * @throws SlipwayError connection-lost: the outcome is unknown; what the stream of a context threw
 */
export async function buildOnHost(
  session: HostSession,
  build: HostBuild,
  source: ContextSource,
  job: BuildJob,
  sudo: boolean,
): Promise<BuildResult> {
  const { env, log } = build;
  const lines = build.values.map(({ value }) => `${Buffer.from(value).toString("base64")}\n`).join("");
  const command = commandOf(build, source, job);
  let broken: Error | undefined;
  if (source.kind === "stream") source.tar.on("error", (error) => (broken = error));
  try {
    const outcome = await session.exec(["/bin/sh", "-c", WITH_INPUT, "build", ...command], {
      stdin: source.kind === "stored" ? lines : Readable.from(after(lines, source.tar)),
      env,
      onLine: (line) => log.line(line),
      timeoutMs: job.timeoutMs,
      signal: job.signal,
      sudo,
    });
    if (broken !== undefined) throw broken;
    assertOutcomeKnown(outcome, session.target, `building ${job.ref}`);
    const verdict = log.end();
    if (outcome.kind === "exited" && outcome.code === 0) return { kind: "ended" };
    const how = outcome.kind === "exited" ? `exit code ${outcome.code}` : `killed by ${outcome.signal}`;
    return { kind: "failed", ...verdict, error: verdict.error ?? `the docker command ended with ${how}` };
  } catch (error) {
    throw broken ?? error;
  } finally {
    if (source.kind === "stream") source.tar.destroy();
  }
}

function commandOf(build: HostBuild, source: ContextSource, job: BuildJob): readonly string[] {
  const place = source.kind === "stored" ? source.context.store : "/tmp";
  return withLogins(build.logins, place, builderCommand(build, source, job));
}

function builderCommand(
  { argv: builder, takesFolders, values }: HostBuild,
  source: ContextSource,
  job: BuildJob,
): readonly string[] {
  const names = values.map(({ variable }) => variable);
  const argv = ["/bin/sh", "-c", WITH_VALUES, "build", ...names, "--", ...builder];
  const byTar = [...argv, `--file=${job.dockerfile}`, "-"];
  if (source.kind === "stream") return byTar;
  const { store, book } = source.context;
  if (!takesFolders) return ["/bin/sh", "-c", FROM_STORE, "build", store, book, ...byTar];
  return ["/bin/sh", "-c", FROM_FOLDER, "build", store, book, resourceKey(job), job.dockerfile, ...argv];
}

async function* after(lines: string, tar: Readable): AsyncGenerator<Buffer> {
  if (lines !== "") yield Buffer.from(lines);
  for await (const chunk of tar) yield chunk as Buffer;
}
