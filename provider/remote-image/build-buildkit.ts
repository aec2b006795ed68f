import type { BuildJob } from "./build-job";
import { BuildKitLog } from "./build-log";
import type { HostBuild } from "./build-on-host";
import { loginValues } from "./command-login";
import type { EnvironmentValue } from "./environment-value";
import { INLINE_CACHE } from "./spec";

/** A build by the host's own `docker buildx`, on the engine's BuildKit. */
export function buildKitBuild(job: BuildJob): HostBuild {
  return {
    argv: buildCommand(job),
    takesFolders: true,
    env: { BUILDX_NO_DEFAULT_ATTESTATIONS: "1" },
    values: [...argumentsOf(job), ...secretsOf(job), ...loginValues(job.spec.registries)],
    logins: job.spec.registries,
    log: new BuildKitLog(job.redact, (line) => job.log.progress(line)),
  };
}

/** The command line; build arguments and secrets are in it by name only. */
function buildCommand(job: BuildJob): readonly string[] {
  return [
    ...["docker", "buildx", "build", "--builder=default", "--load", "--progress=plain"],
    ...commonOptions(job),
    ...secretsOf(job).map(({ name, variable }) => `--secret=id=${name},env=${variable}`),
    ...job.spec.cacheTo.map((to) => `--cache-to=${cacheTarget(to)}`),
  ];
}

/** With the layers of every stage, where the registry keeps a cache of its own. */
function cacheTarget(to: string): string {
  return to === INLINE_CACHE ? "type=inline" : `type=registry,mode=max,ref=${to}`;
}

/** What both builders' commands call by the same names. The tags are put on when the image was looked at: it may be refused. */
export function commonOptions({ spec, ref, labels }: BuildJob): readonly string[] {
  return [
    `--tag=${ref}`,
    ...Object.entries(spec.buildArgs).map(([name, value]) =>
      NOT_SET.includes(name) ? `--build-arg=${name}=${value}` : `--build-arg=${name}`,
    ),
    ...Object.entries(labels).map(([name, value]) => `--label=${name}=${value}`),
    ...(spec.target === undefined ? [] : [`--target=${spec.target}`]),
    ...(spec.platform === undefined ? [] : [`--platform=${spec.platform}`]),
    ...(spec.network === undefined ? [] : [`--network=${spec.network}`]),
    ...(spec.pull ? ["--pull"] : []),
    ...(spec.noCache ? ["--no-cache"] : []),
    ...spec.cacheFrom.map((image) => `--cache-from=${image}`),
    ...spec.extraHosts.map((entry) => `--add-host=${entry}`),
  ];
}

/** What bash, which is sh on many systems, lets nobody set: numbers of users and processes, which are no secrets. */
const NOT_SET = ["UID", "EUID", "PPID"];

/** The build arguments, each in a variable of its own name. */
export function argumentsOf({ spec }: BuildJob): readonly EnvironmentValue[] {
  const values = Object.entries(spec.buildArgs).map(([variable, value]) => ({ variable, value }));
  return values.filter(({ variable }) => !NOT_SET.includes(variable));
}

function secretsOf({ spec }: BuildJob): readonly (EnvironmentValue & { readonly name: string })[] {
  return Object.entries(spec.secrets).map(([name, value], index) => ({
    name,
    variable: `SLIPWAY_SECRET_${index}`,
    value,
  }));
}
