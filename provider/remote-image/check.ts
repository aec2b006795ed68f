import type { CheckResult, HandlerContext, Properties } from "../handler";
import { targetsOf } from "../host/connection-fields";
import { Fields, UNKNOWN, hasUnknown } from "../values";
import { imageRef } from "./reference";
import { type SeenContext, seeContext } from "./see-context";
import { type ImageSpec, readSpec } from "./spec";

/** Arguments that say what the image is; the others say where it goes and how. Secrets are in no hash but by their ids. */
const BUILD_INPUTS =
  "context dockerfile dockerfileInline buildArgs labels target platform pull noCache cacheFrom network extraHosts triggers builder";

/**
 * Validates the arguments, reads the context, and adds `ref`, `contextHash`, `contextBytes` and `targets`, and for a context in git
 * the `commit`. `olds` are the inputs of the run before.
 */
export async function checkImage(
  olds: Properties,
  news: Properties,
  context: HandlerContext,
): Promise<CheckResult> {
  const fields = new Fields(news);
  const spec = readSpec(news, fields);
  const seen = await seeContext({ olds, news, spec }, fields, context);
  const unknown = [...BUILD_INPUTS.split(" "), "name"].some((key) => hasUnknown(news[key]));
  const hosts = [news.host, ...(Array.isArray(news.hosts) ? (news.hosts as unknown[]) : [news.hosts])];
  const allHosts = spec.hosts.length === hosts.filter((host) => host !== undefined && host !== null).length;
  const inputs = {
    ...news,
    targets: allHosts ? targetsOf(spec.hosts) : UNKNOWN,
    contextHash: seen.hash,
    contextBytes: seen.bytes,
    ...(spec.git === undefined ? {} : { commit: seen.commit }),
    ref: unknown || seen.hash === UNKNOWN ? UNKNOWN : refOf(spec, seen, news.__salt),
  };
  return { inputs, failures: fields.failures };
}

/** Name and tag for a spec and its context. */
function refOf(spec: ImageSpec, { hash, dockerfile }: SeenContext, salt: unknown): string {
  const { name = "", target, platform, network, dockerfileInline } = spec;
  const nonEmpty = <T extends object>(value: T): T | undefined =>
    Object.keys(value).length === 0 ? undefined : value;
  const inputs = {
    contextHash: hash,
    dockerfile,
    dockerfileInline,
    buildArgs: nonEmpty(spec.buildArgs),
    labels: nonEmpty(spec.labels),
    target,
    platform,
    pull: spec.pull || undefined,
    noCache: spec.noCache || undefined,
    cacheFrom: nonEmpty(spec.cacheFrom),
    network,
    extraHosts: nonEmpty(spec.extraHosts),
    triggers: nonEmpty(spec.triggers),
    secrets: nonEmpty(Object.keys(spec.secrets).sort()),
    builder: spec.builder === "auto" ? undefined : spec.builder,
  };
  const salted = Object.keys(spec.buildArgs).length > 0 && typeof salt === "string";
  return imageRef(name, inputs, salted ? salt : undefined);
}
