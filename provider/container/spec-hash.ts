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
  return `${SPEC_HASH_VERSION}:${createHmac("sha256", salt).update(canonicalJson(spec)).digest("hex")}`;
}

/** The short name of one spec with one image: 8 hex digits. */
export function revisionOf(hash: string, imageId: string): string {
  return createHash("sha256").update(`${hash}\n${imageId}`).digest("hex").slice(0, 8);
}
