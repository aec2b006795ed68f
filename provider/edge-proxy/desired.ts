import { createHash } from "node:crypto";
import type { ContainerCreateOptions } from "dockerode";
import { LABEL } from "../container/labels";
import type { PortSpec } from "../container/spec";
import type { Properties } from "../handler";
import { proxyConfiguration, PROXY_ALIASES } from "../proxy/configuration";
import { PROXY_PATH } from "../proxy/acme";
import type { OwnTls } from "../proxy/certificates";
import { folderOf, INSIDE } from "../proxy/ref";
import type { ObservedNetwork, ObservedSwitch } from "../switch/observed-switch";
import { copyBindings } from "../switch/observe-copy";
import { canonicalJson } from "../values";
import { type ProxyInputs, portsOf } from "./inputs";
import { certificateFiles, ownTls } from "./tls";

/** What has to be on the host. */
export interface Desired {
  readonly name: string;
  readonly image: string;
  readonly network: string;
  readonly ports: readonly number[];
  /** The proxy's own files but for a certificate that it makes itself; routes have theirs. Secret in parts. */
  readonly files: ReadonlyMap<string, string>;
  /** Certificates that the proxy makes or gets by itself. */
  readonly tls: OwnTls;
  /** What is open has this long to end when the container is exchanged. Milliseconds. */
  readonly drainMs: number;
  /** Of what only a new container can change. */
  readonly specHash: string;
  /** `project/stack`. */
  readonly stack: string;
  /** The container that the state names; empty text where it names none. */
  readonly recordedId: string;
}

export const EXTRA_FILE = "conf/90-extra.cfg";

/** `olds`: the outputs of before, if any. */
export function desiredOf(inputs: ProxyInputs, stack: string, olds: Properties = {}): Desired {
  const { name, image, network, tls, config, drainMs } = inputs;
  const ports = portsOf(inputs);
  return {
    name,
    image,
    network,
    ports,
    drainMs,
    files: new Map([
      [PROXY_PATH, proxyConfiguration(inputs.settings)],
      ...(config === "" ? [] : [[EXTRA_FILE, config] as const]),
      ...certificateFiles(tls),
    ]),
    tls: ownTls(tls),
    specHash: createHash("sha256")
      .update(canonicalJson({ image, network, ports }))
      .digest("hex")
      .slice(0, 16),
    stack,
    recordedId: typeof olds.containerId === "string" ? olds.containerId : "",
  };
}

/** The folder that a container's sockets are in, within the proxy's; the copy's has to be another one. */
export type RunFolder = "run" | "run.try";

/** A proxy that serves while another takes its place: on ports of its own, with sockets of its own. */
export function copyOptions(
  desired: Desired,
  imageId: string,
  ports: readonly PortSpec[],
  at: { readonly host: ObservedSwitch; readonly network: ObservedNetwork },
): ContainerCreateOptions {
  const options = createOptions(desired, imageId, "run.try");
  const PortBindings: unknown = copyBindings(ports, at.host, at.network);
  return { ...options, HostConfig: { ...options.HostConfig, PortBindings } };
}

/** The Engine API's words for the proxy's container, not yet live: no restart policy. */
export function createOptions(
  { name, network, ports, specHash, stack }: Desired,
  imageId: string,
  run: RunFolder = "run",
): ContainerCreateOptions {
  const folder = folderOf(name);
  const keys = ports.map((port) => `${port}/tcp`);
  return {
    Image: imageId,
    Entrypoint: ["haproxy"],
    Cmd: ["-W", "-db", "-S", `${INSIDE}/run/master.sock,mode,600`, "-f", `${INSIDE}/conf`],
    // reads keys that are root's alone; the processes that talk to clients are nobody's
    User: "0:0",
    StopSignal: "SIGUSR1",
    Labels: { [LABEL.proxy]: name, [LABEL.stack]: stack, [LABEL.specHash]: specHash },
    ExposedPorts: Object.fromEntries(keys.map((key) => [key, {}])),
    HostConfig: {
      NetworkMode: network,
      PortBindings: Object.fromEntries(ports.map((port) => [`${port}/tcp`, [{ HostPort: String(port) }]])),
      Binds: [`${folder}:${INSIDE}:ro`, `${folder}/${run}:${INSIDE}/run`],
      CapDrop: ["ALL"],
      CapAdd: ["KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"],
      SecurityOpt: ["no-new-privileges"],
      ReadonlyRootfs: true,
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
    },
    NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [...PROXY_ALIASES] } } },
  };
}
