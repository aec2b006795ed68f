import type Docker from "dockerode";
import { SlipwayError, isSlipwayError } from "../errors";
import type { HandlerContext } from "../handler";
import { type Connection, targetOf } from "../host/connection";
import { machineIdOf, machineIdsFrom } from "../host/machine/machine-id";
import { formerOf, type Machines } from "../host/machine/same-machine";
import type { HostSession } from "../host/session";
import { LABEL } from "../container/labels";
import type { Log } from "../log";
import { retry } from "../retry";
import type { BuildWish } from "./build";
import { pruneBuildCache } from "./build-cache";
import { buildFitting, isFor, wantedArchitecture } from "./build-fitting";
import { CONTEXT_HASH_LABEL, earlierRefs, ensureTags, findImage, removeNames, unused } from "./images";
import { onImageHost } from "./image-host";
import { pushImage, type RegistryAccess } from "./push";
import type { ImageOnHost, RecordedImage } from "./recorded";
import type { ImageSpec } from "./spec";

/** A build that lost its connection is looked at and begun again, so often. */
const ATTEMPTS = { attempts: 3, firstPauseMs: 1_000, longestPauseMs: 5_000 };

/** What a host is to have. */
export interface Wish {
  readonly spec: ImageSpec;
  readonly name: string;
  readonly ref: string;
  readonly contextHash: string;
  /** Of a context in git. */
  readonly commit: string | undefined;
  /** Names of an earlier run that are not wanted any more. */
  readonly dropped: readonly string[];
  /** Whether this host is the one that pushes it. */
  readonly pushes: boolean;
  readonly recordedIds: Readonly<Record<string, string>>;
  /** The hosts of an earlier run. */
  readonly before: Machines;
  readonly hostKeys: Readonly<Record<string, string>>;
}

/** Brings the image onto one host: found by its ref and label, or built; then earlier refs that nothing uses go. */
export async function ensureImage(
  connection: Connection,
  wish: Wish,
  context: HandlerContext,
): Promise<ImageOnHost> {
  const isTransient = (error: unknown): boolean => isSlipwayError(error, "connection-lost");
  const onRetry = (error: unknown): void =>
    context.log.progress(`${error instanceof Error ? error.message : ""} Looking at the host again`);
  return retry(ATTEMPTS, { ...context, isTransient, onRetry }, () =>
    onImageHost(connection, wish, context, async (session, log, redact) => {
      // the facts are wanted by all that follows, and take as long as the engine's first answers
      const facts = session.facts({ signal: context.signal });
      facts.catch(() => {});
      const docker = await session.docker(context.signal);
      const { spec, ref, contextHash, commit } = wish;
      const { signal, clock, random } = context;
      const found = await findImage(docker, ref, contextHash);
      const wanted = await wantedArchitecture(session, spec, signal);
      const before = found !== undefined && isFor(found, wanted) ? found : undefined;
      const labels = { ...spec.labels, ...ownLabels(contextHash, context) };
      const build: BuildWish = { spec, ref, contextHash, commit, labels, log, redact, signal, clock, random };
      const built = before === undefined ? await buildFitting(session, docker, build, wanted) : undefined;
      const image = before ?? built?.image;
      if (image === undefined) throw notThere(ref, session.target);
      if (before !== undefined) log.progress(`${ref} is there already on ${session.target}`);
      const resource = resourceOf(context);
      const [earlier] = await Promise.all([
        earlierRefs(docker, { name: wish.name, resource, stack: context.stack, current: ref }),
        ensureTags(docker, ref, image.id, spec.tags),
      ]);
      const access = { session, docker, log, redact, clock, random, signal };
      const repoDigest = wish.pushes ? await pushAll(access, ref, spec) : undefined;
      await removeEarlier(docker, connection, wish, earlier, { session, log, context });
      const builder = built?.builder;
      if (builder !== undefined && spec.cacheBytes !== undefined) {
        await pruneBuildCache(docker, spec.cacheBytes, { log, target: session.target, signal });
      }
      const machineId = machineIdOf(await facts);
      return { connection, hostKey: session.hostKey, machineId, image, builder, repoDigest };
    }),
  );
}

