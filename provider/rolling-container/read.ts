import type { HandlerContext, Properties } from "../handler";
import { targetOf } from "../host/connection";
import { recordedHosts } from "../host/connection-fields";
import { hostKeysOf, machineIdsOf, recordedHostKeys, withHosts } from "./hosts";
import { inTime, LOOK_MS, UNTOUCHED } from "../container/in-time";
import { serviceOf } from "./inputs";
import { observeHost } from "./observe";
import { previousRevisions, recordContainers, recordedContainers, recordedOwnership } from "./outputs";

/** The outputs with what stands on the hosts now; a container that is gone is `missing`. */
export async function readService(outputs: Properties, context: HandlerContext): Promise<Properties> {
  const service = serviceOf(outputs);
  const connections = recordedHosts(outputs);
  const before = recordedContainers(outputs);
  const recorded = recordedOwnership(outputs);
  const healthBefore = new Map(before.map(({ id, health }) => [id, health]));
  const replicas = typeof outputs.replicas === "number" ? outputs.replicas : 1;
  return withHosts(connections, { context, hostKeys: recordedHostKeys(outputs) }, async (hosts) => {
    const { stack } = context;
    const found = await Promise.all(
      hosts.map((host) =>
        inTime(
          host,
          `reading "${service}"`,
          LOOK_MS,
          (signal) => observeHost(host.session, { service, stack, recorded, ports: [], signal }),
          UNTOUCHED,
        ),
      ),
    );
    return {
      ...outputs,
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
