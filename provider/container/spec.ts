import type { Healthcheck } from "../health/policy";

/** A port of the container; published on the host where `host` is given. */
export interface PortSpec {
  readonly container: number;
  readonly host?: number;
  /** @default every address of the host */
  readonly hostIp?: string;
  readonly protocol: "tcp" | "udp" | "sctp";
}

/** What is mounted into the container. */
export interface MountSpec {
  readonly type: "volume" | "bind" | "tmpfs";
  /** The volume's name or the host's path; a volume without one is anonymous. */
  readonly source?: string;
  readonly target: string;
  readonly readOnly?: boolean;
}

export interface UlimitSpec {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

export interface LoggingSpec {
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
}

/**
 * The part of a container that cannot change once it was created, normalized: equal meanings give equal values, and what is
 * absent is undefined. A new field has to be undefined by default, or every user's containers would be swapped.
 */
export interface ContainerSpec {
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDir?: string;
  readonly hostname?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly mounts?: readonly MountSpec[];
  /** `path` or `path:options`. */
  readonly tmpfs?: readonly string[];
  readonly networks?: readonly string[];
  /** `name:address`. */
  readonly extraHosts?: readonly string[];
  readonly dns?: readonly string[];
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  /** `/dev/host[:/dev/container[:rwm]]`. */
  readonly devices?: readonly string[];
  readonly ulimits?: readonly UlimitSpec[];
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly securityOpt?: readonly string[];
  readonly readOnly?: boolean;
  readonly init?: boolean;
  readonly privileged?: boolean;
  /** Bytes. */
  readonly shmSize?: number;
  readonly logging?: LoggingSpec;
  readonly stopSignal?: string;
  readonly stopTimeoutMs?: number;
  readonly ports?: readonly PortSpec[];
  readonly healthcheck?: Healthcheck;
  /** Name to content, at /run/secrets. Secret. */
  readonly secretFiles?: Readonly<Record<string, string>>;
}

/** Where secretFiles are in the container. */
export const SECRETS_PATH = "/run/secrets";

/** How long a stop waits for the process to end, when the spec does not say. */
export const STOP_TIMEOUT_MS = 10_000;

export interface PublishedPort extends PortSpec {
  readonly host: number;
}

/** The ports that take a place on the host; only one container can have each at a time. */
export function publishedPorts(spec: ContainerSpec): readonly PublishedPort[] {
  return (spec.ports ?? []).flatMap((port) =>
    port.host === undefined ? [] : [{ ...port, host: port.host }],
  );
}

/** True when two containers of this spec would write to the same place. */
export function sharesWritableMount(spec: ContainerSpec): boolean {
  return (spec.mounts ?? []).some(
    (mount) => mount.type !== "tmpfs" && mount.source !== undefined && mount.readOnly !== true,
  );
}

/** True when the container takes the host's own network, where no two can listen on one port. */
export function usesHostNetwork(spec: ContainerSpec): boolean {
  return spec.networks?.includes("host") ?? false;
}

const BUILT_IN_NETWORKS = new Set(["bridge", "default", "host", "none"]);

/** The networks that have to be made where they are missing. */
export function userNetworks(spec: ContainerSpec): readonly string[] {
  return (spec.networks ?? []).filter((name) => !BUILT_IN_NETWORKS.has(name));
}

/** The volumes that have to be made where they are missing. */
export function namedVolumes(spec: ContainerSpec): readonly string[] {
  const names = (spec.mounts ?? []).flatMap((mount) =>
    mount.type === "volume" && mount.source !== undefined ? [mount.source] : [],
  );
  return [...new Set(names)];
}
