import type { Healthcheck } from "../health/policy";

/** Docker's container states (moby api/types/container/state.go). */
export type ContainerState = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

/** Docker's health states, and ours where Docker knows nothing. */
export type HealthStatus = "none" | "starting" | "healthy" | "unhealthy" | "unchecked";

/** A published port as inspect shows it. */
export interface ObservedPort {
  readonly container: number;
  readonly protocol: string;
  readonly hostIp: string;
  readonly host: number;
}

/** One container as it was at the time of looking: parsed once from inspect, decided upon without further calls. */
export interface ObservedContainer {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly imageId: string;
  /** The reference it was created from. */
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: ContainerState;
  readonly health: HealthStatus;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly restartCount: number;
  /** ISO 8601, the daemon's clock. */
  readonly startedAt: string;
  readonly createdAt: string;
  /** First address in its networks; undefined with host networking or when stopped. */
  readonly address: string | undefined;
  readonly networkMode: string;
  readonly networks: readonly string[];
  readonly restartPolicy: string;
  readonly ports: readonly ObservedPort[];
  readonly hasDockerHealthcheck: boolean;
  /** Docker's own HEALTHCHECK (of the image or of the container); undefined where there is none or it is `NONE`. */
  readonly dockerHealthcheck: Healthcheck | undefined;
  /** The last output of Docker's HEALTHCHECK, as the host gave it (not cleaned); empty when there is none. */
  readonly healthOutput: string;
  /** How often in a row Docker's HEALTHCHECK has failed. */
  readonly failingStreak: number;
}
