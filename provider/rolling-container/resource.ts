import type * as pulumi from "@pulumi/pulumi";
import type { ContainerState, HealthStatus } from "../container/observed";
import type { HostArgument } from "../docker-host/resource";
import type { RouteArgs } from "../edge-proxy/resource";
import type { RegistryArgs } from "../remote-image/resource";
import { SlipwayResource, STANDS_FOR } from "../resource";

type Texts = pulumi.Input<pulumi.Input<string>[] | undefined>;
type TextMap = pulumi.Input<Record<string, pulumi.Input<string>> | undefined>;

/** A port of the container; without `host` it is not published. */
export interface PortArgs {
  readonly container: pulumi.Input<number>;
  readonly host?: pulumi.Input<number | undefined>;
  /** Address of the host that it is published on. @default every address */
  readonly hostIp?: pulumi.Input<string | undefined>;
  /** @default "tcp" */
  readonly protocol?: pulumi.Input<"tcp" | "udp" | "sctp" | undefined>;
}

/** A named volume (made where it is missing, never removed), a path of the host, or memory. */
export interface MountArgs {
  /** @default "bind" for a source that is a path, else "volume" */
  readonly type?: pulumi.Input<"volume" | "bind" | "tmpfs" | undefined>;
  /** Name of the volume, or path on the host; a volume without one is anonymous. */
  readonly source?: pulumi.Input<string | undefined>;
  /** Path in the container. */
  readonly target: pulumi.Input<string>;
  /** @default false */
  readonly readOnly?: pulumi.Input<boolean | undefined>;
}

/** A limit of the container's processes, as `ulimit` names it. */
export interface UlimitArgs {
  readonly name: pulumi.Input<string>;
  readonly soft: pulumi.Input<number>;
  /** @default soft */
  readonly hard?: pulumi.Input<number | undefined>;
}

/** The engine's log driver for the container. */
export interface LoggingArgs {
  readonly driver: pulumi.Input<string>;
  readonly options?: TextMap;
}

/** What a healthcheck and a gate ask: one of `http`, `tcp` and `command`. */
export interface HealthcheckArgs {
  /** GET on the container's own port; well is `status`, or 200 to 399 when none is given. */
  readonly http?: pulumi.Input<
    | {
        readonly port: pulumi.Input<number>;
        readonly path: pulumi.Input<string>;
        readonly status?: pulumi.Input<number | undefined>;
      }
    | undefined
  >;
  /** The port accepts a connection. */
  readonly tcp?: pulumi.Input<{ readonly port: pulumi.Input<number> } | undefined>;
  /** Runs inside the container, well is exit code 0; becomes the container's HEALTHCHECK. */
  readonly command?: Texts;
  /** From one probe to the next. @default "30s" */
  readonly interval?: pulumi.Input<string | undefined>;
  /** The longest one probe may take. @default "30s" */
  readonly timeout?: pulumi.Input<string | undefined>;
  /** Failures in a row that make it unhealthy. @default 3 */
  readonly retries?: pulumi.Input<number | undefined>;
  /** Time to start in, in which failures do not count. @default "0s" */
  readonly startPeriod?: pulumi.Input<string | undefined>;
}

/** A command that runs once a rollout, in a container of the new image with the service's env, networks, mounts and secretFiles. */
export interface TaskArgs {
  /** Takes the place of the container's `command`; the entrypoint stays. */
  readonly command: Texts;
  /** How long it may take. @default "10m" */
  readonly timeout?: pulumi.Input<string | undefined>;
  /** Beside the service's; each value is secret as the program marked it. */
  readonly env?: TextMap;
}