/** Earlier images that nothing uses go, but for as many as are to stay. */
async function removeEarlier(
  docker: Docker,
  connection: Connection,
  wish: Wish,
  earlier: readonly string[],
  {
    session,
    log,
    context,
  }: { readonly session: HostSession; readonly log: Log; readonly context: HandlerContext },
): Promise<void> {
  const { spec, dropped, before, recordedIds } = wish;
  const resource = resourceOf(context);
  const { stack } = context;
  // a tag of the user's own may look like a ref: the twelve digits of a commit
  const refs = earlier.filter((each) => !spec.tags.includes(each));
  const free = spec.keepImages === 0 ? [] : await unused(docker, refs);
  const staying = new Set(free.slice(0, spec.keepImages));
  const machineId = machineIdOf(await session.facts());
  const owner = { imageId: recordedIds[formerTarget(connection, machineId, before)], resource, stack };
  const going = [...new Set([...refs, ...dropped])].filter((each) => !staying.has(each));
  await removeNames(docker, going, owner, log);
}

/** Pushes the ref and the tags that have a registry's name; the digest is the ref's. */
async function pushAll(
  access: RegistryAccess,
  ref: string,
  { tags, registries }: ImageSpec,
): Promise<string> {
  const digest = await pushImage(access, ref, registries);
  for (const tag of tags.filter((each) => each.includes("/"))) await pushImage(access, tag, registries);
  access.log.keep(`${ref} pushed from ${access.session.target}`);
  return digest;
}

/** What one host has now; changes nothing. */
export async function observeImage(
  connection: Connection,
  of: Pick<Wish, "ref" | "contextHash" | "hostKeys">,
  context: HandlerContext,
): Promise<ImageOnHost> {
  return onImageHost(connection, of, context, async (session) => {
    const image = await findImage(await session.docker(context.signal), of.ref, of.contextHash);
    const machineId = machineIdOf(await session.facts());
    return { connection, hostKey: session.hostKey, machineId, image, builder: undefined };
  });
}

/** Takes all names of this resource off one host, images in use excepted; a machine with one of the ids in `staying` stays as it is. */
export async function dropImage(
  connection: Connection,
  of: Pick<RecordedImage, "name" | "ref" | "tags" | "imageIds" | "hostKeys">,
  staying: ReadonlySet<string>,
  context: HandlerContext,
): Promise<void> {
  await onImageHost(connection, of, context, async (session, log) => {
    // a release before this one recorded no ids: the old address may lead to a machine that stays
    if (staying.has(machineIdOf(await session.facts()))) return;
    const docker = await session.docker(context.signal);
    const resource = resourceOf(context);
    const earlier = await earlierRefs(docker, { ...of, resource, stack: context.stack, current: of.ref });
    const owner = { imageId: of.imageIds[session.target], resource, stack: context.stack };
    await removeNames(docker, [...of.tags, of.ref, ...earlier], owner, log);
  });
}

function formerTarget(connection: Connection, machineId: string, before: Machines): string {
  const machineIds = machineIdsFrom([[targetOf(connection), machineId]]);
  return targetOf(formerOf(connection, { hosts: [connection], machineIds }, before) ?? connection);
}

function ownLabels(contextHash: string, context: HandlerContext): Readonly<Record<string, string>> {
  return {
    [LABEL.resource]: resourceOf(context),
    [LABEL.stack]: context.stack,
    [CONTEXT_HASH_LABEL]: contextHash,
  };
}

function resourceOf(context: HandlerContext): string {
  return context.urn === "" ? context.name : context.urn;
}

function notThere(ref: string, host: string): SlipwayError {
  return new SlipwayError({
    code: "image-build-failed",
    what: `building ${ref}`,
    host,
    why: "the builder ended without an error, and the image is not there",
    left: "Nothing else was touched",
    next: "Was it removed meanwhile, or does the docker command there speak to another engine?",
  });
}
