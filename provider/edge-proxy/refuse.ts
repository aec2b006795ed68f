import { LABEL } from "../container/labels";
import { howToFree, sameAddress } from "../container/port-takers";
import { SlipwayError } from "../errors";
import type { Desired } from "./desired";
import { candidateOf, copyOf, type ProxyFound } from "./observe";
import { isOwn, stackOf } from "./owner";

/**
 * What stands in the way and is not ours is never moved.
 * @throws SlipwayError name-taken, port-taken; nothing was touched then
 */
export function refuseForeign(desired: Desired, found: ProxyFound): void {
  const { name, ports } = desired;
  const { target, live, candidate, copy, portTakers } = found;
  const what = `setting up the proxy "${name}"`;
  for (const [container, place] of [
    [live, name],
    [candidate, candidateOf(name)],
    [copy, copyOf(name)],
  ] as const) {
    if (container === undefined || isOwn(container, desired)) continue;
    const isProxy = container.labels[LABEL.proxy] === name;
    const whose = isProxy ? `of the stack ${stackOf(container)}` : "that is not this proxy";
    throw new SlipwayError({
      code: "name-taken",
      what,
      host: target,
      why: `"${place}" is a container ${whose} (${container.id.slice(0, 12)}, image ${container.image})`,
      left: "Nothing was touched",
      next: isProxy ? "Give this proxy another name" : "Remove it, or give the proxy another name",
    });
  }
  const own = [live?.id, candidate?.id];
  const taker = portTakers.find(
    (each) =>
      each.protocol === "tcp" &&
      ports.includes(each.port) &&
      sameAddress(each.hostIp, "") &&
      !(each.containerId !== undefined && own.includes(each.containerId)),
  );
  if (taker === undefined) return;
  throw new SlipwayError({
    code: "port-taken",
    what,
    host: target,
    why: `port ${taker.port} is held by ${taker.by}`,
    left: "Nothing was touched",
    next: taker.proxyPid === undefined ? "Stop that, or give the proxy another port" : howToFree(taker),
  });
}
