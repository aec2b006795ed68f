import { SlipwayError, isSlipwayError } from "../errors";
import type { HandlerContext } from "../handler";
import { type Connection, secretsOf, targetOf } from "../host/connection";
import { machineIdOf, machineIdsFrom } from "../host/machine/machine-id";
import { withHost } from "../host/pool";
import { recordedHostKeyOf } from "../host/machine/recorded-host-key";
import { formerOf, type Machines } from "../host/machine/same-machine";
import type { HostSession } from "../host/session";
import { LABEL } from "../container/labels";
import type { Log } from "../log";
import { retry } from "../retry";
import { type Redact, redactor } from "../secret";
import { type BuildWish, buildImage } from "./build";
import { CONTEXT_HASH_LABEL, earlierRefs, ensureTags, findImage, removeNames } from "./images";
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
  /** Names of an earlier run that are not wanted any more. */
  readonly dropped: readonly string[];
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
    onHost(connection, wish, context, async (session, log, redact) => {
      const docker = await session.docker(context.signal);
      const { spec, ref, contextHash } = wish;
      const before = await findImage(docker, ref, contextHash);
      let builder: ImageOnHost["builder"];
      if (before === undefined) {
        const labels = { ...spec.labels, ...ownLabels(contextHash, context) };
        const { signal, clock, random } = context;
        const wall = (): number => clock.wall();
        const build: BuildWish = { spec, ref, contextHash, labels, log, redact, signal, wall, random };
        builder = await buildImage(session, build);
      }
      const image = before ?? (await findImage(docker, ref, contextHash));
      if (image === undefined) throw notThere(ref, session.target);
      await ensureTags(docker, ref, image.id, spec.tags);
      if (before === undefined) log.keep(`${ref} built on ${session.target}`);
      else log.progress(`${ref} is there already on ${session.target}`);
      const resource = resourceOf(context);
      const earlier = await earlierRefs(docker, {
        name: wish.name,
        resource,
        stack: context.stack,
        current: ref,
      });
      const machineId = machineIdOf(await session.facts());
      const imageId = wish.recordedIds[formerTarget(connection, machineId, wish.before)];
      const owner = { imageId, resource, stack: context.stack };
      await removeNames(docker, [...new Set([...earlier, ...wish.dropped])], owner, log);
      return { connection, hostKey: session.hostKey, machineId, image, builder };
    }),
  );
}

/** What one host has now; changes nothing. */
export async function observeImage(
  connection: Connection,
  of: Pick<Wish, "ref" | "contextHash" | "hostKeys">,
  context: HandlerContext,
): Promise<ImageOnHost> {
  return onHost(connection, of, context, async (session) => {
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
  await onHost(connection, of, context, async (session, log) => {
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

function onHost<T>(
  connection: Connection,
  { hostKeys, spec }: { readonly hostKeys: Wish["hostKeys"]; readonly spec?: ImageSpec },
  context: HandlerContext,
  use: (session: HostSession, log: Log, redact: Redact) => Promise<T>,
): Promise<T> {
  const redact = redactor([...secretsOf(connection), ...(spec === undefined ? [] : secretValues(spec))]);
  const log = redacted(context.log, redact);
  const { clock, random, signal } = context;
  const recordedHostKey = recordedHostKeyOf({ hostKeys }, connection);
  return withHost(connection, { log, clock, random, signal, recordedHostKey }, (session) =>
    use(session, log, redact),
  );
}

/** Build arguments count as secrets here: nobody says which of them are. */
function secretValues(spec: ImageSpec): readonly string[] {
  return [
    ...Object.values(spec.secrets),
    ...Object.values(spec.buildArgs),
    ...spec.registries.map((login) => login.password),
  ];
}

function redacted(log: Log, redact: Redact): Log {
  return {
    progress: (line) => log.progress(redact(line)),
    keep: (text) => log.keep(redact(text)),
    warn: (text) => log.warn(redact(text)),
    debug: (text) => log.debug(redact(text)),
  };
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
