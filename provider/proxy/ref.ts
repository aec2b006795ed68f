import type { Fields } from "../values";

/**
 * What an EdgeProxy stands for when a route names it: enough to plan with, and nothing secret. The machine itself is
 * reached by the service's own connection to it, since containers and their proxy share one.
 */
export interface ProxyRef {
  readonly name: string;
  /** The machine, as `user@address:port`; compare by `machineOfTarget`. */
  readonly target: string;
  /** The network that proxy and containers share. */
  readonly network: string;
  readonly scheme: "http" | "https";
  /** The host's address as the program gave it, for URLs. */
  readonly address: string;
  /** The port of `scheme`. */
  readonly port: number;
  /** Ports that it holds for tcp routes. */
  readonly tcpPorts: readonly number[];
  /** The ACME server that it gets certificates from, by its directory; undefined when it gets none. */
  readonly acme?: string;
}

/** Reads what an EdgeProxy was unwrapped into; undefined when it is not whole or not known yet. */
export function readProxyRef(fields: Fields): ProxyRef | undefined {
  const name = fields.requiredString("name");
  const target = fields.requiredString("target");
  const network = fields.requiredString("network");
  const scheme = fields.oneOf("scheme", ["http", "https"] as const);
  const address = fields.requiredString("address");
  const port = fields.integer("port", { min: 1, max: 65_535 });
  const tcpPorts = fields.list("tcpPorts", (value) => (typeof value === "number" ? value : undefined)) ?? [];
  const acme = fields.string("acme");
  fields.rejectOthers();
  if (name === undefined || target === undefined || network === undefined) return undefined;
  if (scheme === undefined || address === undefined || port === undefined) return undefined;
  return { name, target, network, scheme, address, port, tcpPorts, ...(acme === undefined ? {} : { acme }) };
}

/** Where a proxy of that name has its configuration on the host; root's alone. */
export function folderOf(name: string): string {
  return `${PROXIES}/${name}`;
}

/** Held while an up changes the proxy itself; who changes a route waits for it. */
export function lockOf(name: string): string {
  return `${LOCKS}.${name}.lock`;
}

/** Held by the program on the host that exchanges the proxy's container, whether the up that started it lives or not. */
export function exchangeLockOf(name: string): string {
  return `${LOCKS}.${name}.exchange`;
}

/** Root's, cleared by a reboot as the locks are; what they are called before the proxy's name. */
export const LOCKS = "/run/slipway/proxy";

/** The folder of all proxies on a host, root's alone; it stays over a reboot, as the containers do. */
export const PROXIES = "/var/lib/slipway/proxy";

/** Where the proxy's container sees its folder. */
export const INSIDE = "/slipway";

/** A name on the proxy's network that stands for no container: what a free place in a backend points at. */
export const FREE_NAME = "slipway-free";
