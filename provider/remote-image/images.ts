import type Docker from "dockerode";
import { allEnded } from "../all-ended";
import { engineStatus } from "../container/engine-status";
import { LABEL } from "../container/labels";
import type { Log } from "../log";
import { isRefOf } from "./reference";

/** The label with the hash of the context that an image was built from. */
export const CONTEXT_HASH_LABEL = "slipway.context-hash";

/** An image of ours on a host. */
export interface BuiltImage {
  readonly id: string;
  /** Bytes. */
  readonly size: number;
  /** ISO 8601, the host's clock. */
  readonly createdAt: string;
  readonly architecture: string;
  /** Number of layers. */
  readonly layers: number;
}

/** What makes an image one of this resource's: the stack's label, and its recorded id or the resource's label. */
export interface Owner {
  readonly imageId: string | undefined;
  readonly resource: string;
  readonly stack: string;
}

/** The image under this ref; undefined when there is none, or when it is not the one we built from this context. */
export async function findImage(
  docker: Docker,
  ref: string,
  contextHash: string,
): Promise<BuiltImage | undefined> {
  const found = await inspect(docker, ref);
  if (found?.Config.Labels?.[CONTEXT_HASH_LABEL] !== contextHash) return undefined;
  return {
    id: found.Id,
    size: found.Size,
    createdAt: found.Created,
    architecture: found.Architecture,
    layers: found.RootFS.Layers?.length ?? 0,
  };
}

/** Puts the tags on the image where they are not yet. */
export async function ensureTags(
  docker: Docker,
  ref: string,
  imageId: string,
  tags: readonly string[],
): Promise<void> {
  const ensure = async (tag: string): Promise<void> => {
    if ((await inspect(docker, tag))?.Id === imageId) return;
    const colon = tag.lastIndexOf(":");
    await docker.getImage(ref).tag({ repo: tag.slice(0, colon), tag: tag.slice(colon + 1) });
  };
  await allEnded(tags.map(ensure));
}

/**
 * Takes these names off images of ours, and with the last name the image goes. Images that a container was made from
 * (running or stopped: a kept revision needs it) keep theirs, and so do images that are not ours.
 */
export async function removeNames(
  docker: Docker,
  names: readonly string[],
  owner: Owner,
  log: Log,
): Promise<void> {
  const remove = async (name: string): Promise<void> => {
    const [found, users] = await Promise.all([
      inspect(docker, name),
      docker.listContainers({ all: true, filters: { ancestor: [name] } }),
    ]);
    const labels = found?.Config.Labels ?? {};
    if (found === undefined || labels[CONTEXT_HASH_LABEL] === undefined) return;
    if (found.Id !== owner.imageId && labels[LABEL.resource] !== owner.resource) return;
    if (labels[LABEL.stack] !== owner.stack) {
      // its build was used here as it was found: the id is recorded, and it is still theirs
      return log.progress(`${name} stays: another stack built it`);
    }
    if (users.length > 0) {
      const made = users.map((user) => user.Names[0]?.slice(1) ?? user.Id).join(", ");
      return log.progress(`${name} stays: ${made} was made from it`);
    }
    try {
      await docker.getImage(name).remove();
      log.progress(`${name} removed`);
    } catch (error) {
      const status = engineStatus(error);
      // gone meanwhile, or taken into use meanwhile
      if (status !== 404 && status !== 409) throw error;
    }
  };
  // one after another: an engine that removes two names of one image at once can lose sight of it (seen with 20.10)
  for (const name of names) await remove(name);
}

/** Those of these names that no container was made from. */
export async function unused(docker: Docker, names: readonly string[]): Promise<readonly string[]> {
  const users = await Promise.all(
    names.map((name) => docker.listContainers({ all: true, filters: { ancestor: [name] } })),
  );
  return names.filter((_, at) => users[at]?.length === 0);
}

/** Refs of earlier builds of this resource that are still on the host, the one that was wanted last first. */
export async function earlierRefs(
  docker: Docker,
  of: { readonly name: string; readonly resource: string; readonly stack: string; readonly current: string },
): Promise<readonly string[]> {
  const label = [`${LABEL.resource}=${of.resource}`, `${LABEL.stack}=${of.stack}`];
  const images = await docker.listImages({ filters: JSON.stringify({ label }) });
  const names = images.flatMap((image) => image.RepoTags ?? []);
  const refs = names.filter((name) => name !== of.current && isRefOf(of.name, name));
  if (refs.length < 2) return refs;
  // the list knows whole seconds only
  const dated = await Promise.all(
    refs.map(async (ref) => ({ ref, at: wantedAt(await inspect(docker, ref)) })),
  );
  return dated.sort((a, b) => b.at - a.at).map(({ ref }) => ref);
}

/** When an image got its name last, and where the engine does not tell that (it says the year 1) when it was made; milliseconds. */
function wantedAt(image: Inspected | undefined): number {
  const tagged = Date.parse(image?.Metadata?.LastTagTime ?? "");
  return tagged > 0 ? tagged : Date.parse(image?.Created ?? "") || 0;
}

async function inspect(docker: Docker, name: string) {
  try {
    // Docker leaves lists out that are empty, which the types do not say
    return (await docker.getImage(name).inspect()) as Inspected;
  } catch (error) {
    if (engineStatus(error) === 404) return undefined;
    throw error;
  }
}

interface Inspected {
  readonly Id: string;
  readonly Size: number;
  readonly Created: string;
  readonly Metadata?: { readonly LastTagTime?: string };
  readonly Architecture: string;
  readonly RootFS: { readonly Layers?: readonly string[] };
  readonly Config: { readonly Labels?: Readonly<Record<string, string>> | null };
}