/** How a rollout goes. */
export interface UpdateArgs {
  /**
   * "rolling": some hosts after others, as `parallelism`, `canary` and `delay` say. "atomic": every host passes its gates
   * before the first is switched, then all are switched at once. One failure puts every host back.
   * @default "rolling"
   */
  readonly strategy?: pulumi.Input<"rolling" | "atomic" | undefined>;
  /**
   * How traffic moves to the new container of a published port. "bridged": a copy of it serves behind rules of the host's
   * firewall while old and new change places, so that no connection is refused; three containers run for a moment, and the
   * app starts twice. Refused, before anything is touched, where the host does not allow it. "plain": stop, then start, never
   * two of the service at once, with a gap that is measured. "auto": bridged where host and service allow it, else plain,
   * with the reason. With a route the proxy moves the traffic (proxied), without a published port old and new overlap, unless
   * "plain" is said or both would write to one mount.
   * @default "auto"
   */
  readonly switch?: pulumi.Input<"auto" | "bridged" | "plain" | undefined>;
  /** Hosts that are changed at the same time: a number, or a share such as "25%", rounded up. @default 1 */
  readonly parallelism?: pulumi.Input<number | string | undefined>;
  /** The first host alone, and the others when it went well. @default false */
  readonly canary?: pulumi.Input<boolean | undefined>;
  /** Pause between two batches of hosts. @default "0s" */
  readonly delay?: pulumi.Input<string | undefined>;
  /** How long the new one must stay well before it counts. @default "3s" */
  readonly minHealthyTime?: pulumi.Input<string | undefined>;
  /** The longest one container may take to become well. @default "2m" */
  readonly healthyDeadline?: pulumi.Input<string | undefined>;
  /**
   * The longest that a rollout may take on one host, without the waits that have a time of their own: drainTimeout,
   * stopTimeout, switches and tasks. @default "10m"
   */
  readonly progressDeadline?: pulumi.Input<string | undefined>;
  /** "rollback": the old version serves on. "pause": what was swapped stays, the rest is not touched. @default "rollback" */
  readonly failureAction?: pulumi.Input<"rollback" | "pause" | undefined>;
  /** How long to wait for another rollout of the same service. @default "2m" */
  readonly lockWait?: pulumi.Input<string | undefined>;
}

/** The container itself, in the words of `docker run` and compose. */
export interface ContainerArgs {
  readonly command?: Texts;
  readonly entrypoint?: Texts;
  /** Environment; each value is secret as the program marked it. */
  readonly env?: TextMap;
  readonly user?: pulumi.Input<string | undefined>;
  readonly workingDir?: pulumi.Input<string | undefined>;
  readonly hostname?: pulumi.Input<string | undefined>;
  readonly labels?: TextMap;
  readonly mounts?: pulumi.Input<pulumi.Input<MountArgs>[] | undefined>;
  /** Paths in the container that live in memory, as "/path" or "/path:options". */
  readonly tmpfs?: Texts;
  /** Networks, made where they are missing; or "host" or "none" alone. */
  readonly networks?: Texts;
  /** Further names in /etc/hosts, as "name:address". */
  readonly extraHosts?: Texts;
  readonly dns?: Texts;
  readonly capAdd?: Texts;
  readonly capDrop?: Texts;
  /** Devices, as "/dev/host:/dev/container:rwm". */
  readonly devices?: Texts;
  readonly ulimits?: pulumi.Input<pulumi.Input<UlimitArgs>[] | undefined>;
  readonly sysctls?: TextMap;
  readonly securityOpt?: Texts;
  /** The root file system is read-only. @default false */
  readonly readOnly?: pulumi.Input<boolean | undefined>;
  /** A small init as process 1, which passes signals on and reaps. @default false */
  readonly init?: pulumi.Input<boolean | undefined>;
  /** @default false */
  readonly privileged?: pulumi.Input<boolean | undefined>;
  /** "64m", or bytes. */
  readonly shmSize?: pulumi.Input<string | number | undefined>;
  /** Changed in place, without a new container. */
  readonly pidsLimit?: pulumi.Input<number | undefined>;
  /** "512m", or bytes. Changed in place, without a new container. */
  readonly memory?: pulumi.Input<string | number | undefined>;
  /** 1.5 is one and a half processors. Changed in place, without a new container. */
  readonly cpus?: pulumi.Input<number | undefined>;
  readonly logging?: pulumi.Input<LoggingArgs | undefined>;
  /**
   * "no", "on-failure", "on-failure:5", "always" or "unless-stopped". Changed in place, without a new container.
   * @default "unless-stopped"
   */
  readonly restart?: pulumi.Input<string | undefined>;
  readonly stopSignal?: pulumi.Input<string | undefined>;
  /** How long the container may take to stop before it is killed. @default "10s" */
  readonly stopTimeout?: pulumi.Input<string | undefined>;
}

