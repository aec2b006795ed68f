import type { RouteEntry } from "../proxy/route-file";
import type { ContainerRef } from "./container-ref";
import type { Desired } from "./desired";
import { type Found, type FoundRoute, type HostFound, isUp } from "./found";
import type { Operation, Step } from "./operation";
import { asBefore, awaitDrained, leaving } from "./plan-proxied";
import { isListed, routeWish } from "./plan-route";

type Seen = Pick<HostFound, "target" | "service" | "former" | "routes">;

/** One that is about to be stopped. */
export interface Leaver {
  readonly slot: number;
  readonly found: Found;
  /** As it is called by then. */
  readonly ref: ContainerRef;
  /** It may still come back: then it is behind the route again. */
  readonly mayReturn: boolean;
}

/**
 * What somebody needs who is behind a route that the service does not want any more, before it is stopped: nothing new, and
 * time for what it has. With the last one the whole route goes, so that nobody is sent to a route without anyone behind it.
 */
export function leaveUnwanted(
  seen: Seen,
  desired: Pick<Desired, "route" | "service" | "replicas">,
  leaver: Leaver,
): readonly Step[] {
  if (!isUp(leaver.found)) return [];
  return unwantedRoutes(seen, desired).flatMap(({ entry, ...route }) => {
    if (!isListed(entry, leaver.found)) return [];
    const { place } = route;
    const { ref, mayReturn } = leaver;
    if (others(seen, leaver.slot).some((each) => isListed(entry, each))) {
      const steps = leaving(route, ref, CAUSE);
      return mayReturn ? withUndo(steps, { kind: "ready-server", place, container: ref }) : steps;
    }
    const remove: Step = { operation: { kind: "remove-route", place }, cause: CAUSE };
    const steps = [remove, awaitDrained(route, ref)];
    return mayReturn ? withUndo(steps, asBefore(seen, place, entry, undefined)) : steps;
  });
}

/** Routes that a rollout took away, for a host that goes back to what it was before. */
export function unwantedBack(
  before: HostFound,
  now: HostFound,
  desired: Pick<Desired, "route" | "service" | "replicas">,
  cause: string,
): readonly Step[] {
  return unwantedRoutes(before, desired).flatMap(({ place, entry }) => {
    const stands = now.routes?.find(
      (each) => each.place.proxy === place.proxy && each.place.service === place.service,
    );
    const isWhole = entry.servers.every(({ container }) =>
      stands?.route.entry?.servers.some((each) => each.container === container),
    );
    return isWhole ? [] : [{ operation: asBefore(before, place, entry, undefined), cause }];
  });
}

const CAUSE = "the route is not wanted any more";

type Unwanted = FoundRoute & { readonly entry: RouteEntry };

/** Those of proxies that the service does not name: under another name of the service they go with the wanted one. */
function unwantedRoutes(
  seen: Pick<HostFound, "target" | "routes">,
  desired: Pick<Desired, "route" | "service" | "replicas">,
): readonly Unwanted[] {
  const wish = routeWish(seen, desired);
  return (seen.routes ?? []).flatMap((each) => {
    const { entry } = each.route;
    return entry === undefined || each.place.proxy === wish?.place.proxy ? [] : [{ ...each, entry }];
  });
}

function withUndo([first, ...rest]: readonly Step[], undo: Operation): readonly Step[] {
  return first === undefined ? [] : [{ ...first, undo: [undo] }, ...rest];
}

/** Who leaves after that slot. */
function others({ service, former }: Seen, slot: number): readonly Found[] {
  return [...service.slots, ...(former?.slots ?? [])].flatMap(({ slot: at, live }) =>
    at > slot && live !== undefined && isUp(live) ? [live] : [],
  );
}
