import { STOP_TIMEOUT_MS } from "../container/spec";
import type { Properties } from "../handler";
import { longestSwitchMs } from "../switch/switch-order";
import { Fields } from "../values";
import type { Wanted } from "./inputs";
import { recordedRoute } from "./observe-routes";
import { exchangeLimits } from "./plan-exchange";
import type { UpdateSettings } from "./update-settings";

/** What may stand on a host, and how long its containers may take to go. */
export interface Standing {
  readonly replicas: number;
  readonly stopMs: number;
  readonly drainMs: number;
}

/** What the longest rollout rests on. */
export interface RolloutExtent {
  /** The hosts that are rolled out to. */
  readonly hosts: number;
  /** Those that are taken out. */
  readonly leaving: number;
  readonly standing: Standing;
  /** The longest that the tasks may take together. */
  readonly tasksMs: number;
}

/** Of what is wanted. */
export function wantedStanding({
  replicas,
  spec,
  route,
}: Pick<Wanted, "replicas" | "spec" | "route">): Standing {
  return { replicas, stopMs: spec.stopTimeoutMs ?? STOP_TIMEOUT_MS, drainMs: route?.drainTimeoutMs ?? 0 };
}

/** Of what outputs speak of. */
export function recordedStanding(outputs: Properties): Standing {
  const fields = new Fields(outputs);
  return {
    replicas: fields.integer("replicas", { min: 1, max: 100 }) ?? 1,
    stopMs: fields.duration("stopTimeout") ?? STOP_TIMEOUT_MS,
    drainMs: recordedRoute(outputs)?.drainTimeoutMs ?? 0,
  };
}

/** As much as either of them. */
export function both(a: Standing, b: Standing): Standing {
  return {
    replicas: Math.max(a.replicas, b.replicas),
    stopMs: Math.max(a.stopMs, b.stopMs),
    drainMs: Math.max(a.drainMs, b.drainMs),
  };
}

/** The longest that a rollout may hold its locks; whoever holds one for longer is taken for dead. */
export function rolloutTtlMs(
  update: UpdateSettings,
  { hosts, leaving, standing, tasksMs }: RolloutExtent,
): number {
  const { delayMs, lockWaitMs } = update;
  // each host, the pull, and what is cleared up before; hosts are put back one after another
  const turns = hosts + leaving + 2 + hosts;
  return turnMs(update, standing) * turns + delayMs * hosts + lockWaitMs * (hosts + leaving) + tasksMs;
}

/** The longest that a removal may; its hosts go at once. */
export function removalTtlMs(update: UpdateSettings, standing: Standing, hosts: number): number {
  return turnMs(update, standing) + update.lockWaitMs * hosts;
}

/** What one host may take: its deadline, and what does not count there. */
function turnMs({ progressDeadlineMs, healthyDeadlineMs }: UpdateSettings, standing: Standing): number {
  const { replicas, stopMs, drainMs } = standing;
  const switchMs = longestSwitchMs({ stopTimeoutMs: stopMs, ...exchangeLimits(stopMs, healthyDeadlineMs) });
  // the new one may have to go, too
  return progressDeadlineMs + replicas * (2 * (drainMs + stopMs) + switchMs);
}
