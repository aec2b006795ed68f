import { oneErrorOf } from "../all-ended";
import { type HandlerContext, PartialFailure, type Properties } from "../handler";
import { targetsOf } from "../host/connection-fields";
import { recordedMachineIds } from "../host/machine/machine-id";
import { formatMoves, leftOf, movesOf, recordedMachines } from "../host/machine/same-machine";
import { Fields } from "../values";
import { AGENT_VERSION } from "./agent/program";
import { AGENT_HOSTS, AGENT_OUTPUT, keyOf, removeAgents, sayEvents, seeAgents } from "./agent/watch";
import { LEDGER_KEY, mergeLedgers, recordedLedger } from "./budget";
import { carryOut } from "./carry-out";
import { unhealthyError } from "./failure";
import { type PolicyInputs, readPolicy } from "./inputs";
import { hostKeysOf, machineIdsOf, observeHosts } from "./observe-hosts";
import type { HostHealth } from "./observed";
import { formatPlan, nameOf, planRepairs } from "./plan";
import { reachOf } from "./reach";
import { outcomeOf, rowsOf } from "./report";
import { formatTable } from "./table";

/**
 * Looks at all hosts, repairs what is to be repaired, and leaves an agent there where the policy watches. Gives the outputs.
 * @throws PartialFailure when a container stays unhealthy, and the policy fails for that; and when the run breaks off after the
 * look: what it restarted until then counts
 */
export async function applyPolicy(
  id: string,
  inputs: Properties,
  olds: Properties,
  context: HandlerContext,
  makeReach: typeof reachOf = reachOf,
): Promise<Properties> {
  const policy = readPolicy(new Fields(inputs));
  const hostKeys = hostKeysOf(olds);
  const reach = makeReach(policy.hosts, hostKeys, context);
  const hosts = await observeHosts(policy, reach, context);
  const now = { hosts: policy.hosts, machineIds: machineIdsOf(hosts) };
  const before = recordedMachines(olds);
  const moves = movesOf(before, now);
  if (moves.length > 0) context.log.keep(formatMoves(moves));
  warnOfMissing(policy, hosts, context);
  // a machine that moved keeps its agent, and its agent's budget
  const unwatched = [...leftOf(before, now), ...(policy.watch ? [] : policy.hosts)];
  const removed = await removeAgents(
    olds,
    makeReach(unwatched, hostKeys, context),
    policy.abandonUnreachable,
    context,
  );
  const watched = policy.watch ? hosts.map(({ target }) => target) : [];
  const key = keyOf(olds, policy.name, context.stack);
  const agents = await seeAgents(watched, key, reach, context, true);
  sayEvents(agents.events, context);
  const ledger = mergeLedgers(mergeLedgers(removed, agents.ledger), recordedLedger(olds));
  const spent = { ledger, nowMs: context.clock.wall() };
  const plan = planRepairs(policy, hosts, spent);
  if (plan.lanes.length > 0) context.log.keep(formatPlan(plan));
  const work = { policy, plan, spent, key, watched };
  const { repaired, ledger: after, failures } = await carryOut(work, reach, context);
  const rows = rowsOf(hosts, repaired);
  if (rows.length > 0) context.log.keep(formatTable(rows));
  for (const { subject, reason } of repaired.filter(({ excused }) => excused)) {
    context.log.warn(`left ${nameOf(subject)} alone: ${reason}`);
  }
  const { hostKeys: seenKeys, machineIds, ...outcome } = outcomeOf(hosts, repaired);
  const outputs = {
    ...inputs,
    targets: targetsOf(policy.hosts),
    ...outcome,
    // of those that were passed over, too: who answers there next time has to be who it was
    hostKeys: { ...of(reach.targets, hostKeys), ...seenKeys },
    machineIds: { ...of(reach.targets, recordedMachineIds(olds)), ...machineIds },
    agentVersion: policy.watch && failures.length === 0 ? AGENT_VERSION : "",
    // told above; what the agent does from now on comes with the next refresh
    events: [],
    ...(policy.watch ? { [AGENT_OUTPUT]: key, [AGENT_HOSTS]: failures.length === 0 ? watched : [] } : {}),
    [LEDGER_KEY]: after,
  };
  if (failures.length > 0) throw new PartialFailure(id, outputs, oneErrorOf(failures));
  const failure = unhealthyError(repaired);
  if (failure === undefined) return outputs;
  if (policy.failOnUnhealthy) throw new PartialFailure(id, outputs, failure);
  context.log.warn(failure.message);
  return outputs;
}

function of<T>(targets: readonly string[], record: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).filter(([target]) => targets.includes(target)));
}

function warnOfMissing(policy: PolicyInputs, hosts: readonly HostHealth[], { log }: HandlerContext): void {
  const seen = new Set(hosts.flatMap(({ containers }) => containers.map(({ service }) => service)));
  const missing = policy.services?.filter((service) => !seen.has(service)) ?? [];
  if (missing.length > 0) log.warn(`no container of ${missing.join(", ")} on ${policy.hosts.length} host(s)`);
}
