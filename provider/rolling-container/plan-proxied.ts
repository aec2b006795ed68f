import { HEALTHCHECK_DEFAULTS } from "../health/policy";
import { shortId } from "../proxy/route-file";
import type { Check, ContainerRef } from "./container-ref";
import { checkOf, type Desired } from "./desired";
import { type Found, type FoundRoute, type HostFound, slotOf } from "./found";
import { gateBack } from "./plan-exchange";
import type { GateOperation, Operation, Step } from "./operation";
import {
  isAnotherBackend,
  isBehind,
  isListed,
  type RouteWish,
  routeWish,
  runningServersOf,
  serversOf,
  shapeOf,
  stayingServers,
  upServersOf,
  withoutTwins,
} from "./plan-route";
import { refOf } from "./ref-of";
import type { RoutePlace } from "./route-operation";

type Seen = Pick<HostFound, "target" | "service" | "former" | "routes">;

/** The slot that carries what is one for all slots of a host. */
const CARRIER = 1;
const PORT_TIMEOUT_MS = 5_000;

/** The gate asks what the program said; the route's port has to answer too, before anybody is sent there. */
export function routeProof(found: Seen, desired: Desired, container: ContainerRef): readonly Step[] {
  const wish = routeWish(found, desired);
  const check = checkOf(desired);
  const asked = typeof check !== "string" && check.test.kind !== "command" ? check.test.port : undefined;
  return wish === undefined || asked === wish.shape.port ? [] : [portGate(wish, desired, container)];
}

/**
 * Lets a container that passed its gate take requests. Nobody else is touched by it: with the first of these steps the route
 * is, so that a version that fails its gate has never seen a request. Empty where no route is wanted.
 */
export function enterRoute(
  found: Seen,
  desired: Desired,
  { slot, container, gone }: Entrance,
): readonly Step[] {
  const wish = routeWish(found, desired);
  if (wish === undefined) return [];
  if (slot !== CARRIER || wish.write === "none") return touchesLive([ready(wish.place, container)]);
  const before = [wish.entry, wish.former?.route.entry];
  const stay = stayingServers(before, wish.shape, found).filter(
    ({ id }) => id === undefined || !gone.includes(id),
  );
  if (stay.length === 0) {
    const wasServed = wish.entry !== undefined || wish.former !== undefined;
    return touchesLive([
      ...(wasServed ? [comesBack(container, desired)] : []),
      write(found, wish, [container]),
    ]);
  }
  return touchesLive([write(found, wish, stay), ready(wish.place, container)]);
}

/** Nobody else is behind the route from the next step on: should the host restart, it has to be there again. */
function comesBack(container: ContainerRef, { limits }: Pick<Desired, "limits">): Step {
  return {
    operation: { kind: "restart-policy", container, restart: limits.restart },
    cause: "it is alone behind the route",
    undo: [{ kind: "restart-policy", container, restart: "no" }],
  };
}

/** Who comes behind a route. */
export interface Entrance {
  readonly slot: number;
  readonly container: ContainerRef;
  /** Ids of those that do not run any more by then. */
  readonly gone: readonly string[];
}

/** The same for one that stays: it comes behind a route that it is not behind yet, or that is another one now. */
export function stayBehindRoute(found: Seen, desired: Desired, slot: number, live: Found): readonly Step[] {
  const wish = routeWish(found, desired);
  if (wish === undefined) return [];
  const container = refOf(live);
  // whom the first slot's new route takes over
  const stays = wish.write === "none" || (wish.write === "reshape" && live.state === "running");
  const listed = isBehind(wish, live) && (slot === CARRIER || stays);
  const isCarrier = slot === CARRIER && wish.write !== "none";
  if (!isCarrier && listed) return [];
  // one that does not run has just been started, and proved itself
  const isUnproved = !listed && (live.state === "running" || live.state === "restarting");
  const prove: Step = {
    operation: gateBack(live, desired.update.healthyDeadlineMs),
    cause: "it has to serve before it is behind the route",
  };
  const proof = isUnproved ? [prove] : [];
  if (!isCarrier) return [...proof, ...touchesLive([ready(wish.place, container)])];
  // those behind the former name's route serve on, too, until each has its successor
  const former = stayingServers([wish.former?.route.entry], wish.shape, found);
  const others = withoutTwins([...runningServersOf(wish.entry, found), ...former]).filter(
    ({ id }) => id !== live.id,
  );
  const port = wish.write === "fresh" ? [portGate(wish, desired, container)] : [];
  return [...proof, ...port, { ...write(found, wish, [container, ...others]), touchesLive: true }];
}

/** Lets what a container has end, and takes it away from the route; empty when it is not behind one. */
export function leaveRoute(
  { routes = [] }: Pick<HostFound, "routes">,
  { id }: Pick<Found, "id">,
  container: ContainerRef,
  wish: Pick<RouteWish, "place" | "shape"> | undefined,
): readonly Step[] {
  // one that nothing takes the place of goes as a whole, when the rollout is done
  if (wish === undefined) return [];
  return routes.flatMap((found): readonly Step[] => {
    if (found.place.proxy !== wish.place.proxy || !hasServer(found, id)) return [];
    if (found.place.service === wish.place.service) return leaving(found, container);
    const wait = awaitDrained(found, container);
    const { entry } = found.route;
    // with a new name of the service it went in one change, unless those behind the former one came along
    if (entry === undefined || isAnotherBackend(entry, wish.shape)) return [wait];
    const [drain, ...end] = leaving({ ...found, place: wish.place }, container);
    return [...(drain === undefined ? [] : [drain]), wait, ...end];
  });
}

