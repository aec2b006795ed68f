import type { ContainerRef } from "./container-ref";
import type { Desired } from "./desired";
import type { Found, HostFound } from "./found";
import type { Operation, Step } from "./operation";
import { asBefore, leaveRoute, ready } from "./plan-proxied";
import {
  type RouteWish,
  routeWish,
  runningServersOf,
  shapeOf,
  stayingServers,
  withoutTwins,
} from "./plan-route";
import { needsReload, type RouteEntry } from "../proxy/route-file";

const CAUSE = "the rollout failed elsewhere";

/** What a host's route needs to be again what it was before a rollout. */
export interface RouteBack {
  /** Lets one that served before, and runs again, take requests. */
  readonly enter: (container: ContainerRef, isFirst: boolean) => readonly Step[];
  /** Lets what the one that makes way has end. */
  readonly leave: (found: Found, container: ContainerRef) => readonly Step[];
  /** After all slots; `done`: how many of them were put back. */
  readonly rest: (done: number) => readonly Step[];
}

const NOTHING: RouteBack = { enter: () => [], leave: () => [], rest: () => [] };

/** `before` was seen before the rollout, `now` after it. */
export function routeBack(
  before: HostFound,
  now: HostFound,
  desired: Pick<Desired, "route" | "service" | "replicas">,
): RouteBack {
  const wish = routeWish(now, desired);
  if (wish?.entry === undefined) return NOTHING;
  const { place } = wish;
  const was = before.routes?.find(
    (each) => each.place.proxy === place.proxy && each.route.entry !== undefined,
  );
  const entry = was?.route.entry;
  const leave: RouteBack["leave"] = (found, container) => leaveRoute(now, found, container, wish);
  if (was === undefined || entry === undefined) {
    const remove: Step = { operation: { kind: "remove-route", place }, cause: "there was none before" };
    return { ...NOTHING, leave, rest: () => [remove] };
  }
  const isSame = was.place.service === place.service && !needsReload(wish.entry, entry);
  if (isSame)
    return { enter: (container) => [ready(place, container, "it serves again")], leave, rest: () => [] };
  const former = was.place.service === place.service ? undefined : was;
  const whole = { place: was.place, shape: shapeOf(entry), entry };
  return {
    enter: (container, isFirst) =>
      isFirst ? [writeBack(now, wish, whole, container)] : [ready(was.place, container, "it serves again")],
    leave: former === undefined ? leave : (found, container) => leaveRoute(now, found, container, whole),
    rest: (done) => (done === 0 ? [{ operation: asBefore(before, place, entry, former), cause: CAUSE }] : []),
  };
}

/** A route before the rollout. */
interface Former extends Pick<RouteWish, "place" | "shape"> {
  readonly entry: RouteEntry;
}

/** With the one that is back all others that were behind it and run, and those who may stay until they have made way. */
function writeBack(
  now: HostFound,
  { place, entry: seen }: RouteWish,
  was: Former,
  container: ContainerRef,
): Step {
  const isRenamed = was.place.service !== place.service;
  const others = [...runningServersOf(was.entry, now), ...stayingServers([seen], was.shape, now)];
  const servers = withoutTwins([container, ...others]);
  const operation: Operation = {
    kind: "write-route",
    place: was.place,
    shape: was.shape,
    servers,
    ...(isRenamed ? { replaces: place.service } : {}),
  };
  const renamed = isRenamed && seen !== undefined ? { place, route: { entry: seen } } : undefined;
  return { operation, cause: CAUSE, undo: [asBefore(now, was.place, seen, renamed)] };
}