export interface RollingContainerArgs extends ContainerArgs {
  /** Where it runs, one after another: DockerHosts or connections. */
  readonly hosts: pulumi.Input<HostArgument[]>;
  /**
   * `image.ref` of a RemoteImage, or any reference. A tag is resolved to an image when applied, and a changed `triggers`
   * resolves it anew; a refresh does not look whether it stands for another one by now.
   */
  readonly image: pulumi.Input<string>;
  /** The service, and the name of its first container. No dots. @default the resource's name */
  readonly name?: pulumi.Input<string | undefined>;
  /** Containers on each host. @default 1 */
  readonly replicas?: pulumi.Input<number | undefined>;
  /** @default [] */
  readonly ports?: pulumi.Input<pulumi.Input<PortArgs>[] | undefined>;
  /**
   * How it is reached through an EdgeProxy. A swap has no gap then, whatever the number of replicas: the new one is ready
   * behind the proxy before the old one drains. Another host name, path or drainTimeout swaps nothing.
   */
  readonly route?: pulumi.Input<RouteArgs | undefined>;
  /** The gate of a new version, and what HealthPolicy asks. @default the image's HEALTHCHECK */
  readonly healthcheck?: pulumi.Input<HealthcheckArgs | undefined>;
  readonly update?: pulumi.Input<UpdateArgs | undefined>;
  /**
   * Files at /run/secrets, name to content, for everybody in the container to read; a change rolls out. Secret: on the host
   * they are in a volume of that container alone, and nowhere else.
   * @default {}
   */
  readonly secretFiles?: TextMap;
  /**
   * Run one after another on the first host before anything is swapped, such as migrations; when one fails nothing is. They
   * may run again: when the rollout failed after them, and whenever a container is swapped. @default []
   */
  readonly preDeploy?: pulumi.Input<pulumi.Input<TaskArgs>[] | undefined>;
  /** Run on the first host when the new version serves on every host; when one fails it serves on, and the run fails. @default [] */
  readonly postDeploy?: pulumi.Input<pulumi.Input<TaskArgs>[] | undefined>;
  /** Earlier revisions that are kept, stopped, with their image. @default 1 */
  readonly keepPrevious?: pulumi.Input<number | undefined>;
  /** Any values; a change rolls out again. @default [] */
  readonly triggers?: pulumi.Input<unknown[] | undefined>;
  /** Logins for the image. Secret. */
  readonly registries?: pulumi.Input<pulumi.Input<RegistryArgs>[] | undefined>;
  /** When the image is pulled. @default "missing" */
  readonly pull?: pulumi.Input<"missing" | "always" | "never" | undefined>;
  /** Take over a container of that name which is not ours. @default false */
  readonly adopt?: pulumi.Input<boolean | undefined>;
  /** Let delete, and an update that takes a host out, finish when the host does not answer any more. @default false */
  readonly abandonUnreachable?: pulumi.Input<boolean | undefined>;
}

/** A published port of a running container. */
export interface PublishedPort {
  readonly container: number;
  readonly protocol: string;
  readonly hostIp: string;
  readonly host: number;
}

/** One container of the service, as it was after the last operation that looked. */
export interface ServiceContainer {
  /** The target of its host. */
  readonly host: string;
  readonly name: string;
  /** The replica's place on its host, from 1. */
  readonly slot: number;
  readonly id: string;
  readonly imageId: string;
  /** `missing` when none stands in its place. */
  readonly state: ContainerState | "missing";
  readonly health: HealthStatus;
  /** Its first address in its networks. */
  readonly address?: string;
  readonly ports: PublishedPort[];
}

/** How the last rollout went. */
export interface RolloutSummary {
  readonly revision: string;
  /** The revision that served before; none at the first rollout. */
  readonly from?: string;
  /** How traffic moved: "overlap", "proxied", "bridged" or "plain". */
  readonly switch: string;
  readonly durationMs: number;
  /**
   * No container of a slot served for so long at most: from when the old one listened no more (it was told to stop, where the
   * host cannot switch by itself) to the first good answer of the new one's check.
   */
  readonly gapMs: number;
  /** What was done, one line each. */
  readonly operations: string[];
}

/** A service: the same container on one host or several, swapped only after the new version passed its gate. */
export class RollingContainer extends SlipwayResource {
  /** The service. */
  declare readonly name: pulumi.Output<string>;
  /** The reference that it runs. */
  declare readonly image: pulumi.Output<string>;
  declare readonly containers: pulumi.Output<ServiceContainer[]>;
  /** 8 hex digits that name what runs: the spec and the resolved image. */
  declare readonly revision: pulumi.Output<string>;
  declare readonly specHash: pulumi.Output<string>;
  /** The route's address, else that of the first host's first published port; undefined when there is neither. */
  declare readonly url: pulumi.Output<string | undefined>;
  /** Revisions that are kept, newest first. */
  declare readonly previous: pulumi.Output<string[]>;
  declare readonly lastRollout: pulumi.Output<RolloutSummary>;

  constructor(name: string, args: RollingContainerArgs, opts?: pulumi.CustomResourceOptions) {
    super(SHAPE, name, { ...args, name: args.name ?? name }, opts);
  }

  /**
   * Given as an argument, a service is its name.
   * @internal
   */
  [STANDS_FOR](): pulumi.Output<string> {
    return this.name;
  }
}

const SHAPE = {
  kind: "RollingContainer",
  connections: ["hosts"],
  secrets: ["registries", "secretFiles"],
  outputs: ["containers", "revision", "specHash", "url", "previous", "lastRollout"],
} as const;
