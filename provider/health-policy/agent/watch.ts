import { allEnded } from "../../all-ended";
import type { HandlerContext, Properties } from "../../handler";
import { orAbandoned } from "../../host/machine/unreachable";
import type { Ledger } from "../budget";
import type { PolicyInputs } from "../inputs";
import type { Logins, Reach } from "../reach";
import type { AgentEvent } from "../resource";
import { holdAgent, installAgent, removeAgent, showAgent } from "./agent";
import { AGENT_VERSION } from "./program";
import { agentKey, formatLedger, formatSettings } from "./settings";
import type { ShownAgent } from "./shown";

/** The key of the outputs that names the agent on the hosts: it stays what it was when the stack is renamed. */
export const AGENT_OUTPUT = "__agent";

/** The key of the outputs that lists the hosts whose agent goes by the last up. */
export const AGENT_HOSTS = "__agentHosts";

/** The name of a policy's agent: as recorded, else a new one. */
export function keyOf(olds: Properties, name: string, stack: string): string {
  return recordedKey(olds) ?? agentKey(stack, name);
}

/** The name of the agent that outputs have recorded. */
export function recordedKey(outputs: Properties): string | undefined {
  const key = outputs[AGENT_OUTPUT];
  return typeof key === "string" && /^[a-z0-9-]+$/.test(key) ? key : undefined;
}

/** What the agents of all hosts show together. */
export interface ShownAgents {
  /** Empty where one of them is missing, does not run, or is another one. */
  readonly version: string;
  readonly events: readonly AgentEvent[];
  readonly ledger: Ledger;
}

/** Looks at the agents on these hosts; with `hold` they do nothing from then on, until they are installed anew. */
export async function seeAgents(
  targets: readonly string[],
  key: string,
  reach: Reach,
  { signal, clock }: Pick<HandlerContext, "signal" | "clock">,
  hold: boolean,
): Promise<ShownAgents> {
  const see = hold ? holdAgent : showAgent;
  const shown = await allEnded(
    targets.map(
      async (target): Promise<readonly [string, ShownAgent | undefined]> => [
        target,
        await reach.on(target, (session) => see({ session, signal, clock }, key)),
      ],
    ),
  );
  return together(shown);
}

/** Pure: what is not as it should be with the agent of a host, as a sentence goes on after its name; undefined when nothing is. */
export function flawOf(agent: ShownAgent | undefined): string | undefined {
  if (agent === undefined) return "is missing";
  if (agent.version !== AGENT_VERSION) return "is another version";
  return agent.runs ? undefined : "does not run";
}

/** Pure: one account of what each host shows. */
export function together(shown: readonly (readonly [string, ShownAgent | undefined])[]): ShownAgents {
  const isCurrent = shown.every(([, agent]) => flawOf(agent) === undefined);
  const events = shown.flatMap(([host, agent]) => (agent?.events ?? []).map((event) => ({ host, ...event })));
  return {
    version: isCurrent && shown.length > 0 ? AGENT_VERSION : "",
    events: events.sort((a, b) => compare(`${a.at} ${a.host}`, `${b.at} ${b.host}`)),
    ledger: Object.assign({}, ...shown.map(([, agent]) => agent?.ledger ?? {})) as Ledger,
  };
}

/** A line an event, for the run. */
function formatEvents(events: readonly AgentEvent[]): string {
  return events
    .map(({ at, host, container, event, why }) => `${at} ${host} ${container}: ${event}: ${why}`)
    .join("\n");
}

/** Installs the agents on these hosts, which go on from there. */
export async function installAgents(
  targets: readonly string[],
  key: string,
  policy: PolicyInputs,
  ledger: Ledger,
  reach: Reach,
  { signal, clock }: Pick<HandlerContext, "signal" | "clock">,
): Promise<void> {
  const files = {
    settings: formatSettings(policy),
    ledger: formatLedger(ledger),
    notify: policy.notify,
    intervalMs: policy.watchIntervalMs,
  };
  await allEnded(
    targets.map((target) =>
      reach.on(target, (session) => installAgent({ session, signal, clock }, key, files)),
    ),
  );
}

/**
 * Takes the recorded agents away from all hosts of `logins`, whether Docker runs there or not. What they did since the last up is
 * said, and what they spent of the budget comes back.
 */
export async function removeAgents(
  outputs: Properties,
  logins: Logins,
  abandonUnreachable: boolean,
  context: Pick<HandlerContext, "signal" | "clock" | "log">,
): Promise<Ledger> {
  const key = recordedKey(outputs);
  if (key === undefined) return {};
  const shown: (readonly [string, ShownAgent | undefined])[] = [];
  const remove = (target: string): Promise<void> =>
    logins.login(target, async (session) => {
      const host = { session, signal: context.signal, clock: context.clock };
      const agent = await showAgent(host, key);
      await removeAgent(host, key);
      shown.push([target, agent]);
    });
  const say = (target: string) => (why: string) =>
    context.log.warn(`left the health agent ${key} on ${target} as it is: ${why}`);
  await allEnded(
    logins.targets.map((target) =>
      orAbandoned({ abandonUnreachable, say: say(target) }, () => remove(target)),
    ),
  );
  const { events, ledger } = together(shown);
  sayEvents(events, context);
  return ledger;
}

/** What agents did since the last up, as kept lines. */
export function sayEvents(events: readonly AgentEvent[], { log }: Pick<HandlerContext, "log">): void {
  if (events.length > 0) log.keep(`since the last up:\n${formatEvents(events)}`);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
