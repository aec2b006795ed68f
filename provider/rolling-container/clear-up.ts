import { StepFailure } from "./step-failure";
import type { HostFound } from "./found";
import type { Desired } from "./desired";
import type { Step } from "./operation";
import type { HostRollout } from "./roll-hosts";
import { recover, RECOVERY_PASSES, type Wish } from "./recover";
import { runSteps } from "./roll-hosts";
import { stepError } from "./rollout-error";

/**
 * Puts right what an interrupted run left on a host, row by row of the crash matrix, until nothing is left to put right.
 * Gives the host as it was seen last.
 * @throws SlipwayError rollback-failed when a row could be neither carried out nor taken back
 */
export async function clearUp(
  rollout: Pick<HostRollout, "host" | "locks"> & { readonly desired: Wish & Pick<Desired, "update"> },
  observe: () => Promise<HostFound>,
): Promise<HostFound> {
  const { host, desired } = rollout;
  const { target } = host.session;
  let wasFollowed = false;
  for (let pass = 0; ; pass++) {
    const seen = await observe();
    const rows = recover(seen, { ...desired, wasFollowed });
    if (rows.length === 0 || pass === RECOVERY_PASSES) return seen;
    wasFollowed ||= rows.some(({ steps }) => steps.some(recovers));
    for (const { found, steps } of rows) {
      host.log.keep(`${target}: found ${found}; putting it right`);
      try {
        await runSteps(rollout, steps);
      } catch (error) {
        if (!(error instanceof StepFailure)) throw error;
        if (error.undoFailure !== undefined)
          throw stepError(`clearing up "${desired.service}"`, target, error);
        // the verdict on what was left is no verdict on this run: it goes on from what stands there now
        host.log.warn([`${target}: ${error.why}`, error.evidence].filter(Boolean).join("\n"));
      }
    }
  }
}

/** The same one is let finish once: where that does not help the other rows go on from what stands. */
function recovers({ operation }: Step): boolean {
  return operation.kind === "follow-switch" && operation.recover;
}
