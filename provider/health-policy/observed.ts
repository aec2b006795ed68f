import type { HealthStatus, ObservedContainer } from "../container/observed";
import type { Healthcheck } from "../health/policy";

/** What the policy says of a container. One that nothing asks is "unchecked", not healthy. */
export type PolicyHealth = Exclude<HealthStatus, "none">;

/** One container in the policy's scope, and what is to be thought of it. */
export interface ContainerHealth {
  readonly target: string;
  readonly container: ObservedContainer;
  /** False: only what a list tells is known of it (see survey). Whatever is to be repaired is known wholly. */
  readonly isWhole: boolean;
  /** Undefined when it is not of ours. */
  readonly service: string | undefined;
  /** Docker's check, else that of our label; "none" when it has neither. */
  readonly check: Healthcheck | "none";
  readonly health: PolicyHealth;
  /** Why it is not healthy, as the middle of a sentence; empty when nothing is to be said. */
  readonly cause: string;
}

/** What was seen on one host. */
export interface HostHealth {
  readonly target: string;
  readonly hostKey: string;
  /** Sorted by name. */
  readonly containers: readonly ContainerHealth[];
  /** Names of the services that a deployment has locked. */
  readonly locked: readonly string[];
}

/** A look with the machine's id; empty text where it has none. */
export interface KnownHost extends HostHealth {
  readonly machineId: string;
}
