import type Docker from "dockerode";
import { imageArchitecture } from "../container/architecture";
import { formatDuration } from "../duration";
import { SlipwayError } from "../errors";
import type { HostSession } from "../host/session";
import { type BuildWish, buildImage } from "./build";
import type { Builder } from "./build-job";
import { type BuiltImage, findImage } from "./images";
import type { ImageSpec } from "./spec";
import { formatBytes } from "./upload";

/** What an image is to be for: the platform that was asked for, else the host. Undefined where nobody knows. */
export async function wantedArchitecture(
  session: HostSession,
  { platform }: Pick<ImageSpec, "platform">,
  signal: AbortSignal,
): Promise<string | undefined> {
  return platform?.split("/")[1] ?? imageArchitecture((await session.facts({ signal })).architecture);
}

/** Whether an image is for what was wanted, as far as both are known. */
export function isFor({ architecture }: BuiltImage, wanted: string | undefined): boolean {
  return wanted === undefined || architecture === "" || architecture === wanted;
}

/**
 * Builds an image that is for this architecture. The classic builder takes steps from its cache that were built for another one
 * (seen with 20.10): then it builds once more, without the cache. The image is undefined when it is not there after all.
 * @throws SlipwayError image-build-failed: as `buildImage`, or its base image is for another one
 */
export async function buildFitting(
  session: HostSession,
  docker: Docker,
  wish: BuildWish,
  wanted: string | undefined,
): Promise<{ readonly image: BuiltImage | undefined; readonly builder: Builder }> {
  const { spec, ref, contextHash, log, clock } = wish;
  const began = clock.now();
  const { builder, sentBytes } = await buildImage(session, docker, wish);
  const image = await findImage(docker, ref, contextHash);
  if (image !== undefined && !isFor(image, wanted)) {
    if (builder !== "classic" || spec.noCache) throw forAnother(session, wish, image, wanted);
    log.progress(`${ref} was made from the cache of a build for ${image.architecture}: building it without`);
    return buildFitting(session, docker, { ...wish, spec: { ...spec, noCache: true } }, wanted);
  }
  const sent = `${formatBytes(sentBytes)} of its context sent`;
  log.keep(`${ref} built on ${session.target} in ${formatDuration(clock.now() - began)}, ${sent}`);
  return { image, builder };
}

function forAnother(
  { target }: HostSession,
  { ref, spec: { platform } }: BuildWish,
  { architecture }: BuiltImage,
  wanted: string | undefined,
): SlipwayError {
  const other =
    platform === undefined ? `the host is ${wanted ?? ""}` : `the platform asked for is ${platform}`;
  return new SlipwayError({
    code: "image-build-failed",
    what: `building ${ref}`,
    host: target,
    why: `the image is for ${architecture}, and ${other}`,
    left: "It stands there; nothing uses it",
    next: `Name a base image that is for ${wanted ?? "it"}, or for several`,
  });
}
