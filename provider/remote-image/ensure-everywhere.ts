import type { HandlerContext } from "../handler";
import type { Connection } from "../host/connection";
import { copyImage } from "./copy-image";
import { ensureImage, observeImage, type Wish } from "./ensure-image";
import { onImageHost } from "./image-host";
import { pullPushed } from "./push";
import type { ImageOnHost } from "./recorded";
import { needsSudo } from "./sudo";

type Outcome = PromiseSettledResult<ImageOnHost>;

/**
 * Brings the image onto all hosts, and waits for all of them: built on each, or built on one and brought to the others from
 * there. One that has it already is that one.
 */
export async function ensureEverywhere(wish: Wish, context: HandlerContext): Promise<readonly Outcome[]> {
  const { hosts, distribute, push } = wish.spec;
  if (distribute === "build" || hosts.length < 2) {
    return Promise.allSettled(
      hosts.map((host, at) => ensureImage(host, { ...wish, pushes: push && at === 0 }, context)),
    );
  }
  const seen = await Promise.allSettled(hosts.map((host) => observeImage(host, wish, context)));
  const has = (at: number): boolean => {
    const look = seen[at];
    return look?.status === "fulfilled" && look.value.image !== undefined;
  };
  const first = Math.max(
    0,
    hosts.findIndex((_, at) => has(at)),
  );
  const source = hosts[first];
  if (source === undefined) return [];
  const built = ensureImage(source, { ...wish, pushes: push }, context);
  const [settled] = await Promise.allSettled([built]);
  return Promise.allSettled(
    hosts.map(async (host, at) => {
      if (at === first || settled.status === "rejected") return built;
      if (!has(at)) await bring(source, host, { ...wish, repoDigest: settled.value.repoDigest }, context);
      return ensureImage(host, { ...wish, pushes: false }, context);
    }),
  );
}

interface Delivery extends Wish {
  /** Where the source pushed it. */
  readonly repoDigest: string | undefined;
}

async function bring(
  source: Connection,
  host: Connection,
  { repoDigest, ...wish }: Delivery,
  context: HandlerContext,
): Promise<void> {
  const { ref, spec } = wish;
  const { signal, clock, random } = context;
  await onImageHost(host, wish, context, async (session, log, redact) => {
    const docker = await session.docker(signal);
    if (spec.distribute === "registry" && repoDigest !== undefined) {
      const access = { session, docker, log, redact, clock, random, signal };
      await pullPushed(access, repoDigest, ref, spec.registries);
      return log.keep(`${ref} pulled on ${session.target}`);
    }
    await onImageHost(source, wish, context, async (from) => {
      const fromEngine = {
        session: from,
        docker: await from.docker(signal),
        sudo: await needsSudo(from, signal),
      };
      const to = { session, docker };
      await copyImage({ from: fromEngine, to, log, timeoutMs: spec.timeoutMs, signal }, ref);
    });
  });
}
