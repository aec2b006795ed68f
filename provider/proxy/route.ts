import type { Failure } from "../handler";
import { machineOfTarget } from "../host/connection";
import { type Fields, isObject } from "../values";
import { isAcmeName } from "./acme-name";
import { type ProxyRef, readProxyRef } from "./ref";

/** A `route` argument with its defaults: how a service is reached through its proxies. */
export interface Route {
  /** One on each machine of the service. */
  readonly proxies: readonly ProxyRef[];
  readonly protocol: "http" | "tcp";
  /** Host names, lower case; `*.example.com` is any one label. None: every name that no other route has. */
  readonly hosts: readonly string[];
  /** Begins and, but for `/`, does not end with a slash. */
  readonly path: string;
  /** The container's port. */
  readonly port: number;
  /** The proxy's port of a tcp route; 0 for http. */
  readonly listen: number;
  /** How long open requests and connections of an old container may go on. Milliseconds. */
  readonly drainTimeoutMs: number;
}

/** Of a route that says nothing of it. */
export const DRAIN_TIMEOUT_MS = 30_000;

const HOST = /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** Characters of a path that mean nothing in HAProxy's files. */
const PATH = /^\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$/;

/** Reads a `route` argument; mistakes are in the fields' failures, undefined while it is not whole or not known. */
export function readRoute(fields: Fields): Route | undefined {
  const before = fields.failures.length;
  const proxies = readProxies(fields);
  const protocol = fields.oneOf("protocol", ["http", "tcp"] as const) ?? "http";
  const hosts = readHostNames(fields);
  const path = readPath(fields);
  const port = fields.integer("port", { min: 1, max: 65_535 });
  if (port === undefined && !fields.has("port")) fields.fail("port", "is required");
  const listen = fields.integer("listen", { min: 1, max: 65_535 });
  const drainTimeoutMs = fields.duration("drainTimeout") ?? DRAIN_TIMEOUT_MS;
  fields.rejectOthers();
  if (protocol === "tcp") {
    if (hosts.length > 0) fields.fail("hosts", "are for http: a tcp route has a port of the proxy to itself");
    if (fields.has("path")) fields.fail("path", "is for http");
    const place = listen ?? port;
    for (const { name, tcpPorts } of proxies) {
      if (place === undefined || tcpPorts.includes(place)) continue;
      fields.fail(
        "listen",
        `must be one of the tcpPorts of the proxy "${name}" (${tcpPorts.join(", ") || "none"}), not ${place}`,
      );
    }
  } else if (listen !== undefined)
    fields.fail("listen", "is for tcp: http routes share the proxy's http ports");
  if (fields.failures.length > before || port === undefined || proxies.length === 0) return undefined;
  return {
    proxies,
    protocol,
    hosts,
    path,
    port,
    listen: protocol === "tcp" ? (listen ?? port) : 0,
    drainTimeoutMs,
  };
}

/** The proxy on this machine; undefined when the route has none there. */
export function proxyOn(route: Route, target: string): ProxyRef | undefined {
  const machine = machineOfTarget(target);
  return route.proxies.find((proxy) => machineOfTarget(proxy.target) === machine);
}

/** What is wrong with a route for a service on these machines: each needs a proxy, which reaches containers on its own only. */
export function routeFailures(route: Route, targets: readonly string[]): readonly Failure[] {
  return targets
    .filter((target) => proxyOn(route, target) === undefined)
    .map((target) => ({
      property: "route.proxy",
      reason: `names no EdgeProxy on ${target}, where the service runs`,
    }));
}

/** What is wrong with a route's hosts where a proxy of it gets certificates from an ACME server: those it cannot ask for. */
export function acmeFailures({ proxies, protocol, hosts }: Route): readonly Failure[] {
  const proxy = proxies.find(({ acme }) => acme !== undefined);
  if (proxy === undefined || protocol === "tcp") return [];
  return hosts
    .filter((host) => !isAcmeName(host))
    .map((host) => ({
      property: "route.hosts",
      reason: `cannot have ${host}: the proxy "${proxy.name}" gets its certificates by ACME (HTTP-01), which gives none for ${host.startsWith("*") ? "wildcards: name the hosts one by one, or give the proxy `tls: { certificates }`" : "addresses"}`,
    }));
}

/** Where a route is reached first: `https://example.com/api`, `tcp://203.0.113.10:5432`. */
export function routeUrl({ proxies, protocol, hosts, path, listen }: Route): string {
  const [proxy] = proxies;
  if (proxy === undefined) return "";
  if (protocol === "tcp") return `tcp://${bracketed(proxy.address)}:${listen}`;
  const name = hosts.find((host) => !host.startsWith("*")) ?? bracketed(proxy.address);
  const isUsual = proxy.port === (proxy.scheme === "https" ? 443 : 80);
  return `${proxy.scheme}://${name}${isUsual ? "" : `:${proxy.port}`}${path === "/" ? "" : path}`;
}

/** An IPv6 address as it stands in a URL. */
export function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

function readProxies(fields: Fields): readonly ProxyRef[] {
  const raw = fields.raw("proxy");
  if (raw === undefined) {
    if (!fields.has("proxy")) fields.fail("proxy", "is required");
    return [];
  }
  if (Array.isArray(raw)) return fields.objects("proxy", readProxyRef) ?? [];
  if (!isObject(raw)) {
    fields.fail("proxy", "must be an EdgeProxy, or one a host");
    return [];
  }
  const nested = fields.object("proxy");
  const ref = nested === undefined ? undefined : readProxyRef(nested);
  return ref === undefined ? [] : [ref];
}

function readHostNames(fields: Fields): readonly string[] {
  const hosts = fields.list("hosts", (value, fail) => {
    if (typeof value !== "string") return fail("must be a host name");
    const name = value.toLowerCase();
    if (name.length <= 253 && HOST.test(name)) return name;
    return fail(
      `must be a host name such as "example.com" or "*.example.com", not ${JSON.stringify(value.slice(0, 60))}`,
    );
  });
  const names = hosts ?? [];
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) fields.fail("hosts", `names ${twice} twice`);
  return [...names].sort();
}

function readPath(fields: Fields): string {
  const path = fields.string("path") ?? "/";
  if (path.length > 500 || !PATH.test(path) || path.includes("//")) {
    fields.fail(
      "path",
      `must begin with a slash and hold nothing that has to be escaped, not ${JSON.stringify(path.slice(0, 60))}`,
    );
    return "/";
  }
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}
