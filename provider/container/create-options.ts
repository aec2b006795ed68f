import type { ContainerCreateOptions, PortMap } from "dockerode";
import { toDockerHealthcheck } from "../health/docker-healthcheck";
import { engineLimits, type Limits } from "./limits";
import { type ContainerSpec, type MountSpec, publishedPorts, SECRETS_PATH, STOP_TIMEOUT_MS } from "./spec";

/** What a container is beside its spec. */
export interface ContainerIdentity {
  /** Image id, so that a tag which moves in between changes nothing. */
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly limits: Limits;
  /** False for a copy that only has to prove the version: it takes no port of the host. */
  readonly publish: boolean;
  /** The volume with the spec's secretFiles; undefined when it has none. */
  readonly secretVolume?: string | undefined;
}

const LOG_ROTATION = { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } };

/** The Engine API's words for a container that is not yet live: everything of the spec, but no restart policy. */
export function createOptions(spec: ContainerSpec, identity: ContainerIdentity): ContainerCreateOptions {
  return withoutUndefined({
    Image: identity.image,
    Labels: { ...spec.labels, ...identity.labels },
    Cmd: spec.command === undefined ? undefined : [...spec.command],
    Entrypoint: spec.entrypoint === undefined ? undefined : [...spec.entrypoint],
    Env: Object.entries(spec.env ?? {}).map(([name, value]) => `${name}=${value}`),
    User: spec.user,
    WorkingDir: spec.workingDir,
    Hostname: spec.hostname,
    StopSignal: spec.stopSignal,
    StopTimeout: Math.ceil((spec.stopTimeoutMs ?? STOP_TIMEOUT_MS) / 1_000),
    ExposedPorts: Object.fromEntries((spec.ports ?? []).map((port) => [portKey(port), {}])),
    Healthcheck:
      spec.healthcheck?.test.kind === "command" ? toDockerHealthcheck(spec.healthcheck) : undefined,
    HostConfig: withoutUndefined({
      ...engineLimits({ ...identity.limits, restart: "no" }),
      NetworkMode: spec.networks?.[0] ?? "default",
      PortBindings: identity.publish ? portBindings(spec) : {},
      Mounts: [...(spec.mounts ?? []).map(engineMount), ...secretsMount(identity.secretVolume)],
      Tmpfs: tmpfs(spec),
      ExtraHosts: mutable(spec.extraHosts),
      Dns: mutable(spec.dns),
      CapAdd: mutable(spec.capAdd),
      CapDrop: mutable(spec.capDrop),
      Devices: spec.devices?.map(engineDevice),
      Ulimits: spec.ulimits?.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
      Sysctls: spec.sysctls,
      SecurityOpt: mutable(spec.securityOpt),
      ReadonlyRootfs: spec.readOnly,
      Init: spec.init,
      Privileged: spec.privileged,
      ShmSize: spec.shmSize,
      LogConfig:
        spec.logging === undefined
          ? LOG_ROTATION
          : { Type: spec.logging.driver, Config: { ...spec.logging.options } },
    }),
  });
}

/** The networks that a created container still has to join: older engines take one at the creation. */
export function furtherNetworks(spec: ContainerSpec): readonly string[] {
  return (spec.networks ?? []).slice(1);
}

function portKey(port: { readonly container: number; readonly protocol: string }): string {
  return `${port.container}/${port.protocol}`;
}

function portBindings(spec: ContainerSpec): PortMap {
  const bindings: PortMap = {};
  for (const port of publishedPorts(spec)) {
    const all = (bindings[portKey(port)] ??= []) as { HostIp: string; HostPort: string }[];
    all.push({ HostIp: port.hostIp ?? "", HostPort: String(port.host) });
  }
  return bindings;
}

function engineMount(mount: MountSpec) {
  return {
    Type: mount.type,
    Target: mount.target,
    ReadOnly: mount.readOnly ?? false,
    ...(mount.source === undefined ? {} : { Source: mount.source }),
  };
}

function secretsMount(volume: string | undefined) {
  if (volume === undefined) return [];
  const options = { NoCopy: true, Labels: {}, DriverConfig: { Name: "", Options: {} } };
  return [
    { Type: "volume" as const, Source: volume, Target: SECRETS_PATH, ReadOnly: true, VolumeOptions: options },
  ];
}

function tmpfs(spec: ContainerSpec): Record<string, string> | undefined {
  if (spec.tmpfs === undefined) return undefined;
  return Object.fromEntries(
    spec.tmpfs.map((text) => {
      const colon = text.indexOf(":");
      return colon < 0 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1)];
    }),
  );
}

function engineDevice(text: string) {
  const [onHost = "", inContainer = onHost, permissions = "rwm"] = text.split(":");
  return { PathOnHost: onHost, PathInContainer: inContainer, CgroupPermissions: permissions };
}

function mutable(list: readonly string[] | undefined): string[] | undefined {
  return list === undefined ? undefined : [...list];
}

function withoutUndefined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
