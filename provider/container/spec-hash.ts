import { createHash, createHmac } from "node:crypto";
import { canonicalJson } from "../values";
import type { ContainerSpec } from "./spec";

/** Written before the hash, so that a release which normalizes otherwise can still tell an old hash from a changed spec. */
export const SPEC_HASH_VERSION = 1;

/**
 * The hash that decides whether a new container is needed: `1:<64 hex digits>`. Keyed with the resource's salt, because the
 * spec holds secrets and the hash stands in a label.
 */
export function specHash(spec: ContainerSpec, salt: string): string {
  const text = canonicalJson(withSortedSets(spec));
  return `${SPEC_HASH_VERSION}:${createHmac("sha256", salt).update(text).digest("hex")}`;
}

/** Lists in which the order means nothing; in `dns`, `command` and `entrypoint` it does. */
const SETS: ReadonlySet<string> = new Set([
  ...["mounts", "tmpfs", "networks", "extraHosts", "capAdd", "capDrop", "devices", "ulimits", "securityOpt"],
  "ports",
]);

function withSortedSets(spec: ContainerSpec): Readonly<Record<string, unknown>> {
  const sorted = (list: readonly unknown[]): readonly unknown[] =>
    [...list].sort((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1));
  const entries = Object.entries(spec as Readonly<Record<string, unknown>>);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, SETS.has(key) && Array.isArray(value) ? sorted(value) : value]),
  );
}

/** The short name of one spec with one image: 8 hex digits. */
export function revisionOf(hash: string, imageId: string): string {
  return createHash("sha256").update(`${hash}\n${imageId}`).digest("hex").slice(0, 8);
}
