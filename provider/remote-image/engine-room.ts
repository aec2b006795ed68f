import type Docker from "dockerode";
import { SlipwayError } from "../errors";
import type { HostSession } from "../host/session";
import { orAborted } from "../or-aborted";
import { isObject } from "../values";
import { formatBytes } from "./upload";

/** The file system that an engine keeps images in. */
export interface EngineRoom {
  /** The engine's own folder, `/var/lib/docker`. */
  readonly folder: string;
  readonly freeBytes: number;
  readonly ofBytes: number;
}

/** Looks how much room there is; undefined where the host does not say. */
export async function engineRoom(
  session: HostSession,
  docker: Docker,
  signal: AbortSignal,
): Promise<EngineRoom | undefined> {
  const engine: unknown = await orAborted(docker.info(), signal);
  const folder = isObject(engine) ? engine.DockerRootDir : undefined;
  if (typeof folder !== "string" || !folder.startsWith("/")) return undefined;
  const outcome = await session.exec(["df", "-Pk", folder], { signal });
  const numbers = outcome.kind === "exited" && outcome.code === 0 ? parseDf(outcome.stdout) : undefined;
  return numbers && { folder, ...numbers };
}

/** What `df -Pk` says of one file system. */
export function parseDf(text: string): Omit<EngineRoom, "folder"> | undefined {
  const [, blocks, , free] = /\s(\d+)\s+(\d+)\s+(\d+)\s+\d+%\s+\//.exec(text) ?? [];
  if (blocks === undefined || free === undefined) return undefined;
  return { freeBytes: Number(free) * 1024, ofBytes: Number(blocks) * 1024 };
}

/** "12.0 MB of 80.0 MB are free in /var/lib/docker". */
export function describeRoom({ folder, freeBytes, ofBytes }: EngineRoom): string {
  return `${formatBytes(freeBytes)} of ${formatBytes(ofBytes)} are free in ${folder}`;
}

/** Whether somebody whose build failed should be told how much room there is. */
export function isScarce({ freeBytes, ofBytes }: EngineRoom): boolean {
  return freeBytes < ofBytes / 5 || freeBytes < 1_000_000_000;
}

/** @throws SlipwayError image-build-failed when so much has no room there: nothing was begun then */
export function mustHaveRoom(room: EngineRoom, bytes: number, ref: string, host: string): void {
  if (bytes <= room.freeBytes) return;
  throw new SlipwayError({
    code: "image-build-failed",
    what: `building ${ref}`,
    host,
    why: `there is not enough space: the context has ${formatBytes(bytes)}, and ${describeRoom(room)}`,
    left: "Nothing was touched",
    next: "Make room there (docker system df shows what Docker holds), or send less (.dockerignore)",
  });
}
