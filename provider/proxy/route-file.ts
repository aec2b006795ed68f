import { canonicalJson, isObject } from "../values";
import type { Route } from "./route";
import { FREE_NAME, INSIDE } from "./ref";

/** A container behind a route, as its file has it. */
export interface ListedServer {
  /** Its place in the backend, from 1. */
  readonly place: number;
  /** The first twelve digits of its id: Docker's own DNS knows a container by it, whatever address a restart gives it. */
  readonly container: string;
}

/** A route as its file on the host has it: what it is, and who is behind it now. */
export interface RouteEntry extends Pick<Route, "protocol" | "hosts" | "path" | "port" | "listen"> {
  readonly service: string;
  /** Places for servers; a switch needs a free one, and only a reload makes more. */
  readonly places: number;
  /** Those that get new requests. A server that is being drained is no longer here: a restart ends what it still had. */
  readonly servers: readonly ListedServer[];
}

const HEAD = "# slipway ";
const KEY = "# key ";

/** The first twelve digits of a container's id, by which routes know it. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}

/** Places that a service with so many replicas needs, so that all can be swapped at once and one more comes along. */
export function placesFor(replicas: number): number {
  return 2 * replicas + 2;
}

/** The file's name in the folder of HAProxy's configuration: between what comes first and what comes last. */
export function routeFileName(service: string): string {
  return `50-${service}.cfg`;
}

/** The name of a service's backend. */
export function backendOf(service: string): string {
  return `service.${service}`;
}

/** The name of a place in a backend. */
export function serverName(place: number): string {
  return `s${place}`;
}

/** True when HAProxy has to read its files again to get from one to the other: all but who is behind the route. */
export function needsReload(before: RouteEntry | undefined, after: RouteEntry): boolean {
  const shape = (entry: RouteEntry): string => canonicalJson({ ...entry, servers: [] });
  return before === undefined || shape(before) !== shape(after);
}

/**
 * What requests are matched with: `example.com/api/`. HAProxy finds the longest one that the request's name and path, with
 * a slash behind, begin with, so a path matches whole segments only.
 */
export function routeKeys({
  protocol,
  hosts,
  path,
}: Pick<RouteEntry, "protocol" | "hosts" | "path">): readonly string[] {
  if (protocol === "tcp") return [];
  const end = path === "/" ? "/" : `${path}/`;
  return (hosts.length === 0 ? ["*"] : hosts).map((host) => `${host}${end}`);
}

/** A route's file, whole. It reads back by `parseRouteFile`. */
export function formatRouteFile(entry: RouteEntry): string {
  const { service, protocol, port, listen, places, servers } = entry;
  const keys = protocol === "tcp" ? [`tcp:${listen}`] : routeKeys(entry);
  const lines = [
    `${HEAD}${canonicalJson(entry)}`,
    ...keys.map((key) => `${KEY}${key} ${backendOf(service)}`),
  ];
  if (protocol === "tcp") {
    lines.push(
      `frontend tcp.${listen}`,
      "    mode tcp",
      `    bind :${listen}`,
      `    default_backend ${backendOf(service)}`,
    );
  }
  lines.push(
    `backend ${backendOf(service)}`,
    `    mode ${protocol}`,
    "    balance roundrobin",
    // free places share a name, hence an address; without one they could not be given another at once
    "    default-server check inter 1s fall 2 rise 1 resolvers docker resolve-opts allow-dup-ip init-addr libc,none",
  );
  for (let place = 1; place <= places; place++) {
    const server = servers.find((each) => each.place === place);
    const who = server === undefined ? `${FREE_NAME}:${port} disabled` : `${server.container}:${port}`;
    lines.push(`    server ${serverName(place)} ${who}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Reads a route's file by its first line; undefined when it is none of ours, or was edited beyond reading. */
export function parseRouteFile(text: string): RouteEntry | undefined {
  const [first = ""] = text.split("\n", 1);
  if (!first.startsWith(HEAD)) return undefined;
  const value = parsed(first.slice(HEAD.length));
  if (!isObject(value)) return undefined;
  const { service, protocol, hosts, path, port, listen, places, servers } = value;
  if (typeof service !== "string" || !/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(service)) return undefined;
  if ((protocol !== "http" && protocol !== "tcp") || typeof path !== "string") return undefined;
  if (typeof port !== "number" || typeof listen !== "number" || typeof places !== "number") return undefined;
  if (!Array.isArray(hosts) || !Array.isArray(servers)) return undefined;
  const names = hosts.filter((host): host is string => typeof host === "string");
  const listed = servers.map(readServer).filter((server) => server !== undefined);
  return { service, protocol, hosts: names, path, port, listen, places, servers: listed };
}

/** All keys of all routes as HAProxy's map has them, sorted. */
export function formatRouteMap(entries: readonly RouteEntry[]): string {
  const lines = entries.flatMap((entry) =>
    routeKeys(entry).map((key) => `${key} ${backendOf(entry.service)}\n`),
  );
  return lines.sort().join("");
}

/** The map's path, as the proxy sees it. */
export const MAP_PATH = `${INSIDE}/routes.map`;

function readServer(value: unknown): ListedServer | undefined {
  if (!isObject(value) || typeof value.place !== "number" || typeof value.container !== "string")
    return undefined;
  return /^[0-9a-f]{12}$/.test(value.container)
    ? { place: value.place, container: value.container }
    : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // edited by hand: the caller writes it anew
  }
}
