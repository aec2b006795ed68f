import type Docker from "dockerode";
import type { Clock } from "../clock";
import { pauseAfter } from "../container/registry-trouble";
import { formatDuration } from "../duration";
import { isSlipwayError } from "../errors";
import type { HostSession } from "../host/session";
import type { Log } from "../log";
import type { Redact } from "../secret";
import { buildKitBuild } from "./build-buildkit";
import { buildClassic, classicBuild } from "./build-classic";
import { baseOf, contextChanged, type FailedBuild, failed, late, lookBehind } from "./build-failure";
import { type BuildJob, type Builder, type BuildResult, resourceKey } from "./build-job";
import { type ContextSource, buildOnHost } from "./build-on-host";
import { chooseBuilder } from "./choose-builder";
import { INLINE_DOCKERFILE } from "./context";
import { type StoreOptions, type StoredContext, askStore, fillStore, isWhole } from "./context-store";
import { type TarPiece, contextTar, tarBytes, tarPieces } from "./context-tar";
import { engineRoom, mustHaveRoom } from "./engine-room";
import { openGitFolder } from "./git/git-folder";
import { type ReadContext, readContext } from "./read-context";
import { openSentMemory } from "./sent-memory";
import { fitsCommand, type ImageSpec } from "./spec";
import { needsSudo } from "./sudo";
import { formatBytes, withProgress } from "./upload";

/** What a build needs from its resource. */
export interface BuildWish {
  readonly spec: ImageSpec;
  readonly ref: string;
  /** As check saw it. */
  readonly contextHash: string;
  /** As check saw it, of a context in git. */
  readonly commit: string | undefined;
  /** The user's labels and ours. */
  readonly labels: Readonly<Record<string, string>>;
  readonly log: Log;
  readonly redact: Redact;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: () => number;
}

/** A build that ended well. */
export interface Built {
  readonly builder: Builder;
  /** What of the context had to be sent, before it was compressed. */
  readonly sentBytes: number;
}

/**
 * Sends the context and builds the image under its ref.
 * @throws SlipwayError image-build-failed (nothing else was touched), context-changed, connection-lost (outcome unknown)
 */
export async function buildImage(session: HostSession, docker: Docker, wish: BuildWish): Promise<Built> {
  const { spec, ref, log, signal } = wish;
  const deadline = AbortSignal.timeout(spec.timeoutMs);
  const limits = { timeoutMs: spec.timeoutMs, signal: AbortSignal.any([signal, deadline]) };
  const sudo = await needsSudo(session, signal);
  // the files are read, and sent, while the host answers
  const choosing = chooseBuilder(session, wish, sudo, signal);
  const looking = engineRoom(session, docker, signal);
  for (const each of [choosing, looking]) each.catch(() => {});
  const read = async (): Promise<ReadContext> =>
    readContext({
      folder: await folderOf(wish, limits.signal),
      dockerfile: spec.dockerfile,
      wall: () => wish.clock.wall(),
      signal: limits.signal,
    });
  const { folder, entries, bytes, digests, hash, dockerfile } = await read().catch((error: unknown) => {
    if (!deadline.aborted || signal.aborted) throw error;
    throw late({ ref, target: session.target, timeoutMs: spec.timeoutMs }, error);
  });
  if (hash !== wish.contextHash) throw contextChanged(folder);
  const pieces = tarPieces({ entries }, digests, spec.dockerfileInline);
  const job: BuildJob = {
    ...wish,
    ...limits,
    target: session.target,
    dockerfile: dockerfile ?? INLINE_DOCKERFILE,
    redact: (text) => session.redact(wish.redact(text)),
  };
  try {
    const sent: Sending = { session, pieces, job, wish, storing: storeOptions(session, job, wish) };
    const asking = fitsCommand(spec) ? askStore(session, pieces, sent.storing) : undefined;
    asking?.catch(() => {});
    // whoever may be refused sends no more than a question before
    const room = await looking;
    if (room !== undefined) mustHaveRoom(room, bytes, ref, session.target);
    const { builder, byCommand } = await choosing;
    const stored = byCommand ? await store(sent, asking) : undefined;
    const stage: Stage = { ...sent, docker, builder, sudo };
    log.progress(`building ${ref} on ${session.target} (${builder}), context ${formatBytes(bytes)}`);
    await buildThrough(stage, stored);
    return { builder, sentBytes: stored?.sentBytes ?? tarBytes(pieces) };
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.aborted || isSlipwayError(error, "command-timeout")) throw late(job, error);
    throw error;
  }
}

