import { messageOf } from "../errors";
import { type Handler, type HandlerContext, PartialFailure, type Properties } from "../handler";
import { targetsOf } from "../host/connection-fields";
import { canonicalJson, Fields, hasUnknown, isObject, UNKNOWN } from "../values";
import { executePlan } from "./execute";
import { unhealthyError } from "./failure";
import { type PolicyInputs, readPolicy } from "./inputs";
import { lookForRepairs } from "./look";
import { observeHost } from "./observe";
import type { HostHealth } from "./observed";
import { formatPlan, nameOf, planRepairs } from "./plan";
import { type Reach, reachOf } from "./reach";
import { outcomeOf, recordedUnhealthy } from "./report";

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

  async update(id, olds, news, context) {
    if (isConnectionOnly(olds, news)) {
      const { report, restarted, gaveUp, hostKeys } = olds;
      context.log.keep("connection only, nothing touched");
      return { ...news, report, restarted, gaveUp, hostKeys };
    }
    return applyPolicy(id, news, olds, context);
  },

  async read(id, outputs, context) {
    const policy = readPolicy(new Fields(outputs));
    const hosts = await observeHosts(policy, reachOf(policy.hosts, hostKeysOf(outputs), context), context);
    const { report, hostKeys } = outcomeOf(hosts, []);
    return { id, outputs: { ...outputs, report, hostKeys: { ...hostKeysOf(outputs), ...hostKeys } } };
  },

  // a policy leaves nothing on its hosts
  delete: () => Promise.resolve(),
};

async function applyPolicy(
  id: string,
  inputs: Properties,
  olds: Properties,
  context: HandlerContext,
): Promise<Properties> {
  const policy = readPolicy(new Fields(inputs));
  const reach = reachOf(policy.hosts, hostKeysOf(olds), context);
  const hosts = await observeHosts(policy, reach, context);
  warnOfMissing(policy, hosts, context);
  const plan = planRepairs(policy, hosts);
  if (plan.lanes.length > 0) context.log.keep(formatPlan(plan));
  const repaired = await executePlan(plan, { ...context, reach, backoffMs: policy.backoffMs });
  const outputs = { ...inputs, targets: targetsOf(policy.hosts), ...outcomeOf(hosts, repaired) };
  for (const { subject, reason } of repaired.filter(({ excused }) => excused)) {
    context.log.warn(`left ${nameOf(subject)} alone: ${reason}`);
  }
  const failure = unhealthyError(repaired);
  if (failure === undefined) return outputs;
  if (policy.failOnUnhealthy) throw new PartialFailure(id, outputs, failure);
  context.log.warn(failure.message);
  return outputs;
}

/** All hosts at once; one that does not answer fails the run, or is left out where the program allows it. */
async function observeHosts(
  policy: PolicyInputs,
  reach: Reach,
  context: HandlerContext,
): Promise<readonly HostHealth[]> {
  const { clock, signal, log } = context;
  const looks = reach.targets.map(async (target): Promise<readonly HostHealth[]> => {
    try {
      return [
        await reach.on(target, (session, docker) =>
          observeHost(policy, { session, docker, clock, signal, longestProbeMs: Number.POSITIVE_INFINITY }),
        ),
      ];
    } catch (error) {
      if (!policy.abandonUnreachable || signal.aborted) throw error;
      log.warn(`left out ${target}: ${messageOf(error)}`);
      return [];
    }
  });
  return (await Promise.all(looks)).flat();
}

function warnOfMissing(policy: PolicyInputs, hosts: readonly HostHealth[], { log }: HandlerContext): void {
  const seen = new Set(hosts.flatMap(({ containers }) => containers.map(({ service }) => service)));
  const missing = policy.services?.filter((service) => !seen.has(service)) ?? [];
  if (missing.length > 0) log.warn(`no container of ${missing.join(", ")} on ${policy.hosts.length} host(s)`);
}

const OF_CONNECTIONS: readonly string[] = ["hosts", "host"];
const OUTPUTS: readonly string[] = ["report", "restarted", "gaveUp", "hostKeys"];

/** Other credentials for the same machines: nothing to do there, unless something there was unhealthy. */
function isConnectionOnly(olds: Properties, news: Properties): boolean {
  const given = [...Object.keys(news), ...Object.keys(olds).filter((key) => !OUTPUTS.includes(key))];
  const keys = [...new Set(given)].filter((key) => !key.startsWith("__"));
  const changed = keys.filter((key) => canonicalJson(news[key]) !== canonicalJson(olds[key]));
  const only = changed.length > 0 && changed.every((key) => OF_CONNECTIONS.includes(key));
  return only && recordedUnhealthy(olds).length === 0;
}

function hostKeysOf(outputs: Properties): Readonly<Record<string, string>> {
  const { hostKeys } = outputs;
  if (!isObject(hostKeys)) return {};
  return Object.fromEntries(
    Object.entries(hostKeys).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
