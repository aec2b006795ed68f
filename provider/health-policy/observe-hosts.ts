import { allEnded } from "../all-ended";
import { messageOf } from "../errors";
import type { HandlerContext, Properties } from "../handler";
import { machineIdOf, type MachineIds, machineIdsFrom, refuseTwins } from "../host/machine/machine-id";
import { isUnreachable } from "../host/machine/unreachable";
import { isObject } from "../values";
import type { PolicyInputs } from "./inputs";
import { observeHost } from "./observe";
import type { KnownHost } from "./observed";
import type { Reach } from "./reach";

/** All hosts at once; one that does not answer fails the run, or is left out where the program allows it. */
export async function observeHosts(
  policy: PolicyInputs,
  reach: Reach,
  context: HandlerContext,
): Promise<readonly KnownHost[]> {
  const { clock, signal, log } = context;
  const looks = reach.targets.map(async (target): Promise<readonly KnownHost[]> => {
    try {
      return [
        await reach.on(target, async (session, docker) => {
          const longestProbeMs = Number.POSITIVE_INFINITY;
          const [seen, facts] = await Promise.all([
            observeHost(policy, { session, docker, clock, signal, longestProbeMs, details: "for-a-report" }),
            session.facts({ signal }),
          ]);
          return { ...seen, machineId: machineIdOf(facts) };
        }),
      ];
    } catch (error) {
      if (!policy.abandonUnreachable || !isUnreachable(error)) throw error;
      log.warn(`left out ${target}: ${messageOf(error)}`);
      return [];
    }
  });
  const hosts = (await allEnded(looks)).flat();
  refuseTwins(machineIdsOf(hosts));
  return hosts;
}

/** The machine-ids of hosts that were seen, by target. */
export function machineIdsOf(hosts: readonly KnownHost[]): MachineIds {
  return machineIdsFrom(hosts.map(({ target, machineId }) => [target, machineId]));
}

/** The host keys that outputs have recorded, by target. */
export function hostKeysOf(outputs: Properties): Readonly<Record<string, string>> {
  const { hostKeys } = outputs;
  if (!isObject(hostKeys)) return {};
  return Object.fromEntries(
    Object.entries(hostKeys).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
