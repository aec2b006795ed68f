import { isSlipwayError } from "../errors";
import type { HandlerContext, Properties } from "../handler";
import { targetOf } from "../host/connection";
import { recordedHosts } from "../host/connection-fields";
import { hostKeysOf, machineIdsOf, recordedHostKeys, withHosts } from "./hosts";
import { inTime, LOOK_MS, UNTOUCHED } from "../container/in-time";
import { serviceOf } from "./inputs";
import type { HostFound } from "./found";
import { observeHost } from "./observe";
import { recordedRoute, type RouteLook, routeLooks } from "./observe-routes";
import { previousRevisions, recordContainers, recordedContainers, recordedOwnership } from "./outputs";
import { routeDrift } from "./route-drift";

/** The outputs with what stands on the hosts now; a container that is gone is `missing`. */
export async function readService(outputs: Properties, context: HandlerContext): Promise<Properties> {
  const service = serviceOf(outputs);
  const connections = recordedHosts(outputs);
  const before = recordedContainers(outputs);
  const recorded = recordedOwnership(outputs);
  const healthBefore = new Map(before.map(({ id, health }) => [id, health]));
  const replicas = typeof outputs.replicas === "number" ? outputs.replicas : 1;
  const route = recordedRoute(outputs);
  const wanted = { service, replicas, ...(route === undefined ? {} : { route }) };
  return withHosts(connections, { context, hostKeys: recordedHostKeys(outputs) }, async (hosts) => {
    const { stack } = context;
    const seen = await Promise.all(
      hosts.map(async (host) => {
        const look = (routes: readonly RouteLook[]): Promise<HostFound> =>
          inTime(
            host,
            `reading "${service}"`,
            LOOK_MS,
            (signal) => observeHost(host.session, { service, stack, recorded, ports: [], routes, signal }),
            UNTOUCHED,
          );
        try {
          const found = await look(routeLooks(host.session.target, undefined, outputs));
          return { found, drift: routeDrift(found, wanted) };
        } catch (error) {
          // what it says of itself is the proxy's own drift; the rest can be seen without it
          if (!isSlipwayError(error, "proxy-failed")) throw error;
          return { found: await look([]), drift: error.message };
        }
      }),
    );
    const found = seen.map((each) => each.found);
    const drift = seen.flatMap((each) => each.drift ?? []);
    const kept = Object.fromEntries(Object.entries(outputs).filter(([key]) => key !== "drift"));
    return {
      ...kept,
      ...(drift.length === 0 ? {} : { drift }),
      // Docker's own first probe may be a long way off: what passed the gate is well until something else is heard
      containers: recordContainers(found, service, replicas, ({ id, health }) =>
        health === "starting" ? (healthBefore.get(id) ?? health) : health,
      ),
      previous: previousRevisions(found),
      targets: connections.map(targetOf),
      hostKeys: hostKeysOf(hosts),
      machineIds: machineIdsOf(hosts),
    };
  });
}