/** Where the context lies on this machine; one in git is fetched again where its files are not kept any more. */
async function folderOf({ spec, commit, ...context }: BuildWish, signal: AbortSignal): Promise<string> {
  const { context: folder = "", git, gitAuth: auth, dockerfile } = spec;
  return git === undefined || commit === undefined
    ? folder
    : openGitFolder({ git, auth, context, signal }, commit, dockerfile);
}

/** What is sent, and where to. */
interface Sending {
  readonly session: HostSession;
  readonly pieces: readonly TarPiece[];
  readonly job: BuildJob;
  readonly wish: BuildWish;
  readonly storing: StoreOptions;
}

interface Stage extends Sending {
  readonly docker: Docker;
  readonly builder: Builder;
  readonly sudo: boolean;
}

/** Builds, again where a piece of the context was gone, or where the registry of a base image may be better in a moment. */
async function buildThrough(stage: Stage, first: StoredContext | undefined): Promise<void> {
  const { session, job, wish } = stage;
  const { log, clock, random } = wish;
  let stored = first;
  let isSound = false;
  for (let n = 1; ; n++) {
    const result = await buildOnce(stage, stored);
    if (result.kind === "ended") return;
    if (stored !== undefined && !isSound && hasRunNothing(result)) {
      isSound = true;
      if (!(await isWhole(session, stored, stage.storing))) {
        log.progress(`a part of the context was gone on ${session.target}: sending it again`);
        stored = await store(stage);
        continue;
      }
    }
    const trouble = await lookBehind({ ...stage, wall: () => clock.wall() }, job, result);
    const error = failed(job, result, trouble);
    const pauseMs = trouble.registry && pauseAfter(trouble.registry, n, random);
    if (pauseMs === undefined) throw error;
    log.progress(`${error.message.split("\n")[0] ?? ""} Trying again in ${formatDuration(pauseMs)}`);
    await clock.sleep(pauseMs, job.signal);
  }
}

async function buildOnce(
  { session, docker, job, wish, pieces, builder, sudo }: Stage,
  stored: StoredContext | undefined,
): Promise<BuildResult> {
  const source = sourceOf(stored, pieces, wish.log);
  if (builder === "buildkit") return buildOnHost(session, buildKitBuild(job), source, job, sudo);
  if (source.kind === "stored") return buildOnHost(session, classicBuild(job), source, job, sudo);
  return buildClassic(docker, source.tar, job);
}

/** Brings the context onto the host; `asking` is the answer to a question that was sent before. */
async function store(
  { session, pieces, storing }: Sending,
  asking = askStore(session, pieces, storing),
): Promise<StoredContext | undefined> {
  const answer = await asking;
  return answer && fillStore(session, pieces, answer, storing);
}

function storeOptions(session: HostSession, job: BuildJob, { log, random, clock }: BuildWish): StoreOptions {
  const memory = openSentMemory([session.target, session.hostKey, resourceKey(job)]);
  return { log, memory, random, wall: () => clock.wall(), timeoutMs: job.timeoutMs, signal: job.signal };
}

function sourceOf(stored: StoredContext | undefined, pieces: readonly TarPiece[], log: Log): ContextSource {
  if (stored !== undefined) return { kind: "stored", context: stored };
  const tar = withProgress(contextTar(pieces), { bytes: 0, ofBytes: tarBytes(pieces) }, log);
  return { kind: "stream", tar };
}

/** No step of the Dockerfile was begun, and no image was looked for: what came may be no tar. */
function hasRunNothing({ step }: FailedBuild): boolean {
  return step === undefined || (step.startsWith("[internal]") && baseOf(step) === undefined);
}
