import { STOP_TIMEOUT_MS } from "../container/spec";
import type { Properties } from "../handler";
import { longestSwitchMs } from "../switch/switch-order";
import { Fields } from "../values";
import type { Wanted } from "./inputs";
import { recordedRoute } from "./observe-routes";
import { exchangeLimits } from "./plan-exchange";
import { runsBoth, wishedWay } from "./switch-way";
import type { UpdateSettings } from "./update-settings";

/** What may stand on a host, and how long its containers may take to go. */
export interface Standing {
  readonly replicas: number;
  readonly stopMs: number;
  readonly drainMs: number;
  /** Whether they change places by the program on the host, where it can. */
  readonly exchanges: boolean;
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
  update,
}: Pick<Wanted, "replicas" | "spec" | "route" | "update">): Standing {
  return {
    replicas,
    stopMs: spec.stopTimeoutMs ?? STOP_TIMEOUT_MS,
    drainMs: route?.drainTimeoutMs ?? 0,
    exchanges: !runsBoth(wishedWay({ spec, route, update })),
  };
}

/** Of what outputs speak of. */
export function recordedStanding(outputs: Properties): Standing {
  const fields = new Fields(outputs);
  return {
    replicas: fields.integer("replicas", { min: 1, max: 100 }) ?? 1,
    stopMs: fields.duration("stopTimeout") ?? STOP_TIMEOUT_MS,
    drainMs: recordedRoute(outputs)?.drainTimeoutMs ?? 0,
    exchanges: false,
  };
}

/** As much as either of them. */
export function both(a: Standing, b: Standing): Standing {
  return {
    replicas: Math.max(a.replicas, b.replicas),
    stopMs: Math.max(a.stopMs, b.stopMs),
    drainMs: Math.max(a.drainMs, b.drainMs),
    exchanges: a.exchanges || b.exchanges,
  };
}

/** The longest that a rollout may hold its locks; whoever holds one for longer is taken for dead. */
export function rolloutTtlMs(
  update: UpdateSettings,
  { hosts, leaving, standing, tasksMs }: RolloutExtent,
): number {
  const { delayMs, lockWaitMs } = update;
  // hosts are put back one after another; before, they are cleared up at once, and the image is pulled
  const turns = hosts + leaving + hosts + 1;
  const deadlinesMs = update.progressDeadlineMs * (turns + 1);
  const waitsMs = hostWaitsMs(update, standing) * turns;
  return deadlinesMs + waitsMs + delayMs * hosts + lockWaitMs * (hosts + leaving) + tasksMs;
}

/** The longest that a removal may; its hosts go at once. */
export function removalTtlMs(update: UpdateSettings, standing: Standing, hosts: number): number {
  return update.progressDeadlineMs + hostWaitsMs(update, standing) + update.lockWaitMs * hosts;
}

/** What does not count against the progressDeadline of one host. */
function hostWaitsMs({ healthyDeadlineMs }: UpdateSettings, standing: Standing): number {
  const { replicas, stopMs, drainMs, exchanges } = standing;
  const limits = { stopTimeoutMs: stopMs, ...exchangeLimits(stopMs, healthyDeadlineMs) };
  return replicas * (drainMs + (exchanges ? longestSwitchMs(limits) : stopMs));
}
