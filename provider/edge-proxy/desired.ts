import { createHash } from "node:crypto";
import type { ContainerCreateOptions } from "dockerode";
import { LABEL } from "../container/labels";
import { proxyConfiguration, PROXY_ALIASES } from "../proxy/configuration";
import { folderOf, INSIDE } from "../proxy/ref";
import { canonicalJson } from "../values";
import { type ProxyInputs, portsOf } from "./inputs";
import { certificateFiles } from "./tls";

/** What has to be on the host. */
export interface Desired {
  readonly name: string;
  readonly image: string;
  readonly network: string;
  readonly ports: readonly number[];
  /** The proxy's own files but for a certificate that it makes itself; routes have theirs. Secret in parts. */
  readonly files: ReadonlyMap<string, string>;
  readonly internalTls: boolean;
  /** Of what only a new container can change. */
  readonly specHash: string;
  /** `project/stack`. */
  readonly stack: string;
}

export const PROXY_FILE = "conf/00-proxy.cfg";
export const EXTRA_FILE = "conf/90-extra.cfg";

export function desiredOf(inputs: ProxyInputs, stack: string): Desired {
  const { name, image, network, tls, config } = inputs;
  const ports = portsOf(inputs);
  return {
    name,
    image,
    network,
    ports,
    files: new Map([
      [PROXY_FILE, proxyConfiguration(inputs.settings)],
      ...(config === "" ? [] : [[EXTRA_FILE, config] as const]),
      ...certificateFiles(tls),
    ]),
    internalTls: tls.kind === "internal",
    specHash: createHash("sha256")
      .update(canonicalJson({ image, network, ports }))
      .digest("hex")
      .slice(0, 16),
    stack,
  };
}

/** The Engine API's words for the proxy's container, not yet live: no restart policy. */
export function createOptions(
  { name, network, ports, specHash, stack }: Desired,
  imageId: string,
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
      Binds: [`${folder}:${INSIDE}:ro`, `${folder}/run:${INSIDE}/run`],
      CapDrop: ["ALL"],
      CapAdd: ["KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"],
      SecurityOpt: ["no-new-privileges"],
      ReadonlyRootfs: true,
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
    },
    NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [...PROXY_ALIASES] } } },
  };
}
