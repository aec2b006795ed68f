import { messageOf } from "../errors";
import { type Handler, type HandlerContext, PartialFailure, type Properties } from "../handler";
import { allEnded } from "../all-ended";
import { targetsOf } from "../host/connection-fields";
import { machineIdOf, machineIdsFrom, recordedMachineIds, refuseTwins } from "../host/machine/machine-id";
import { formatMoves, movesOf, recordedMachines } from "../host/machine/same-machine";
import { isUnreachable } from "../host/machine/unreachable";
import { Fields, hasUnknown, isObject, UNKNOWN } from "../values";
import { addToLedger, LEDGER_KEY, recordedLedger } from "./budget";
import { executePlan } from "./execute";
import { unhealthyError } from "./failure";
import { type PolicyInputs, readPolicy } from "./inputs";
import { lookForRepairs } from "./look";
import { observeHost } from "./observe";
import type { HostHealth, KnownHost } from "./observed";
import { formatPlan, nameOf, planRepairs } from "./plan";
import { type Reach, reachOf } from "./reach";
import { outcomeOf, rowsOf } from "./report";
import { formatTable } from "./table";

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
    const hosts = await observeHosts(policy, reachOf(policy.hosts, hostKeysOf(outputs), context), context);
    const { report, counts, hostKeys, machineIds } = outcomeOf(hosts, []);
    const known = {
      hostKeys: { ...hostKeysOf(outputs), ...hostKeys },
      machineIds: { ...recordedMachineIds(outputs), ...machineIds },
    };
    return { id, outputs: { ...outputs, report, counts: { ...counts, ...runCounts(outputs) }, ...known } };
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
  sayMoves(policy, hosts, olds, context);
  warnOfMissing(policy, hosts, context);
  const spent = { ledger: recordedLedger(olds), nowMs: context.clock.wall() };
  const plan = planRepairs(policy, hosts, spent);
  if (plan.lanes.length > 0) context.log.keep(formatPlan(plan));
  const repaired = await executePlan(plan, { ...context, reach, budget: policy });
  const rows = rowsOf(hosts, repaired);
  if (rows.length > 0) context.log.keep(formatTable(rows));
  const made = repaired.map(({ subject, restartedAt }) => ({ id: subject.container.id, restartedAt }));
  const outputs = {
    ...inputs,
    targets: targetsOf(policy.hosts),
    ...outcomeOf(hosts, repaired),
    [LEDGER_KEY]: addToLedger({ ...spent, nowMs: context.clock.wall() }, made, policy),
  };
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
): Promise<readonly KnownHost[]> {
  const { clock, signal, log } = context;
  const looks = reach.targets.map(async (target): Promise<readonly KnownHost[]> => {
    try {
      return [
        await reach.on(target, async (session, docker) => {
          const longestProbeMs = Number.POSITIVE_INFINITY;
          const [seen, facts] = await Promise.all([
            observeHost(policy, { session, docker, clock, signal, longestProbeMs }),
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
  refuseTwins(machineIdsFrom(hosts.map(({ target, machineId }) => [target, machineId])));
  return hosts;
}

function sayMoves(
  policy: PolicyInputs,
  hosts: readonly KnownHost[],
  olds: Properties,
  { log }: HandlerContext,
): void {
  const machineIds = machineIdsFrom(hosts.map(({ target, machineId }) => [target, machineId]));
  const moves = movesOf(recordedMachines(olds), { hosts: policy.hosts, machineIds });
  if (moves.length > 0) log.keep(formatMoves(moves));
}

function warnOfMissing(policy: PolicyInputs, hosts: readonly HostHealth[], { log }: HandlerContext): void {
  const seen = new Set(hosts.flatMap(({ containers }) => containers.map(({ service }) => service)));
  const missing = policy.services?.filter((service) => !seen.has(service)) ?? [];
  if (missing.length > 0) log.warn(`no container of ${missing.join(", ")} on ${policy.hosts.length} host(s)`);
}

/** What the last run did stays what it was, whatever a later look finds. */
function runCounts({ restarted, gaveUp }: Properties): {
  readonly restarted: number;
  readonly gaveUp: number;
} {
  const lengthOf = (list: unknown): number => (Array.isArray(list) ? list.length : 0);
  return { restarted: lengthOf(restarted), gaveUp: lengthOf(gaveUp) };
}

function hostKeysOf(outputs: Properties): Readonly<Record<string, string>> {
  const { hostKeys } = outputs;
  if (!isObject(hostKeys)) return {};
  return Object.fromEntries(
    Object.entries(hostKeys).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
