import { Readable } from "node:stream";
import { assertOutcomeKnown } from "../host/known-outcome";
import type { HostSession } from "../host/session";
import type { BuildJob, BuildResult } from "./build-job";
import { BuildKitLog } from "./build-log";

/**
 * Takes the values from standard input, one line of base64 each, puts them into the environment under the names given as
 * arguments up to `--`, and becomes the command after it, which reads the rest of standard input: the tar. So no value is
 * ever in a command line or in a file.
 */
const WITH_VALUES = [
  `while [ "$1" != -- ]; do`,
  `  IFS= read -r line || exit 125`,
  // the x keeps line feeds at the value's end, which $(…) would cut off
  `  value=$(printf %s "$line" | base64 -d && printf x) || exit 125`,
  `  export "$1=\${value%x}"`,
  `  shift`,
  `done`,
  `shift`,
  `exec "$@"`,
].join("\n");

/** True when the host's docker command has BuildKit's client, buildx. */
export async function hasBuildKit(
  session: HostSession,
  sudo: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const outcome = await session.exec(["docker", "buildx", "version"], { sudo, signal });
  assertOutcomeKnown(outcome, session.target, "asking for buildx");
  return outcome.kind === "exited" && outcome.code === 0;
}

/**
 * Builds by the host's own `docker buildx`, on the engine's BuildKit.
 * @throws SlipwayError connection-lost: the outcome is unknown
 */
export async function buildWithBuildKit(
  session: HostSession,
  tar: Readable,
  job: BuildJob,
  sudo: boolean,
): Promise<BuildResult> {
  const log = new BuildKitLog(job.redact, (line) => job.log.progress(line));
  const values = valuesOf(job);
  const lines = values.map(({ value }) => `${Buffer.from(value).toString("base64")}\n`).join("");
  let broken: Error | undefined;
  tar.on("error", (error) => (broken = error));
  const argv = ["/bin/sh", "-c", WITH_VALUES, "build", ...values.map(({ variable }) => variable), "--"];
  try {
    const outcome = await session.exec([...argv, ...buildCommand(job)], {
      stdin: Readable.from(after(lines, tar)),
      env: { BUILDX_NO_DEFAULT_ATTESTATIONS: "1" },
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
    return { kind: "failed", ...verdict, error: verdict.error ?? `docker buildx ended with ${how}` };
  } catch (error) {
    throw broken ?? error;
  } finally {
    tar.destroy();
  }
}

/** The command line; build arguments and secrets are in it by name only. */
export function buildCommand(job: BuildJob): readonly string[] {
  const { spec } = job;
  const secrets = valuesOf(job).filter(({ kind }) => kind === "secret");
  return [
    ...["docker", "buildx", "build", "--builder=default", "--load", "--progress=plain"],
    `--file=${job.dockerfile}`,
    ...[job.ref, ...spec.tags].map((tag) => `--tag=${tag}`),
    ...Object.keys(spec.buildArgs).map((name) => `--build-arg=${name}`),
    ...secrets.map(({ name, variable }) => `--secret=id=${name},env=${variable}`),
    ...Object.entries(job.labels).map(([name, value]) => `--label=${name}=${value}`),
    ...(spec.target === undefined ? [] : [`--target=${spec.target}`]),
    ...(spec.platform === undefined ? [] : [`--platform=${spec.platform}`]),
    ...(spec.network === undefined ? [] : [`--network=${spec.network}`]),
    ...(spec.pull ? ["--pull"] : []),
    ...(spec.noCache ? ["--no-cache"] : []),
    ...spec.cacheFrom.map((image) => `--cache-from=${image}`),
    ...spec.extraHosts.map((entry) => `--add-host=${entry}`),
    "-",
  ];
}

interface EnvironmentValue {
  readonly kind: "argument" | "secret";
  readonly name: string;
  readonly variable: string;
  readonly value: string;
}

function valuesOf({ spec }: BuildJob): readonly EnvironmentValue[] {
  return [
    ...Object.entries(spec.buildArgs).map(([name, value]) => ({
      kind: "argument" as const,
      name,
      variable: name,
      value,
    })),
    ...Object.entries(spec.secrets).map(([name, value], index) => ({
      kind: "secret" as const,
      name,
      variable: `SLIPWAY_SECRET_${index}`,
      value,
    })),
  ];
}

async function* after(lines: string, tar: Readable): AsyncGenerator<Buffer> {
  if (lines !== "") yield Buffer.from(lines);
  for await (const chunk of tar) yield chunk as Buffer;
}
