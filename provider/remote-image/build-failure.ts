import type Docker from "dockerode";
import { imageArchitecture } from "../container/architecture";
import { engineStatus } from "../container/engine-status";
import { type RegistryTrouble, registryTrouble } from "../container/registry-trouble";
import { formatDuration } from "../duration";
import { SlipwayError } from "../errors";
import type { HostSession } from "../host/session";
import type { BuildJob, BuildResult } from "./build-job";
import { describeRoom, engineRoom, isScarce } from "./engine-room";
import { parseReference } from "./reference";

/** How a build failed. */
export type FailedBuild = Extract<BuildResult, { kind: "failed" }>;

/** What is found to be behind a failed build. */
export interface BuildTrouble {
  /** Of the registry of a base image, where the build failed at that. */
  readonly registry: RegistryTrouble | undefined;
  /** Sentences for the reader. */
  readonly why: readonly string[];
  readonly next: string | undefined;
}

/** What looking needs. */
export interface TroubleAccess {
  readonly session: HostSession;
  readonly docker: Docker;
  /** The calendar's milliseconds. */
  readonly wall: () => number;
}

/** Looks what is behind a failure: the registry of a base image, no room, another architecture. By what is there, not by words. */
export async function lookBehind(
  { session, docker, wall }: TroubleAccess,
  job: BuildJob,
  result: FailedBuild,
): Promise<BuildTrouble> {
  const { spec, signal } = job;
  const base = baseOf(result.step);
  const own = imageArchitecture((await session.facts({ signal })).architecture);
  const wanted = spec.platform?.split("/")[1] ?? own;
  if (base !== undefined) {
    const other = await architectureOf(docker, base);
    if (other !== undefined && wanted !== undefined && other !== wanted) {
      const why = [`${base} is on the host for ${other}, and the build is for ${wanted}`];
      return { registry: undefined, why, next: `Name a base image that is for ${wanted}, or for several` };
    }
    const registry = await registryTrouble({ session, docker, signal, wall }, base, "pull", spec.registries);
    const { why = await scarcity(session, docker, signal), next } = registry;
    return { registry, why: why === undefined ? [] : [why], next };
  }
  const why: string[] = [];
  const scarce = await scarcity(session, docker, signal);
  if (scarce !== undefined) why.push(scarce);
  const isForeign = wanted !== undefined && own !== undefined && wanted !== own;
  if (isForeign) why.push(`the build is for ${wanted}, the host is ${own}`);
  const next = isForeign
    ? `Its RUN steps need an emulator there (binfmt), or build it on a host that is ${wanted}`
    : undefined;
  return { registry: undefined, why, next };
}

/** How little room there is; undefined where there is enough. */
async function scarcity(
  session: HostSession,
  docker: Docker,
  signal: AbortSignal,
): Promise<string | undefined> {
  const room = await engineRoom(session, docker, signal);
  return room !== undefined && isScarce(room) ? describeRoom(room) : undefined;
}

/** What an image on the host is for; undefined when there is none of this name. */
async function architectureOf(docker: Docker, reference: string): Promise<string | undefined> {
  try {
    return (await docker.getImage(reference).inspect()).Architecture;
  } catch (error) {
    if (engineStatus(error) === 404) return undefined;
    throw error;
  }
}

/** The image that a step takes from a registry; undefined for other steps. */
export function baseOf(step: string | undefined): string | undefined {
  const steps =
    /^(?:\[internal\] load metadata for|resolve image config for|(?:\[[^\]]*\]|Step \d+\/\d+ :) FROM)\s+(?:--platform=\S+\s+)?(?:docker-image:\/\/)?(\S+)/;
  const given = steps.exec(step ?? "")?.[1];
  const reference = given === undefined || given === "scratch" ? undefined : parseReference(given);
  if (reference === undefined) return undefined;
  const { name, tag, digest } = reference;
  return digest === undefined ? `${name}:${tag ?? "latest"}` : `${name}@${digest}`;
}

/** The error of a build that failed. */
export function failed(job: BuildJob, result: FailedBuild, trouble?: BuildTrouble): SlipwayError {
  const said = result.step === undefined ? result.error : `${result.step}: ${result.error}`;
  return new SlipwayError({
    code: "image-build-failed",
    what: `building ${job.ref}`,
    host: job.target,
    why: [said, ...(trouble?.why ?? [])].join("; "),
    left: "Nothing else was touched",
    ...(trouble?.next === undefined ? {} : { next: trouble.next }),
    ...(result.tail === "" ? {} : { evidence: result.tail }),
  });
}

/** The error of a build that did not end in time. */
export function late(job: Pick<BuildJob, "ref" | "target" | "timeoutMs">, cause: unknown): SlipwayError {
  return new SlipwayError({
    code: "image-build-failed",
    what: `building ${job.ref}`,
    host: job.target,
    why: "it did not end in time",
    after: `timeout ${formatDuration(job.timeoutMs)}`,
    left: "Nothing else was touched",
    next: "Give it a longer `timeout`, or send less (.dockerignore)",
    cause,
  });
}

/** The error of a folder that changed between the look at it and the build. */
export function contextChanged(folder: string): SlipwayError {
  return new SlipwayError({
    code: "context-changed",
    what: "sending the build context",
    why: `${folder} is not any more what the run began with`,
    left: "Nothing was built",
    next: "Run the update again when nothing writes into the folder",
  });
}
