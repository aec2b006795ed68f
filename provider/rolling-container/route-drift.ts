import { needsReload } from "../proxy/route-file";
import type { Desired } from "./desired";
import { type HostFound, slotOf } from "./found";
import { isListed, routeWish } from "./plan-route";

/** How a host's route is not as it should be, in words; undefined when it is, or none is wanted. */
export function routeDrift(
  found: HostFound,
  desired: Pick<Desired, "route" | "service" | "replicas">,
): string | undefined {
  const wish = routeWish(found, desired);
  if (wish === undefined) return undefined;
  const { entry, shape, place } = wish;
  const where = `of "${place.service}" on the proxy "${place.proxy}" on ${found.target}`;
  if (entry === undefined) return `the route ${where} is gone`;
  if (needsReload(entry, { ...shape, servers: [] })) return `the route ${where} was changed`;
  const slots = Array.from({ length: desired.replicas }, (_, index) => slotOf(found.service, index + 1));
  const out = slots.find(({ live }) => live?.state === "running" && !isListed(entry, live));
  return out === undefined ? undefined : `${out.live?.name ?? ""} is not behind the route ${where}`;
}