/** Drained, waited for, removed. */
export function leaving(
  found: FoundRoute,
  container: ContainerRef,
  cause = "the new one has its requests",
): readonly Step[] {
  const { place } = found;
  return [
    { operation: { kind: "drain-server", place, container }, cause },
    awaitDrained(found, container),
    { operation: { kind: "remove-server", place, container }, cause: "what it had has ended" },
  ];
}

/** True while a route or one of its processes knows the container. */
export function hasServer({ route }: FoundRoute, id: string): boolean {
  const isIt = ({ container }: { readonly container: string | undefined }): boolean =>
    container === shortId(id);
  return isListed(route.entry, { id }) || [...route.servers, ...route.former].some(isIt);
}

/** Requests for it, from here on. */
export function ready(place: RoutePlace, container: ContainerRef, cause = "it passed its gate"): Step {
  return {
    operation: { kind: "ready-server", place, container },
    cause,
    undo: [
      { kind: "drain-server", place, container },
      { kind: "await-drained", place, container, timeoutMs: UNDO_DRAIN_MS },
      { kind: "remove-server", place, container },
    ],
  };
}

/** Whoever got a request in the moment before it is taken back may answer it. */
const UNDO_DRAIN_MS = 5_000;

/** Lets what it has end, up to the route's `drainTimeout`. */
export function awaitDrained(
  { place, drainTimeoutMs: timeoutMs }: FoundRoute,
  container: ContainerRef,
): Step {
  return { operation: { kind: "await-drained", place, container, timeoutMs }, cause: "what it has may end" };
}

function touchesLive([first, ...rest]: readonly Step[]): readonly Step[] {
  return first === undefined ? [] : [{ ...first, touchesLive: true }, ...rest];
}

function write(found: Seen, wish: RouteWish, servers: readonly ContainerRef[]): Step {
  const { place, shape, entry, former } = wish;
  const replaces = former === undefined ? {} : { replaces: former.place.service };
  const operation: Operation = { kind: "write-route", place, shape, servers, ...replaces };
  return { operation, cause: causeOf(wish), undo: [asBefore(found, place, entry, former)] };
}

interface StandingRoute extends Pick<FoundRoute, "place"> {
  readonly route: Pick<FoundRoute["route"], "entry">;
}

/** What makes a route what it was when the host was looked at; `former`: as it was under another name of the service. */
export function asBefore(
  found: Pick<HostFound, "service" | "former">,
  place: RoutePlace,
  entry: RouteWish["entry"],
  former: StandingRoute | undefined,
): Operation {
  const before = former?.route.entry;
  if (former !== undefined && before !== undefined) {
    const [shape, servers] = [shapeOf(before), upServersOf(before, found)];
    return { kind: "write-route", place: former.place, shape, servers, replaces: place.service, back: true };
  }
  if (entry === undefined) return { kind: "remove-route", place };
  return {
    kind: "write-route",
    place,
    shape: shapeOf(entry),
    servers: upServersOf(entry, found),
    back: true,
  };
}

function causeOf({ entry, former, write: how }: RouteWish): string {
  if (former !== undefined) return "the service has a new name";
  if (entry === undefined) return "no route yet";
  return how === "fresh" ? "the route leads to another port" : "the route changed, no new container needed";
}

function portGate({ shape: { port } }: RouteWish, desired: Desired, container: ContainerRef): Step {
  const check: Check = { ...HEALTHCHECK_DEFAULTS, test: { kind: "tcp", port }, timeoutMs: PORT_TIMEOUT_MS };
  const operation: GateOperation = {
    kind: "gate",
    container,
    check,
    minHealthyMs: 0,
    deadlineMs: desired.update.healthyDeadlineMs,
    serves: true,
  };
  return { operation, cause: "the route leads to that port" };
}

/** What is behind a wanted route and in no place of the service, and routes that are not wanted any more. */
export function tidyRoutes(found: HostFound, desired: Pick<Desired, "route" | "replicas">): readonly Step[] {
  const { routes = [], service } = found;
  const wish = routeWish(found, { ...desired, service: service.service });
  const live = new Set(
    Array.from({ length: desired.replicas }, (_, index) => slotOf(service, index + 1).live?.id ?? "").map(
      shortId,
    ),
  );
  return routes.flatMap((each): readonly Step[] => {
    if (each.place.proxy !== wish?.place.proxy || each.place.service !== wish.place.service)
      return each.route.entry === undefined
        ? []
        : removeRoute(found, each, "it is not wanted any more", (id) => !live.has(shortId(id)));
    const { entry, servers } = each.route;
    const known = [...(entry?.servers ?? []), ...servers].map(({ container }) => container ?? "");
    const stale = [...new Set(known)].filter((id) => id !== "" && !live.has(id));
    const refs = stale.map(
      (id) => serversOf({ ...wish.shape, servers: [{ place: 1, container: id }] }, found)[0],
    );
    return refs.flatMap((ref) => (ref === undefined ? [] : leaving(each, ref, "it serves no more")));
  });
}

/** Every route of a service, when all of it goes: what its containers have may end. */
export function endRoutes(found: HostFound, cause: string): readonly Step[] {
  return (found.routes ?? []).flatMap((each) =>
    each.route.entry === undefined ? [] : removeRoute(found, each, cause),
  );
}

/** `goes`: who is to be stopped after that, and so waited for. */
function removeRoute(
  found: HostFound,
  route: FoundRoute,
  cause: string,
  goes: (id: string) => boolean = () => true,
): readonly Step[] {
  const waits = runningServersOf(route.route.entry, found)
    .filter(({ id }) => id !== undefined && goes(id))
    .map((container) => awaitDrained(route, container));
  return [{ operation: { kind: "remove-route", place: route.place }, cause }, ...waits];
}
