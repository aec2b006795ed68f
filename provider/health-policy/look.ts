import type Docker from "dockerode";
import { isSlipwayError, messageOf } from "../errors";
import type { HandlerContext, Properties } from "../handler";
import { withTimeLimit } from "../health/time-limit";
import type { HostSession } from "../host/session";
import { showAgent } from "./agent/agent";
import { AGENT_VERSION } from "./agent/program";
import type { ShownAgent } from "./agent/shown";
import { AGENT_HOSTS, flawOf, recordedKey, together } from "./agent/watch";
import { mergeLedgers, recordedLedger, type Spent } from "./budget";
import type { PolicyInputs } from "./inputs";
import { observeHost } from "./observe";
import type { HostHealth } from "./observed";
import { formatPlan, nameOf, operationsOf, planRepairs } from "./plan";
import type { Reach } from "./reach";
import { recordedUnhealthy } from "./report";

/** For all hosts together, dialling included: preview must not wait for a host that is down. */
const LOOK_MS = 3_000;
/** Leaves time for the dial before it and the answers after it. */
const LONGEST_PROBE_MS = 2_000;

type MakeReach = (signal: AbortSignal) => Reach;
type LookContext = Pick<HandlerContext, "log" | "clock" | "signal">;

/** What was seen, or why nothing was. */
type Looked<T> =
  | { readonly kind: "seen"; readonly value: T }
  | { readonly kind: "unseen"; readonly why: string };

/** The containers of a host, and its agent as far as it was asked for. */
interface HostLook {
  readonly target: string;
  readonly health: Looked<HostHealth>;
  readonly agent: Looked<ShownAgent | undefined> | undefined;
}

/**
 * A short look at the hosts for diff: true when there is something to repair, when the report says unhealthy of what is well
 * now, or when an agent is not as it should be. The causes are kept lines; so is what could not be looked at, which counts as
 * no change. The agents go on meanwhile.
 */
export async function lookForRepairs(
  policy: PolicyInputs,
  recorded: Properties,
  makeReach: MakeReach,
  context: LookContext,
): Promise<boolean> {
  const key = policy.watch ? recordedKey(recorded) : undefined;
  const watched = key === undefined ? [] : recordedTargets(recorded);
  const looks = await Promise.all(
    makeReach(context.signal).targets.map((target) =>
      lookAtHost(target, policy, watched.includes(target) ? key : undefined, makeReach, context),
    ),
  );
  for (const line of looks.flatMap(unseenOf)) context.log.keep(line);
  const isAgentFlawed = judgeAgents(policy, recorded, looks, (line) => context.log.keep(line));
  const { ledger: ofAgents } = together(
    looks.flatMap(({ target, agent }) => (agent?.kind === "seen" ? [[target, agent.value] as const] : [])),
  );
  const ledger = mergeLedgers(ofAgents, recordedLedger(recorded));
  const spent = { ledger, nowMs: context.clock.wall() };
  const hosts = looks.flatMap(({ health }) => (health.kind === "seen" ? [health.value] : []));
  return judgeLook(policy, recorded, hosts, spent, (line) => context.log.keep(line)) || isAgentFlawed;
}

/** `key`: of the agent that should be there; undefined where none is asked for. */
async function lookAtHost(
  target: string,
  policy: PolicyInputs,
  key: string | undefined,
  makeReach: MakeReach,
  context: LookContext,
): Promise<HostLook> {
  const { clock } = context;
  const inTime = <T>(
    use: (session: HostSession, docker: Docker, signal: AbortSignal) => Promise<T>,
  ): Promise<Looked<T>> =>
    lookInTime(
      (signal, reach) => reach.on(target, (session, docker) => use(session, docker, signal)),
      makeReach,
      context,
    );
  const [health, agent] = await Promise.all([
    inTime((session, docker, signal) =>
      observeHost(policy, {
        ...{ session, docker, clock, signal },
        longestProbeMs: LONGEST_PROBE_MS,
        details: "for-repairs",
      }),
    ),
    key === undefined
      ? undefined
      : inTime((session, _, signal) => showAgent({ session, signal, clock }, key)),
  ]);
  return { target, health, agent };
}

async function lookInTime<T>(
  look: (signal: AbortSignal, reach: Reach) => Promise<T>,
  makeReach: MakeReach,
  { clock, signal }: LookContext,
): Promise<Looked<T>> {
  try {
    const limited = await withTimeLimit({ timeoutMs: LOOK_MS, clock, signal }, (inner) =>
      look(inner, makeReach(inner)),
    );
    if (limited.kind === "done") return { kind: "seen", value: limited.value };
    return { kind: "unseen", why: "no answer within 3s" };
  } catch (error) {
    if (signal.aborted) throw error;
    return { kind: "unseen", why: isSlipwayError(error) ? error.parts.why : messageOf(error) };
  }
}

/** One line a host: where nothing was seen at all, nobody asks for the agent. */
function unseenOf({ target, health, agent }: HostLook): readonly string[] {
  if (health.kind === "unseen") return [`could not look at ${target}: ${health.why}`];
  return agent?.kind === "unseen" ? [`could not look at the agent on ${target}: ${agent.why}`] : [];
}

/** Pure: whether an agent is to be installed anew, said once. */
function judgeAgents(
  policy: PolicyInputs,
  recorded: Properties,
  looks: readonly HostLook[],
  say: (line: string) => void,
): boolean {
  const { [AGENT_HOSTS]: told } = recorded;
  const isPassedOver = (target: string): boolean => Array.isArray(told) && !told.includes(target);
  const flaws = looks.flatMap(({ target, agent }) => {
    const flaw =
      agent?.kind === "seen"
        ? (flawOf(agent.value) ?? (isPassedOver(target) ? "missed the last up" : undefined))
        : undefined;
    return flaw === undefined ? [] : [`the agent on ${target} ${flaw}: it is installed anew`];
  });
  for (const line of flaws) say(line);
  // by the last up, or by a refresh that missed it
  const isOld = policy.watch && recorded.watch === true && recorded.agentVersion !== AGENT_VERSION;
  if (isOld && flaws.length === 0) say("the agent on the hosts is installed anew");
  return isOld || flaws.length > 0;
}

function recordedTargets({ targets }: Properties): readonly unknown[] {
  return Array.isArray(targets) ? targets : [];
}

/** Pure: whether what was seen calls for an update, with the causes said, and who is left unhealthy, and why. */
export function judgeLook(
  policy: PolicyInputs,
  recorded: Properties,
  hosts: readonly HostHealth[],
  spent: Spent,
  say: (line: string) => void,
): boolean {
  const plan = planRepairs(policy, hosts, spent);
  const known = recordedUnhealthy(recorded);
  const unhealthy = operationsOf(plan).filter(
    (operation) => operation.kind === "restart" || (operation.kind === "leave" && !operation.excused),
  );
  if (unhealthy.length > 0) say(formatPlan({ lanes: [{ service: "", width: 1, operations: unhealthy }] }));
  // what is not to be restarted is a change where the report is not yet what is so
  const isChanged = unhealthy.some(
    ({ kind, subject }) => kind === "restart" || !known.includes(nameOf(subject)),
  );
  const well = hosts
    .flatMap(({ containers }) => containers)
    .filter(
      ({ health, container }) =>
        health === "healthy" || (health === "unchecked" && container.state === "running"),
    )
    .map(nameOf)
    .filter((name) => known.includes(name));
  if (well.length > 0) say(`healthy again: ${well.join(", ")}`);
  return isChanged || well.length > 0;
}
