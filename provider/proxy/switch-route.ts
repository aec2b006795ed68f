import { formatDuration } from "../duration";
import type { Clock } from "../clock";
import { SlipwayError } from "../errors";
import type { Log } from "../log";
import { stripControl } from "../secret";
import { applyFiles, observeProxy, type ProxyHost, switchServers } from "./change";
import { routeCertificates } from "./certificates";
import { type ObservedProxy, type ObservedRoute, routeOf, sessionsOf } from "./observed";
import type { ProxyRef } from "./ref";
import {
  formatRouteFile,
  needsReload,
  type RouteEntry,
  routeFileName,
  serverName,
  shortId,
} from "./route-file";
import { drainCommand, freeCommands, placeCommands, readyCommand, toProcess } from "./runtime-api";

/** A container that is to be behind a route. */
export interface RouteTarget {
  /** The whole id, or its first twelve digits. */
  readonly container: string;
  /** Its address on the proxy's network. */
  readonly address: string;
}

/**
 * The route of a service as it stands on the proxy's host; one round trip.
 * @throws SlipwayError proxy-missing when there is no such proxy, proxy-failed when it runs and does not answer
 */
export async function observeRoute(
  host: ProxyHost,
  proxy: Pick<ProxyRef, "name">,
  service: string,
): Promise<ObservedRoute> {
  const found = await mustObserve(host, proxy.name);
  if (found.mute) throw mute(host, proxy.name, service);
  return routeOf(found, service);
}

/**
 * Makes a route what it should be, its servers included: its file is tried, written and read anew by the running proxy. When
 * only the servers differ it does nothing: see readyServer. `replaces`: a service whose route goes in the same change, and
 * whose place it may take.
 * @throws SlipwayError proxy-config-invalid, route-taken; nothing was changed then
 */
export async function writeRoute(
  host: ProxyHost,
  proxy: Pick<ProxyRef, "name">,
  before: ObservedRoute,
  entry: RouteEntry,
  replaces?: string,
): Promise<ObservedRoute> {
  const isServed = before.servers.length > 0;
  if (isServed && !needsReload(before.entry, entry)) return before;
  const certificates = routeCertificates([entry], before.certificates, before.tls);
  const files = new Map([
    [`conf/${routeFileName(entry.service)}`, formatRouteFile(entry)],
    ...certificates.files,
  ]);
  const gone = replaces === undefined ? [] : [`conf/${routeFileName(replaces)}`];
  const change = { files, removed: [...certificates.removed, ...gone], reload: true };
  const found = await applyFiles(host, proxy.name, change);
  return routeOf(found, entry.service);
}

/** Takes a route away; what its servers still have ends by itself. Nothing to take is no mistake. */
export async function removeRoute(
  host: ProxyHost,
  proxy: Pick<ProxyRef, "name">,
  service: string,
): Promise<void> {
  const found = await observeProxy(host, proxy.name);
  const path = `conf/${routeFileName(service)}`;
  if (!found?.files.has(path)) return;
  const removed = [path, ...routeOf(found, service).certificates];
  await applyFiles(host, proxy.name, { files: new Map(), removed, reload: true });
}

/**
 * Lets a container take new requests, beside those that do: its file first, then the running proxy, in one round trip.
 * @throws SlipwayError proxy-failed when the proxy does not give it requests after that
 */
export async function readyServer(
  host: ProxyHost & { readonly clock: Clock },
  proxy: Pick<ProxyRef, "name">,
  before: ObservedRoute,
  target: RouteTarget,
): Promise<ObservedRoute> {
  const entry = mustHaveEntry(host, proxy.name, before);
  const container = shortId(target.container);
  const known = entry.servers.find((server) => server.container === container);
  const place = known?.place ?? freePlace(before);
  if (place === undefined) throw noPlace(host, proxy.name, before);
  const servers = known === undefined ? [...entry.servers, { place, container }] : entry.servers;
  const commands = [
    ...placeCommands(before.service, { place, container, address: target.address, port: entry.port }),
    readyCommand(before.service, place),
  ];
  const began = host.clock.now();
  let found = await change(host, proxy.name, { ...entry, servers }, commands);
  for (;;) {
    const route = routeOf(found, before.service);
    const server = route.servers.find((each) => each.container === container);
    // a proxy that does not run finds it in the file when it starts
    if ((found.version === undefined && !found.mute) || server?.up === true) return route;
    if (host.clock.now() - began >= READY_MS)
      throw notReady(host, proxy.name, before.service, found.answer, container);
    // its place had no address, so Docker's DNS is asked first; the one before still serves
    await host.clock.sleep(POLL_MS, host.signal);
    found = { ...(await mustObserve(host, proxy.name)), answer: found.answer };
  }
}

/** Gives a container no new requests; what it has goes on. Its file first, then the running proxy, in one round trip. */
export async function drainServer(
  host: ProxyHost,
  proxy: Pick<ProxyRef, "name">,
  before: ObservedRoute,
  id: string,
): Promise<ObservedRoute> {
  const container = shortId(id);
  const entry = entryWithout(host, proxy, before, container);
  const commands = placesOf(before, container).map((place) => drainCommand(before.service, place));
  return routeOf(await change(host, proxy.name, entry, commands), before.service);
}

/** How a drain ended. */
export interface Drained {
  readonly route: ObservedRoute;
  /** Requests and connections that were still open at the limit. */
  readonly left: number;
  readonly tookMs: number;
}

const POLL_MS = 250;
const READY_MS = 15_000;

