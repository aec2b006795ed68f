import { SlipwayError, isSlipwayError } from "../errors";
import { formatDuration } from "../duration";
import type { HostSession } from "../host/session";
import type { Log } from "../log";
import type { Redact } from "../secret";
import { buildClassic } from "./build-classic";
import { buildWithBuildKit, hasBuildKit } from "./build-buildkit";
import type { BuildJob, Builder, BuildResult } from "./build-job";
import { INLINE_DOCKERFILE } from "./context";
import { contextTar, tarPieces } from "./context-tar";
import { readContext } from "./read-context";
import { type ImageSpec, isCommandVariable } from "./spec";
import { formatBytes, withProgress } from "./upload";

/** What a build needs from its resource. */
export interface BuildWish {
  readonly spec: ImageSpec;
  readonly ref: string;
  /** As check saw it. */
  readonly contextHash: string;
  /** The user's labels and ours. */
  readonly labels: Readonly<Record<string, string>>;
  readonly log: Log;
  readonly redact: Redact;
  readonly signal: AbortSignal;
  /** The calendar's milliseconds. */
  readonly wall: () => number;
}

/**
 * Sends the context and builds the image under its ref and tags.
 * @throws SlipwayError image-build-failed (nothing else was touched), context-changed, connection-lost (outcome unknown)
 */
export async function buildImage(session: HostSession, wish: BuildWish): Promise<Builder> {
  const { spec, ref, log } = wish;
  const sudo = await needsSudo(session, wish.signal);
  const builder = await chooseBuilder(session, wish, sudo);
  const context = await readContext({
    folder: spec.context ?? "",
    dockerfile: spec.dockerfile,
    wall: wish.wall,
    signal: wish.signal,
  });
  if (context.hash !== wish.contextHash) throw changed(context.folder);
  log.progress(`building ${ref} on ${session.target} (${builder}), context ${formatBytes(context.bytes)}`);
  const deadline = AbortSignal.timeout(spec.timeoutMs);
  const job: BuildJob = {
    ...wish,
    target: session.target,
    dockerfile: context.dockerfile ?? INLINE_DOCKERFILE,
    redact: (text) => session.redact(wish.redact(text)),
    timeoutMs: spec.timeoutMs,
    signal: AbortSignal.any([wish.signal, deadline]),
  };
  const files = contextTar(tarPieces(context, context.digests, spec.dockerfileInline));
  const tar = withProgress(files, context.bytes, log);
  try {
    const result =
      builder === "classic"
        ? await buildClassic(await session.docker(job.signal), tar, job)
        : await buildWithBuildKit(session, tar, job, sudo);
    if (result.kind === "failed") throw failed(job, result);
    return builder;
  } catch (error) {
    wish.signal.throwIfAborted();
    if (deadline.aborted || isSlipwayError(error, "command-timeout")) throw late(job, error);
    throw error;
  } finally {
    files.destroy();
  }
}

async function chooseBuilder(session: HostSession, wish: BuildWish, sudo: boolean): Promise<Builder> {
  const { spec } = wish;
  if (spec.builder === "classic") return "classic";
  const needsClassic = spec.registries.length > 0 || Object.keys(spec.buildArgs).some(isCommandVariable);
  if (needsClassic) return "classic";
  if (await hasBuildKit(session, sudo, wish.signal)) return "buildkit";
  const secret = Object.keys(spec.secrets).length > 0;
  if (spec.builder === "auto" && !secret) return "classic";
  throw new SlipwayError({
    code: "image-build-failed",
    what: `building ${wish.ref}`,
    host: session.target,
    why: `${secret ? "secrets need" : "builder buildkit needs"} BuildKit, and the docker command there has no buildx`,
    left: "Nothing was touched",
    next: "Install the host's package docker-buildx-plugin (Docker's own) or docker-buildx (Debian's)",
  });
}

/** The docker command wants the socket: root, its group, or sudo. */
async function needsSudo(session: HostSession, signal: AbortSignal): Promise<boolean> {
  const { user, sudo } = await session.facts({ signal });
  return user.uid !== 0 && !user.groups.includes("docker") && sudo !== "none";
}

function changed(folder: string): SlipwayError {
  return new SlipwayError({
    code: "context-changed",
    what: "sending the build context",
    why: `${folder} is not any more what the run began with`,
    left: "Nothing was built",
    next: "Run the update again when nothing writes into the folder",
  });
}

function failed(job: BuildJob, result: Extract<BuildResult, { kind: "failed" }>): SlipwayError {
  return new SlipwayError({
    code: "image-build-failed",
    what: `building ${job.ref}`,
    host: job.target,
    why: result.step === undefined ? result.error : `${result.step}: ${result.error}`,
    left: "Nothing else was touched",
    ...(result.tail === "" ? {} : { evidence: result.tail }),
  });
}

function late(job: BuildJob, cause: unknown): SlipwayError {
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
