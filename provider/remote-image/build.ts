import { SlipwayError, isSlipwayError } from "../errors";
import { formatDuration } from "../duration";
import type { HostSession } from "../host/session";
import type { Log } from "../log";
import type { Redact } from "../secret";
import { buildKitBuild } from "./build-buildkit";
import { buildClassic, classicBuild } from "./build-classic";
import type { BuildJob, Builder, BuildResult } from "./build-job";
import { type ContextSource, buildOnHost, findDockerCommand } from "./build-on-host";
import { INLINE_DOCKERFILE } from "./context";
import { type StoredContext, isWhole, storeContext } from "./context-store";
import { type TarPiece, contextTar, tarBytes, tarPieces } from "./context-tar";
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
  readonly random: () => number;
}

/**
 * Sends the context and builds the image under its ref and tags.
 * @throws SlipwayError image-build-failed (nothing else was touched), context-changed, connection-lost (outcome unknown)
 */
export async function buildImage(session: HostSession, wish: BuildWish): Promise<Builder> {
  const { spec, ref, log, signal } = wish;
  const deadline = AbortSignal.timeout(spec.timeoutMs);
  const limits = { timeoutMs: spec.timeoutMs, signal: AbortSignal.any([signal, deadline]) };
  const sudo = await needsSudo(session, signal);
  // the files are read while the host answers
  const choosing = chooseBuilder(session, wish, sudo);
  choosing.catch(() => {});
  const { folder, entries, bytes, digests, hash, dockerfile } = await readContext({
    folder: spec.context ?? "",
    dockerfile: spec.dockerfile,
    wall: wish.wall,
    signal: limits.signal,
  });
  if (hash !== wish.contextHash) throw changed(folder);
  const pieces = tarPieces({ entries }, digests, spec.dockerfileInline);
  const job: BuildJob = {
    ...wish,
    ...limits,
    target: session.target,
    dockerfile: dockerfile ?? INLINE_DOCKERFILE,
    redact: (text) => session.redact(wish.redact(text)),
  };
  const store = (): Promise<StoredContext | undefined> =>
    storeContext(session, pieces, { log, random: wish.random, ...limits });
  try {
    const { builder, byCommand } = await choosing;
    let stored = byCommand ? await store() : undefined;
    log.progress(`building ${ref} on ${session.target} (${builder}), context ${formatBytes(bytes)}`);
    let result = await buildWith(session, builder, sourceOf(stored, pieces, log), job, sudo);
    if (result.kind === "failed" && stored !== undefined && hasRunNothing(result)) {
      if (await isWhole(session, stored, { log, random: wish.random, ...limits })) throw failed(job, result);
      log.progress(`a part of the context was gone on ${session.target}: sending it again`);
      stored = await store();
      result = await buildWith(session, builder, sourceOf(stored, pieces, log), job, sudo);
    }
    if (result.kind === "failed") throw failed(job, result);
    return builder;
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.aborted || isSlipwayError(error, "command-timeout")) throw late(job, error);
    throw error;
  }
}

async function buildWith(
  session: HostSession,
  builder: Builder,
  source: ContextSource,
  job: BuildJob,
  sudo: boolean,
): Promise<BuildResult> {
  if (builder === "buildkit") return buildOnHost(session, buildKitBuild(job), source, job, sudo);
  if (source.kind === "stored") return buildOnHost(session, classicBuild(job), source, job, sudo);
  return buildClassic(await session.docker(job.signal), source.tar, job);
}

function sourceOf(stored: StoredContext | undefined, pieces: readonly TarPiece[], log: Log): ContextSource {
  if (stored !== undefined) return { kind: "stored", context: stored };
  const tar = withProgress(contextTar(pieces), { bytes: 0, ofBytes: tarBytes(pieces) }, log);
  return { kind: "stream", tar };
}

/** No step of the Dockerfile was begun: what came may be no tar. */
function hasRunNothing({ step }: Extract<BuildResult, { kind: "failed" }>): boolean {
  return step === undefined || step.startsWith("[internal]");
}

interface Choice {
  readonly builder: Builder;
  /** By the host's docker command, which takes a context from the host's store; else by the Engine API. */
  readonly byCommand: boolean;
}

async function chooseBuilder(session: HostSession, wish: BuildWish, sudo: boolean): Promise<Choice> {
  const { spec } = wish;
  // a command line has no place for these
  const needsApi = spec.registries.length > 0 || Object.keys(spec.buildArgs).some(isCommandVariable);
  if (needsApi) return { builder: "classic", byCommand: false };
  const command = await findDockerCommand(session, sudo, wish.signal);
  const secret = Object.keys(spec.secrets).length > 0;
  if (spec.builder === "classic" || (command !== "buildkit" && spec.builder === "auto" && !secret)) {
    return { builder: "classic", byCommand: command !== "none" };
  }
  if (command === "buildkit") return { builder: "buildkit", byCommand: true };
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
