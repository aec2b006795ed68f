import type { Desired } from "./desired";
import { shortId } from "../proxy/route-file";
import { containersOf, type Found, type HostFound, type SlotFound } from "./found";
import type { Recovery } from "./leftovers";
import type { Operation, Step } from "./operation";
import { gateBack } from "./plan-exchange";
import { hasServer, leaving } from "./plan-proxied";
import { isBehind, isListed, type RouteWish, routeWish } from "./plan-route";
import type { RoutePlace } from "./route-operation";
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
  const route = wish?.there;
  if (wish?.entry === undefined || route === undefined) return [];
  if (live?.state !== "running" || live.foreign !== undefined) return [];
  // it goes forward, by its own row
  if (isBehindRoute(found, slot, desired)) return [];
  // one that is up and served before: by its own row
  if (kept.some(({ state }) => state === "running")) return [];
  const isCandidateIn =
    candidate !== undefined && candidate.foreign === undefined && hasServer(route, candidate.id);
  if (isBehind(wish, live)) {
    if (!isCandidateIn) return [];
    const steps = leaving(route, refOf(candidate), "the live one serves");
    return [{ found: `${candidate.name} behind the route beside ${live.name}`, steps }];
  }
  // a running proxy that does not know the route has to read it first, which the planner sees to
  if (route.route.servers.length === 0) return [];
  // else a candidate may be alone behind a route that is new, and the planner goes on with it
  if (!live.networks.includes(wish.place.network)) return [];
  const prove: Step = { operation: gateBack(live, SOON_MS), cause: "it runs" };
  const steps = [prove, admit(wish.place, live)];
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
  // a rename that was cut off may have passed it on to the other name already, with those behind it
  const there = wish?.entry === undefined ? wish?.former : wish.there;
  if (there?.route.entry === undefined) return [];
  const {
    place,
    route: { entry },
  } = there;
  const isOn = live.networks.includes(place.network);
  const enter = isBehind({ entry, there }, live) || !isOn ? [] : [admit(place, live)];
  const leave = goes.filter(({ id }) => hasServer(there, id)).flatMap((each) => leaving(there, refOf(each)));
  return [...enter, ...leave];
}

/** Nothing takes it back: it is who serves, and may have had requests before. */
function admit(place: RoutePlace, live: Found): Step {
  return { operation: { kind: "ready-server", place, container: refOf(live) }, cause: "it serves" };
}

/**
 * A route whose file is gone or cannot be read, and whose proxy goes on by what it knows: it is written as it runs, before a
 * restart of the proxy ends it, and before anything is taken back by it.
 */
export function recoverFile(found: HostFound, desired: RouteNeed): readonly Recovery[] {
  const now = fileAsItRuns(found, desired);
  const { former } = found;
  if (now.length > 0 || former === undefined || wishOf(found, desired)?.entry !== undefined) return now;
  return fileAsItRuns(found, { ...desired, service: former.service });
}

function fileAsItRuns(found: HostFound, desired: RouteNeed): readonly Recovery[] {
  const wish = wishOf(found, desired);
  if (wish === undefined || wish.entry !== undefined) return [];
  const known = (wish.there?.route.servers ?? []).filter(({ state }) => state === "ready");
  const all = [...found.service.slots, ...(found.former?.slots ?? [])].flatMap(containersOf);
  const servers = all
    .filter(({ id, state, foreign }) => {
      const isKnown = known.some(({ container }) => container === shortId(id));
      return isKnown && state === "running" && foreign === undefined;
    })
    .map(refOf);
  if (servers.length === 0) return [];
  const { place, shape } = wish;
  const port = known.find((each) => each.port !== undefined)?.port ?? shape.port;
  const operation: Operation = { kind: "write-route", place, shape: { ...shape, port }, servers };
  const steps: readonly Step[] = [{ operation, cause: "its file is gone, and it runs" }];
  return [{ found: `the route of ${place.service} without its file`, steps }];
}

function wishOf(found: Seen, { replicas = 1, ...desired }: RouteNeed): RouteWish | undefined {
  return routeWish(found, { ...desired, replicas });
}
