import type { HandlerContext, Properties } from "../handler";
import { allEnded } from "../all-ended";
import { targetOf } from "../host/connection";
import { reconnect, type Reconnection } from "../host/machine/reconnect";
import { observeImage, type Wish } from "./ensure-image";
import { imageOutputs, type RecordedImage } from "./recorded";

/**
 * The new outputs where the same machines are reached in another way, or nothing that they know of changed. Undefined
 * where there is something to do.
 */
export async function untouched(
  olds: Properties,
  news: Properties,
  recorded: RecordedImage,
  wish: Wish,
  context: HandlerContext,
): Promise<Properties | undefined> {
  if (!isSameImage(recorded, wish)) return undefined;
  const way = await reconnect(olds, wish.spec.hosts, wish.spec, context);
  if (way === undefined) return undefined;
  const outputs =
    way.kind === "moved" ? await ofMoved(news, recorded, wish, context) : carried(olds, news, way);
  if (outputs !== undefined) {
    context.log.keep(way.line === "" ? "nothing touched" : `${way.line}, nothing touched`);
  } else context.log.keep(way.line);
  return outputs;
}

/** The same image under the same names, and none of the machines lost it. */
function isSameImage(recorded: RecordedImage, { spec, ref, contextHash, dropped }: Wish): boolean {
  return (
    ref === recorded.ref &&
    contextHash === recorded.contextHash &&
    dropped.length === 0 &&
    spec.keepImages >= recorded.keepImages &&
    spec.push === (recorded.repoDigest !== undefined) &&
    spec.tags.every((tag) => recorded.tags.includes(tag)) &&
    recorded.hosts.every((host) => (recorded.imageIds[targetOf(host)] ?? "") !== "")
  );
}

/** A machine-id can be copied with a disk: the image proves the move. */
async function ofMoved(
  news: Properties,
  recorded: RecordedImage,
  { spec, ref, contextHash, hostKeys }: Wish,
  context: HandlerContext,
): Promise<Properties | undefined> {
  const wanted = { ref, contextHash, hostKeys };
  const found = await allEnded(spec.hosts.map((host) => observeImage(host, wanted, context)));
  const isThere = found.every(({ image }) => image !== undefined);
  return isThere ? imageOutputs(news, found, recorded) : undefined;
}

/** The recorded outputs under the new arguments; a machine may have another user, so another target. */
function carried(
  olds: Properties,
  news: Properties,
  { nameNow, hostKeys, machineIds }: Reconnection,
): Properties {
  const { size, createdAt, architecture, layers, imageId, repoDigest } = olds;
  const ids = Object.entries(typeof imageId === "object" ? (imageId ?? {}) : {});
  return {
    ...news,
    ...{ size, createdAt, architecture, layers, hostKeys },
    ...(repoDigest === undefined ? {} : { repoDigest }),
    builder: news.builder ?? olds.builder,
    imageId:
      ids.length === 0
        ? imageId
        : Object.fromEntries(ids.map(([target, id]) => [nameNow(target), id as unknown])),
    ...(Object.keys(machineIds).length === 0 ? {} : { machineIds }),
  };
}
