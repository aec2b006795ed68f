import { proxyOn } from "../proxy/route";
import { needsReload, placesFor, type RouteEntry, shortId } from "../proxy/route-file";
import type { ContainerRef } from "./container-ref";
import type { Desired } from "./desired";
import { containersOf, type Found, type FoundRoute, type HostFound, isUp } from "./found";
import type { RoutePlace, RouteShape } from "./route-operation";
import { refOf } from "./ref-of";

/** Containers of a slot whatever they are called by now. */
type Standing = Pick<HostFound, "service"> & Partial<Pick<HostFound, "former">>;

/** What a host's part of a route should be, beside what it is. */
export interface RouteWish {
  readonly place: RoutePlace;
  /** But for who is behind it. */
  readonly shape: RouteShape;
  readonly drainTimeoutMs: number;
  readonly there: FoundRoute | undefined;
  /** As its file has it; undefined when there is none. */
  readonly entry: RouteEntry | undefined;
  /** The service's route on the same proxy under the name that it had. */
  readonly former: FoundRoute | undefined;
  /** What has to change before anybody is let in: `fresh`: nobody may stay that is there. */
  readonly write: "none" | "reshape" | "fresh";
}

/** The route that a service wants on a host; undefined when it wants none. */
export function routeWish(
  { target, routes = [] }: Pick<HostFound, "target" | "routes">,
  { route, service, replicas }: Pick<Desired, "route" | "service" | "replicas">,
): RouteWish | undefined {
  const proxy = route === undefined ? undefined : proxyOn(route, target);
  if (route === undefined || proxy === undefined) return undefined;
  const there = routes.find(({ place }) => place.proxy === proxy.name && place.service === service);
  const former = routes.find(
    ({ place, route: { entry } }) =>
      place.proxy === proxy.name && place.service !== service && entry !== undefined,
  );
  const entry = there?.route.entry;
  const { protocol, hosts, path, port, listen, drainTimeoutMs } = route;
  const shape: RouteShape = {
    ...{ service, protocol, hosts, path, port, listen },
    // fewer replicas need no reload
    places: Math.max(entry?.places ?? 0, placesFor(replicas)),
  };
  const place: RoutePlace = { proxy: proxy.name, network: proxy.network, service };
  const isKnown = there !== undefined && there.route.servers.length > 0;
  const write = writeOf(entry, shape, isKnown);
  return { place, shape, drainTimeoutMs, there, entry, former, write };
}

function writeOf(entry: RouteEntry | undefined, shape: RouteShape, isKnown: boolean): RouteWish["write"] {
  if (entry === undefined || isAnotherBackend(entry, shape)) return "fresh";
  return needsReload(entry, { ...shape, servers: [] }) || !isKnown ? "reshape" : "none";
}

/** True when those behind one of them cannot be behind the other: it asks them at another port. */
export function isAnotherBackend(one: RouteShape, other: RouteShape): boolean {
  return one.port !== other.port || one.protocol !== other.protocol;
}

/** A route without those behind it. */
export function shapeOf(entry: RouteEntry): RouteShape {
  const { service, protocol, hosts, path, port, listen, places } = entry;
  return { service, protocol, hosts, path, port, listen, places };
}

/** True when new requests come to the container. */
export function isListed(entry: RouteEntry | undefined, { id }: Pick<Found, "id">): boolean {
  return entry?.servers.some(({ container }) => container === shortId(id)) ?? false;
}

/**
 * True when new requests come to the container, and will after a restart of the host: the file names it, and the running proxy,
 * where it knows the route, gives it some.
 */
export function isBehind(
  { entry, there }: Pick<RouteWish, "entry" | "there">,
  { id }: Pick<Found, "id">,
): boolean {
  const { servers = [] } = there?.route ?? {};
  const isReady = servers.some(({ container, state }) => container === shortId(id) && state === "ready");
  return isListed(entry, { id }) && (servers.length === 0 || isReady);
}

/** Those that a route's file names, as they are called now; one that is gone goes by its id. */
export function serversOf(entry: RouteEntry, { service, former }: Standing): readonly ContainerRef[] {
  const all = [...service.slots, ...(former?.slots ?? [])].flatMap(containersOf);
  return entry.servers.map(({ container }) => {
    const found = all.find(({ id }) => shortId(id) === container);
    return found === undefined ? { name: container, id: container } : refOf(found);
  });
}

/** Those of them that still run. */
export function runningServersOf(entry: RouteEntry | undefined, found: Standing): readonly ContainerRef[] {
  return serversWhere(entry, found, ({ state }) => state === "running");
}

/** Those of them that are up, those first that run. */
export function upServersOf(entry: RouteEntry | undefined, found: Standing): readonly ContainerRef[] {
  return withoutTwins([...runningServersOf(entry, found), ...serversWhere(entry, found, isUp)]);
}

function serversWhere(
  entry: RouteEntry | undefined,
  { service, former }: Standing,
  holds: (container: Found) => boolean,
): readonly ContainerRef[] {
  const all = [...service.slots, ...(former?.slots ?? [])].flatMap(containersOf);
  const isIt = ({ id }: ContainerRef): boolean => all.some((each) => each.id === id && holds(each));
  return entry === undefined ? [] : serversOf(entry, { service, former }).filter(isIt);
}

/** Those behind some routes who run, and who may be behind a route of this shape: it asks them at the same port. */
export function stayingServers(
  entries: readonly (RouteEntry | undefined)[],
  shape: RouteShape,
  found: Standing,
): readonly ContainerRef[] {
  const same = entries.filter((entry) => entry !== undefined && !isAnotherBackend(entry, shape));
  return withoutTwins(same.flatMap((entry) => runningServersOf(entry, found)));
}

/** Each once. */
export function withoutTwins(refs: readonly ContainerRef[]): readonly ContainerRef[] {
  return refs.filter(({ id }, at) => refs.findIndex((each) => each.id === id) === at);
}
