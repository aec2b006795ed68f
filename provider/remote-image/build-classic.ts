import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type Docker from "dockerode";
import { SlipwayError, isSlipwayError, messageOf } from "../errors";
import { engineMessage, engineStatus } from "../container/engine-status";
import { argumentsOf, commonOptions } from "./build-buildkit";
import type { BuildJob, BuildResult } from "./build-job";
import { ClassicLog, ClassicTextLog } from "./build-log";
import type { HostBuild } from "./build-on-host";
import { loginValues } from "./command-login";
import { registryConfig } from "./registry-auth";

/** A build by the host's own docker command and the engine's classic builder. */
export function classicBuild(job: BuildJob): HostBuild {
  return {
    argv: ["docker", "build", "--force-rm", ...commonOptions(job)],
    takesFolders: false,
    env: { DOCKER_BUILDKIT: "0" },
    values: [...argumentsOf(job), ...loginValues(job.spec.registries)],
    logins: job.spec.registries,
    log: new ClassicTextLog(job.redact, (line) => job.log.progress(line)),
  };
}

/**
 * Builds through the Engine API. The build arguments travel in the call itself; the image's history shows those that its
 * steps used, as with every builder.
 * @throws SlipwayError connection-lost: the outcome is unknown
 */
export async function buildClassic(docker: Docker, tar: Readable, job: BuildJob): Promise<BuildResult> {
  const broken = new AbortController();
  tar.on("error", (error) => broken.abort(error));
  const signal = AbortSignal.any([job.signal, broken.signal]);
  const log = new ClassicLog(job.redact, (line) => job.log.progress(line));
  try {
    const stream = await docker.buildImage(tar, options(job, signal));
    const decoder = new StringDecoder("utf8");
    for await (const chunk of stream) log.push(decoder.write(chunk));
    const verdict = log.end();
    const { error } = verdict;
    return error === undefined ? { kind: "ended" } : { kind: "failed", ...verdict, error };
  } catch (error) {
    if (broken.signal.aborted) throw broken.signal.reason;
    job.signal.throwIfAborted();
    if (engineStatus(error) !== undefined) {
      return { kind: "failed", ...log.end(), error: job.redact(engineMessage(error)) };
    }
    if (isSlipwayError(error)) throw error;
    throw new SlipwayError({
      code: "connection-lost",
      what: `building ${job.ref}`,
      host: job.target,
      why: `the connection broke off (${job.redact(messageOf(error))})`,
      cause: error,
    });
  } finally {
    tar.destroy();
  }
}

function options(job: BuildJob, abortSignal: AbortSignal): Docker.ImageBuildOptions {
  const { spec } = job;
  const chosen = {
    version: "1" as const,
    dockerfile: job.dockerfile,
    t: job.ref,
    // several values of one name are a list here, which the types do not know
    extrahosts: spec.extraHosts as unknown as string,
    buildargs: { ...spec.buildArgs },
    labels: { ...job.labels },
    rm: true,
    forcerm: true,
    pull: spec.pull || undefined,
    nocache: spec.noCache || undefined,
    target: spec.target,
    platform: spec.platform,
    networkmode: spec.network,
    cachefrom: spec.cacheFrom.length > 0 ? JSON.stringify(spec.cacheFrom) : undefined,
    registryconfig:
      spec.registries.length > 0 ? (registryConfig(spec.registries) as Docker.RegistryConfig) : undefined,
    abortSignal,
  };
  // an undefined value would be sent as an empty one
  return Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined));
}
