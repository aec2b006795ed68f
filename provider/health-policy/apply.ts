import { type HandlerContext, PartialFailure, type Properties } from "../handler";
import { targetsOf } from "../host/connection-fields";
import { machineIdsFrom } from "../host/machine/machine-id";
import { formatMoves, movesOf, recordedMachines } from "../host/machine/same-machine";
import { Fields } from "../values";
import { AGENT_VERSION } from "./agent/program";
import {
  AGENT_OUTPUT,
  formatEvents,
  installAgents,
  keyOf,
  mergeLedgers,
  removeAgents,
  seeAgents,
} from "./agent/watch";
import { addToLedger, type Ledger, LEDGER_KEY, recordedLedger } from "./budget";
import { executePlan } from "./execute";
import { unhealthyError } from "./failure";
import { type PolicyInputs, readPolicy } from "./inputs";
import { hostKeysOf, observeHosts } from "./observe-hosts";
import type { HostHealth, KnownHost } from "./observed";
import { formatPlan, nameOf, planRepairs } from "./plan";
import { reachOf } from "./reach";
import { outcomeOf, rowsOf } from "./report";
import { formatTable } from "./table";

/**
 * Looks at all hosts, repairs what is to be repaired, and leaves an agent there where the policy watches. Gives the outputs.
 * @throws PartialFailure when a container stays unhealthy, and the policy fails for that
 */
export async function applyPolicy(
  id: string,
  inputs: Properties,
  olds: Properties,
  context: HandlerContext,
): Promise<Properties> {
  const policy = readPolicy(new Fields(inputs));
  const hostKeys = hostKeysOf(olds);
  const reach = reachOf(policy.hosts, hostKeys, context);
  const watched = policy.watch ? reach.targets : [];
  await removeAgents(olds, watched, hostKeys, policy.abandonUnreachable, context);
  const hosts = await observeHosts(policy, reach, context);
  sayMoves(policy, hosts, olds, context);
  warnOfMissing(policy, hosts, context);
  const seen = policy.watch ? hosts.map(({ target }) => target) : [];
  const key = keyOf(olds, policy.name, context.stack);
  const agents = await seeAgents(seen, key, reach, context, true);
  if (agents.events.length > 0) {
    context.log.keep(`since the last up:\n${formatEvents(agents.events)}`);
  }
  const recorded = recordedLedger(olds);
  const ledger = policy.watch ? mergeLedgers(recorded, agents.ledger) : recorded;
  const spent = { ledger, nowMs: context.clock.wall() };
  const plan = planRepairs(policy, hosts, spent);
  if (plan.lanes.length > 0) context.log.keep(formatPlan(plan));
  const repaired = await executePlan(plan, { ...context, reach, budget: policy });
  const rows = rowsOf(hosts, repaired);
  if (rows.length > 0) context.log.keep(formatTable(rows));
  for (const { subject, reason } of repaired.filter(({ excused }) => excused)) {
    context.log.warn(`left ${nameOf(subject)} alone: ${reason}`);
  }
  const made = repaired.map(({ subject, restartedAt }) => ({ id: subject.container.id, restartedAt }));
  const after: Ledger = addToLedger({ ...spent, nowMs: context.clock.wall() }, made, policy);
  await installAgents(seen, key, policy, after, reach, context);
  const outputs = {
    ...inputs,
    targets: targetsOf(policy.hosts),
    ...outcomeOf(hosts, repaired),
    agentVersion: policy.watch ? AGENT_VERSION : "",
    // told above; what the agent does from now on comes with the next refresh
    events: [],
    ...(policy.watch ? { [AGENT_OUTPUT]: key } : {}),
    [LEDGER_KEY]: after,
  };
  const failure = unhealthyError(repaired);
  if (failure === undefined) return outputs;
  if (policy.failOnUnhealthy) throw new PartialFailure(id, outputs, failure);
  context.log.warn(failure.message);
  return outputs;
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
