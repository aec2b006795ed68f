import type { UpdateSettings } from "./update-settings";

/** What the longest rollout rests on. */
export interface RolloutExtent {
  /** The hosts that are rolled out to. */
  readonly hosts: number;
  /** Those that are taken out. */
  readonly leaving: number;
  /** The longest that the tasks may take together. */
  readonly tasksMs: number;
}

/** The longest that a rollout may hold its locks; whoever holds one for longer is taken for dead. */
export function rolloutTtlMs(
  { progressDeadlineMs, delayMs, lockWaitMs }: UpdateSettings,
  { hosts, leaving, tasksMs }: RolloutExtent,
): number {
  // each host, the pull, and what is cleared up before; hosts are put back one after another
  const deadlines = hosts + leaving + 2 + hosts;
  return progressDeadlineMs * deadlines + delayMs * hosts + lockWaitMs + tasksMs;
}
