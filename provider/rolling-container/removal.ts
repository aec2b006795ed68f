import type { HandlerContext, Properties } from "../handler";
import { allEnded } from "../all-ended";
import { recordedHosts } from "../host/connection-fields";
import type { HostFound } from "./found";
import type { HostAccess } from "./host-access";
import { recordedHostKeys, withHosts } from "./hosts";
import { inTime, LOOK_MS, UNTOUCHED } from "../container/in-time";
import { serviceOf } from "./inputs";
import { recordedStanding, removalTtlMs } from "./lock-ttl";
import { withLocks } from "./locks";
import { observeHost } from "./observe";
import { routeLooks } from "./observe-routes";
import { recordedSwitchNames } from "./observe-switches";
import type { Step } from "./operation";
import { recordedOwnership } from "./outputs";
import { planRemoval } from "./plan-finish";
import { runStepsOrSay } from "./roll-hosts";
import { recordedUpdate } from "./update-settings";

/** Removes everything of ours that belongs to a service, on every host; volumes stay. What is gone already counts as done. */
export async function removeService(outputs: Properties, context: HandlerContext): Promise<void> {
  const service = serviceOf(outputs);
  const update = recordedUpdate(outputs);
  const connections = recordedHosts(outputs);
  const abandon = outputs.abandonUnreachable === true ? { abandonUnreachable: true } : {};
  const demand = {
    services: [service],
    waitMs: update.lockWaitMs,
    ttlMs: removalTtlMs(update, recordedStanding(outputs), connections.length),
    forgetImage: true,
  };
  await withHosts(connections, { context, hostKeys: recordedHostKeys(outputs), ...abandon }, (hosts) =>
    withLocks(hosts, demand, context, async (locksOf) => {
      await allEnded(
        hosts.map(async (host) => {
          const found = await observe(host, service, outputs, context);
          const steps = [...planRemoval(found, "deleted"), ...unusedNetworks(found, outputs)];
          await runStepsOrSay(
            `removing "${service}"`,
            { host, locks: locksOf(host), desired: { update } },
            steps,
          );
        }),
      );
    }),
  );
}

function observe(
  host: HostAccess,
  service: string,
  outputs: Properties,
  { stack }: HandlerContext,
): Promise<HostFound> {
  const recorded = recordedOwnership(outputs);
  const switches = recordedSwitchNames(outputs);
  const routes = routeLooks(host.session.target, undefined, outputs);
  return inTime(
    host,
    `removing "${service}"`,
    LOOK_MS,
    (signal) => observeHost(host.session, { service, stack, recorded, ports: [], switches, routes, signal }),
    UNTOUCHED,
  );
}

/** Networks that we made go with their last container; they stay while any other is in one. */
function unusedNetworks(found: HostFound, outputs: Properties): readonly Step[] {
  const names: readonly unknown[] = Array.isArray(outputs.networks) ? outputs.networks : [];
  return found.networks
    .filter(({ name, owned }) => owned && names.includes(name))
    .map(({ name }) => ({ operation: { kind: "remove-network", name }, cause: "deleted" }));
}
