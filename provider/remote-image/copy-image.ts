import type Docker from "dockerode";
import { PassThrough } from "node:stream";
import { followProgress } from "../container/engine-progress";
import { engineMessage } from "../container/engine-status";
import { SlipwayError, isSlipwayError } from "../errors";
import { assertOutcomeKnown } from "../host/known-outcome";
import type { HostSession } from "../host/session";
import { orAborted } from "../or-aborted";
import type { Log } from "../log";
import { stripControl, tail } from "../secret";
import { isObject } from "../values";
import { counted, formatBytes } from "./upload";

/** Two hosts, and what stands between them: this program. */
export interface CopyAccess {
  readonly from: { readonly session: HostSession; readonly docker: Docker; readonly sudo: boolean };
  readonly to: { readonly session: HostSession; readonly docker: Docker };
  readonly log: Log;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Writes an image as `docker load` takes it, but only these of its layers: `$1` the image, then the layers' numbers, from 0 on, or
 * `all`. What Docker writes names its files, so that no name of the user's is among them.
 */
const SAVE = `umask 077
image=$1; shift
place=\${TMPDIR:-/var/tmp}
work=$(mktemp -d "$place/slipway-copy.XXXXXXXXXX") || exit 1
trap 'rm -rf -- "$work" "$work.failed"' EXIT; trap 'exit 129' HUP INT PIPE TERM
cd "$work" || exit 1
{ docker save "$image" || echo failed >"$work.failed"; } | tar -xf - || exit 1
[ ! -e "$work.failed" ] || exit 1
if [ "$1" = all ]; then tar -cf - . | gzip -1; exit; fi
config=$(sed 's/.*"Config":"\\([^"]*\\)".*/\\1/' manifest.json)
at=0 files=
for layer in $(sed 's/.*"Layers":\\[\\([^]]*\\)\\].*/\\1/' manifest.json | tr -d '"' | tr ',' ' '); do
  for wanted; do [ "$wanted" != "$at" ] || files="$files $layer"; done
  at=$((at + 1))
done
tar -chf - manifest.json "$config" $files | gzip -1`;

/**
 * Copies an image from host to host, without what the other one has of its layers.
 * @throws SlipwayError image-missing (it is as it was there), connection-lost
 */
export async function copyImage(access: CopyAccess, ref: string): Promise<void> {
  const { from, to, log } = access;
  const layers = layersOf(await from.docker.getImage(ref).inspect());
  const present = await presentLayers(to.docker, layers, access.signal);
  const missing = layers.length - present;
  log.progress(
    `copying ${ref} from ${from.session.target} to ${to.session.target}: ${missing} of ${layers.length} layers are not there`,
  );
  const bytes = await attempt(present);
  log.keep(`${ref} copied from ${from.session.target} to ${to.session.target}, ${formatBytes(bytes)}`);

  async function attempt(first: number): Promise<number> {
    const wanted = first === 0 ? ["all"] : layers.map((_, at) => String(at)).slice(first);
    try {
      return await transfer(access, ref, wanted.length === 0 ? ["none"] : wanted);
    } catch (error) {
      access.signal.throwIfAborted();
      if (first === 0 || isSlipwayError(error)) throw copyFailed(access, ref, error);
      log.progress(`${to.session.target} does not take it in parts: copying all of ${ref}`);
      return attempt(0);
    }
  }
}

/** How many layers, from the first on, a host has already: a layer is known by all that are below it. */
async function presentLayers(
  docker: Docker,
  wanted: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const engine: unknown = await orAborted(docker.info(), signal);
  // the containerd store keeps the layers as they came, and takes whole images only
  if (JSON.stringify(isObject(engine) ? engine.DriverStatus : "").includes("io.containerd.snapshotter"))
    return 0;
  const images = await docker.listImages();
  const found = await Promise.all(
    images.map(async ({ Id }) =>
      layersOf(
        await docker
          .getImage(Id)
          .inspect()
          .catch(() => undefined),
      ),
    ),
  );
  const shared = (layers: readonly string[]): number => {
    const end = wanted.findIndex((layer, at) => layers[at] !== layer);
    return end === -1 ? wanted.length : end;
  };
  return Math.max(0, ...found.map(shared));
}

function layersOf(image: unknown): readonly string[] {
  const root = isObject(image) ? image.RootFS : undefined;
  const layers = isObject(root) ? root.Layers : undefined;
  return Array.isArray(layers) ? layers.map(String) : [];
}

/** Sends these layers; gives the bytes that went. */
async function transfer(access: CopyAccess, ref: string, layers: readonly string[]): Promise<number> {
  const { from, to, log, timeoutMs } = access;
  const broken = new AbortController();
  const signal = AbortSignal.any([access.signal, broken.signal]);
  const wire = new PassThrough();
  let bytes = 0;
  wire.on("data", (chunk: Buffer) => (bytes += chunk.length));
  wire.on("error", (error) => broken.abort(error));
  const shown = counted(wire, 0, (sent) => log.progress(`copying ${ref}: ${formatBytes(sent)} sent`));
  const options = { quiet: true, abortSignal: signal } as object;
  const loading = to.docker.loadImage(shown, options).then((answer) => followProgress(to.docker, answer));
  loading.catch((error: unknown) => wire.destroy(error instanceof Error ? error : undefined));
  try {
    const outcome = await from.session.exec(["/bin/sh", "-c", SAVE, "copy", ref, ...layers], {
      ...{ stdout: wire, sudo: from.sudo, timeoutMs, signal },
    });
    assertOutcomeKnown(outcome, from.session.target, `copying ${ref}`);
    if (outcome.kind !== "exited" || outcome.code !== 0) {
      const words = tail(from.session.redact(stripControl(outcome.stderr)), 3, 400);
      throw new SlipwayError({
        code: "image-missing",
        what: `copying ${ref}`,
        host: from.session.target,
        why: `it could not be read there${words === "" ? "" : ` (${words})`}`,
        left: "Nothing else was touched",
      });
    }
    wire.end();
    await loading;
    return bytes;
  } catch (error) {
    wire.destroy(error instanceof Error ? error : undefined);
    await loading.catch(() => {});
    access.signal.throwIfAborted();
    throw broken.signal.aborted && !isSlipwayError(error) ? broken.signal.reason : error;
  }
}

function copyFailed({ to }: CopyAccess, ref: string, error: unknown): Error {
  if (isSlipwayError(error)) return error;
  return new SlipwayError({
    code: "image-missing",
    what: `copying ${ref}`,
    host: to.session.target,
    why: to.session.redact(stripControl(engineMessage(error))).slice(0, 500),
    left: "What was there before is there",
    cause: error,
  });
}
