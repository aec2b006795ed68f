import type { Healthcheck } from "../health/policy";

/** A container by the name that it has at that moment; by its id where it was there when the host was looked at. */
export interface ContainerRef {
  readonly name: string;
  readonly id?: string;
  /** How long it may take to stop. @default Docker's own ten seconds */
  readonly stopTimeoutMs?: number;
}

/** How a container is asked: a check of ours, Docker's HEALTHCHECK run by us, or only whether it runs. */
export type Check = Healthcheck | "docker" | "none";