/** Waits until a container has no open request or connection left in any of the proxy's processes, or the limit is over. */
export async function waitDrained(
  host: ProxyHost & { readonly clock: Clock; readonly log: Log },
  proxy: Pick<ProxyRef, "name">,
  before: ObservedRoute,
  { container: id, timeoutMs }: { readonly container: string; readonly timeoutMs: number },
): Promise<Drained> {
  const container = shortId(id);
  const began = host.clock.now();
  let route = before;
  let isMute = false;
  for (;;) {
    const left = sessionsOf(route, container);
    const tookMs = host.clock.now() - began;
    // a proxy that says nothing has not said that all has ended
    if ((left === 0 && !isMute) || tookMs >= timeoutMs) return { route, left, tookMs };
    host.log.progress(`draining ${container}: ${left} open, ${formatDuration(timeoutMs - tookMs)} left`);
    await host.clock.sleep(Math.min(POLL_MS, timeoutMs - tookMs), host.signal);
    const found = await mustObserve(host, proxy.name);
    isMute = found.mute;
    if (!isMute) route = routeOf(found, before.service);
  }
}

/** Ends what a container still has and frees its place. */
export async function removeServer(
  host: ProxyHost,
  proxy: Pick<ProxyRef, "name">,
  before: ObservedRoute,
  id: string,
): Promise<ObservedRoute> {
  const container = shortId(id);
  const entry = entryWithout(host, proxy, before, container);
  const commands = placesOf(before, container).flatMap((place) => freeCommands(before.service, place));
  const former = before.former
    .filter((server) => server.container === container && server.sessions > 0)
    .map(({ pid, backend, name }) => toProcess([`shutdown sessions server ${backend}/${name}`], pid));
  return routeOf(await change(host, proxy.name, entry, commands, former.join("")), before.service);
}

/** The next place that neither the file nor the running proxy gives to anybody. */
function freePlace({ entry, servers }: ObservedRoute): number | undefined {
  if (entry === undefined) return undefined;
  const taken = (place: number): boolean =>
    entry.servers.some((server) => server.place === place) ||
    servers.some(
      ({ name, container, state }) =>
        name === serverName(place) && container !== undefined && state !== "maint",
    );
  return Array.from({ length: entry.places }, (_, at) => at + 1).find((place) => !taken(place));
}

function placesOf({ servers }: ObservedRoute, container: string): readonly number[] {
  return servers.filter((server) => server.container === container).map(({ name }) => Number(name.slice(1)));
}

async function change(
  host: ProxyHost,
  proxy: string,
  entry: RouteEntry,
  commands: readonly string[],
  further = "",
): Promise<ObservedProxy> {
  const file = { name: routeFileName(entry.service), text: formatRouteFile(entry) };
  const found = await switchServers(host, proxy, file, toProcess(commands) + further);
  if (found.mute) throw mute(host, proxy, entry.service);
  return found;
}

async function mustObserve(host: ProxyHost, proxy: string): Promise<ObservedProxy> {
  const found = await observeProxy(host, proxy);
  if (found === undefined) throw noProxy(host, proxy);
  return found;
}

/** Nobody may go by what a proxy that is there and says nothing is believed to do. */
function mute({ session }: ProxyHost, proxy: string, service: string): SlipwayError {
  return new SlipwayError({
    code: "proxy-failed",
    what: `switching "${service}"`,
    host: session.target,
    why: `the proxy "${proxy}" runs and does not answer, so what it does is not known`,
    left: "The containers of the service go on",
    next: `Look at docker logs ${proxy} there, then run pulumi up again`,
  });
}

function mustHaveEntry({ session }: ProxyHost, proxy: string, { service, entry }: ObservedRoute): RouteEntry {
  if (entry !== undefined) return entry;
  throw new SlipwayError({
    code: "proxy-failed",
    what: `switching "${service}"`,
    host: session.target,
    why: `the proxy "${proxy}" has no route for it`,
    next: "Run pulumi up again: it writes the route anew",
  });
}

/** The route's file when a container has left it. */
function entryWithout(
  host: ProxyHost,
  { name }: Pick<ProxyRef, "name">,
  before: ObservedRoute,
  container: string,
): RouteEntry {
  const entry = mustHaveEntry(host, name, before);
  return { ...entry, servers: entry.servers.filter((server) => server.container !== container) };
}

function notReady(
  { session }: ProxyHost,
  proxy: string,
  service: string,
  answer: string,
  container: string,
): SlipwayError {
  const words = stripControl(answer).trim().slice(0, 500);
  return new SlipwayError({
    code: "proxy-failed",
    what: `giving requests for "${service}" to the container ${container}`,
    host: session.target,
    why: `the proxy "${proxy}" does not take it`,
    after: `after ${formatDuration(READY_MS)}`,
    left: "Those before it still get theirs",
    next: "Look whether the container is on the proxy's network, and listens on the route's port",
    evidence: words,
  });
}

function noPlace({ session }: ProxyHost, proxy: string, { service }: ObservedRoute): SlipwayError {
  return new SlipwayError({
    code: "proxy-failed",
    what: `switching "${service}"`,
    host: session.target,
    why: `every place behind its route of the proxy "${proxy}" is taken`,
    next: "Run pulumi up again: it writes the route anew",
  });
}

function noProxy({ session }: ProxyHost, proxy: string): SlipwayError {
  return new SlipwayError({
    code: "proxy-missing",
    what: `looking at the routes of the proxy "${proxy}"`,
    host: session.target,
    why: "there is no such proxy on this host",
    next: "Let the route name an EdgeProxy of this host",
  });
}
