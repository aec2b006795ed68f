import type { Handler, Properties } from "../handler";
import { recordedHosts, targetsOf } from "../host/connection-fields";
import { recordedMachineIds } from "../host/machine/machine-id";
import { Fields, hasUnknown, UNKNOWN } from "../values";
import { recordedKey, removeAgents, seeAgents } from "./agent/watch";
import { applyPolicy } from "./apply";
import { readPolicy } from "./inputs";
import { lookForRepairs } from "./look";
import { hostKeysOf, observeHosts } from "./observe-hosts";
import { type Reach, reachOf } from "./reach";
import { outcomeOf } from "./report";

/** Looks at every container's health, restarts unhealthy ones and waits for them. */
export const healthPolicyHandler: Handler = {
  check(_olds, news) {
    const fields = new Fields(news);
    const policy = readPolicy(fields);
    const targets = hasUnknown(news.hosts) ? UNKNOWN : targetsOf(policy.hosts);
    return Promise.resolve({ inputs: { ...news, targets }, failures: fields.failures });
  },

  async diff(_id, olds, news, context) {
    if (hasUnknown(news)) return { changes: undefined };
    const policy = readPolicy(new Fields(news));
    const makeReach = (signal: AbortSignal): Reach =>
      reachOf(policy.hosts, hostKeysOf(olds), { ...context, signal });
    return { changes: await lookForRepairs(policy, olds, makeReach, context) };
  },

  async create(inputs, context) {
    const { name } = readPolicy(new Fields(inputs));
    return { id: name, outputs: await applyPolicy(name, inputs, {}, context) };
  },

  update(id, olds, news, context) {
    return applyPolicy(id, news, olds, context);
  },

  async read(id, outputs, context) {
    const policy = readPolicy(new Fields(outputs));
    const reach = reachOf(policy.hosts, hostKeysOf(outputs), context);
    const hosts = await observeHosts(policy, reach, context);
    const { report, counts, hostKeys, machineIds } = outcomeOf(hosts, []);
    const key = recordedKey(outputs);
    const seen = hosts.map(({ target }) => target);
    // of hosts that do not answer nothing is known
    const agents =
      key === undefined || seen.length === 0 ? undefined : await seeAgents(seen, key, reach, context, false);
    const known = {
      hostKeys: { ...hostKeysOf(outputs), ...hostKeys },
      machineIds: { ...recordedMachineIds(outputs), ...machineIds },
      ...(agents === undefined ? {} : { agentVersion: agents.version, events: agents.events }),
    };
    return { id, outputs: { ...outputs, report, counts: { ...counts, ...runCounts(outputs) }, ...known } };
  },

  // without an agent a policy leaves nothing on its hosts
  async delete(_id, outputs, context) {
    const abandonUnreachable = outputs.abandonUnreachable === true;
    const reach = reachOf(recordedHosts(outputs), hostKeysOf(outputs), context);
    await removeAgents(outputs, reach, abandonUnreachable, context);
  },
};

/** What the last run did stays what it was, whatever a later look finds. */
function runCounts({ restarted, gaveUp }: Properties): {
  readonly restarted: number;
  readonly gaveUp: number;
} {
  const lengthOf = (list: unknown): number => (Array.isArray(list) ? list.length : 0);
  return { restarted: lengthOf(restarted), gaveUp: lengthOf(gaveUp) };
}
