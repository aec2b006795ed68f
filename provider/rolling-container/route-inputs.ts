import { type ContainerSpec, publishedPorts, usesHostNetwork } from "../container/spec";
import { type Connection, machineOfTarget, targetOf } from "../host/connection";
import { acmeFailures, readRoute, type Route, routeFailures } from "../proxy/route";
import type { Fields } from "../values";
import type { UpdateSettings } from "./update-settings";

/** Reads the argument `route`; undefined when there is none, or while it is wrong or not known yet. */
export function readServiceRoute(fields: Fields): Route | undefined {
  const nested = fields.object("route");
  return nested === undefined ? undefined : readRoute(nested);
}

/** A spec whose containers are on the network of their proxies. */
export function withProxyNetwork(spec: ContainerSpec, route: Route | undefined): ContainerSpec {
  const network = route?.proxies[0]?.network;
  const networks = spec.networks ?? [];
  if (network === undefined || networks.includes(network)) return spec;
  return { ...spec, networks: [...networks, network] };
}

/** What cannot be together with a route. */
export function checkRoute(
  fields: Fields,
  route: Route,
  {
    spec,
    hosts,
    update,
  }: { readonly spec: ContainerSpec; readonly hosts: readonly Connection[]; readonly update: UpdateSettings },
): void {
  const targets = hosts.map(targetOf);
  for (const { property, reason } of [...routeFailures(route, targets), ...acmeFailures(route)])
    fields.fail(property, reason);
  const networks = new Set(route.proxies.map(({ network }) => network));
  if (networks.size > 1)
    fields.fail(
      "route.proxy",
      `names proxies on different networks (${[...networks].join(", ")}): the containers of all hosts are made alike`,
    );
  const machines = route.proxies.map(({ target }) => machineOfTarget(target));
  const twice = route.proxies.find(({ target }, at) => machines.indexOf(machineOfTarget(target)) !== at);
  if (twice !== undefined) fields.fail("route.proxy", `names two proxies on ${twice.target}`);
  if (usesHostNetwork(spec) || spec.networks?.includes("none") === true)
    fields.fail(
      "networks",
      'cannot be "host" or "none" with a route: the proxy reaches containers on its own network',
    );
  const [published] = publishedPorts(spec);
  if (published !== undefined)
    fields.fail(
      "ports",
      `cannot publish host port ${published.host} beside a route: old and new run at the same time, and only one can have it. Leave out "host": the proxy reaches the container's own port`,
    );
  if (update.switch === "bridged")
    fields.fail("update.switch", 'cannot be "bridged" with a route: the proxy moves the traffic');
}
