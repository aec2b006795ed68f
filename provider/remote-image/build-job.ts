import { createHash } from "node:crypto";
import { LABEL } from "../container/labels";
import type { Log } from "../log";
import type { Redact } from "../secret";
import type { BuildVerdict } from "./build-log";
import type { ImageSpec } from "./spec";

/** The builder that a host can carry a build with. */
export type Builder = "buildkit" | "classic";

/** One build on one host. */
export interface BuildJob {
  readonly spec: ImageSpec;
  readonly ref: string;
  /** Where it runs: `user@address:port`. */
  readonly target: string;
  /** The Dockerfile's path in the tar. */
  readonly dockerfile: string;
  /** The user's labels and ours. */
  readonly labels: Readonly<Record<string, string>>;
  readonly log: Log;
  /** Cleans of the build's arguments and secrets, and of the connection's. */
  readonly redact: Redact;
  readonly timeoutMs: number;
  /** Aborted when the run is being stopped or the time is over. */
  readonly signal: AbortSignal;
}

/** How a builder ended; the image has to be looked at in any case. */
export type BuildResult =
  | { readonly kind: "ended" }
  | ({ readonly kind: "failed"; readonly error: string } & Omit<BuildVerdict, "error">);

/** The same in every run of a resource: what is kept for it, here and on hosts, goes by it. */
export function resourceKey({ spec, labels }: Pick<BuildJob, "spec" | "labels">): string {
  const key = JSON.stringify([spec.name, labels[LABEL.resource], labels[LABEL.stack]]);
  return createHash("sha256").update(key).digest("hex").slice(0, 16);
}
