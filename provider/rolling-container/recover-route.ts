import type { Desired } from "./desired";
import type { Found, HostFound, SlotFound } from "./found";
import type { Recovery } from "./leftovers";
import type { Step } from "./operation";
import { gateBack } from "./plan-exchange";
import { awaitDrained, hasServer, leaving, ready } from "./plan-proxied";
import { isListed, type RouteWish, routeWish } from "./plan-route";
import { refOf } from "./ref-of";

/** What clearing up a route rests on. */
export type RouteNeed = Pick<Desired, "service"> & Partial<Pick<Desired, "route" | "replicas">>;

/** One that runs already is well at once, or not at all. */
const SOON_MS = 5_000;

type Seen = Pick<HostFound, "target" | "routes">;

/**
 * The rows of the crash matrix for a route, of a slot whose live one runs: a candidate that gets requests beside it does not
 * any more, so that it may go or prove itself again, and a live one that gets none does.
 */
export function recoverRoute(found: Seen, slot: SlotFound, desired: RouteNeed): readonly Recovery[] {
  const { live, candidate, kept } = slot;
  const wish = wishOf(found, desired);
  const route = routeOf(found, wish);
  if (wish?.entry === undefined || route === undefined) return [];
  if (live?.state !== "running" || live.foreign !== undefined) return [];
  // it goes forward, by its own row
  if (isBehindRoute(found, slot, desired)) return [];
  // one that is up and served before: by its own row
  if (kept.some(({ state }) => state === "running")) return [];
  const isCandidateIn =
    candidate !== undefined && candidate.foreign === undefined && hasServer(route, candidate.id);
  if (isListed(wish.entry, live)) {
    if (!isCandidateIn) return [];
    const steps = leaving(route, refOf(candidate), "the live one serves");
    return [{ found: `${candidate.name} behind the route beside ${live.name}`, steps }];
  }
  // else a candidate may be alone behind a route that is new, and the planner goes on with it
  if (!live.networks.includes(wish.place.network)) return [];
  const prove: Step = { operation: gateBack(live, SOON_MS), cause: "it runs" };
  const steps = [prove, ready(wish.place, refOf(live), "it serves")];
  return [{ found: `${live.name} running, and not behind its route`, steps }];
}

/** True when the candidate runs and gets requests: a run let it in, after its gate, and was cut off before it had the name. */
export function isBehindRoute(found: Seen, { candidate, kept }: SlotFound, desired: RouteNeed): boolean {
  const wish = wishOf(found, desired);
  if (wish?.entry === undefined || candidate?.state !== "running" || candidate.foreign !== undefined)
    return false;
  return isListed(wish.entry, candidate) && !kept.some(({ state }) => state === "running");
}

/** What the one that stays, and the one that goes, need of the route before that one may be stopped. */
export function passOn(
  found: Seen,
  live: Found,
  goes: readonly Found[],
  desired: RouteNeed,
): readonly Step[] {
  const wish = wishOf(found, desired);
  const route = routeOf(found, wish);
  if (wish === undefined || route === undefined) return [];
  const isOn = live.networks.includes(wish.place.network);
  if (wish.entry === undefined) {
    // its file is gone or cannot be read, and the proxy goes on by what it knows
    if (route.route.servers.length === 0 || !isOn) return [];
    const { place, shape } = wish;
    const write: Step = {
      operation: { kind: "write-route", place, shape, servers: [refOf(live)] },
      cause: "its file is gone",
    };
    return [write, ...goes.map((each) => awaitDrained(route, refOf(each)))];
  }
  const enter = isListed(wish.entry, live) || !isOn ? [] : [ready(wish.place, refOf(live), "it serves")];
  const leave = goes.filter(({ id }) => hasServer(route, id)).flatMap((each) => leaving(route, refOf(each)));
  return [...enter, ...leave];
}

function wishOf(found: Seen, { replicas = 1, ...desired }: RouteNeed): RouteWish | undefined {
  return routeWish(found, { ...desired, replicas });
}

function routeOf({ routes = [] }: Seen, wish: RouteWish | undefined) {
  return routes.find(
    ({ place }) => place.proxy === wish?.place.proxy && place.service === wish.place.service,
  );
}
