import type { HandlerContext } from "../handler";
import { noteOnHost } from "./agent/agent";
import { installAgents } from "./agent/watch";
import { addToLedger, type Ledger, type Restart, type Spent } from "./budget";
import { executePlan } from "./execute";
import type { PolicyInputs } from "./inputs";
import type { RepairPlan } from "./plan";
import type { Reach } from "./reach";
import type { Repaired } from "./repaired";

/** What is to be carried out. */
export interface Work {
  readonly policy: PolicyInputs;
  readonly plan: RepairPlan;
  readonly spent: Spent;
  /** The name of the agent, and the hosts that get it. */
  readonly key: string;
  readonly watched: readonly string[];
}

/** What became of it. */
export interface CarriedOut {
  readonly repaired: readonly Repaired[];
  /** With every restart that was begun, however it ended. */
  readonly ledger: Ledger;
  /** Empty when it was carried out to its end. */
  readonly failures: readonly unknown[];
}

/** Runs a plan, and gives the agents what is left of the budget. It throws nothing: what was done is done, and has to be known. */
export async function carryOut(work: Work, reach: Reach, context: HandlerContext): Promise<CarriedOut> {
  const { policy, plan, spent, key, watched } = work;
  const restarts: Restart[] = [];
  const failures: unknown[] = [];
  const attempt = async <T>(step: () => Promise<T>): Promise<T | undefined> =>
    step().catch((error: unknown) => {
      failures.push(error);
      return undefined;
    });
  const execute = () =>
    executePlan(plan, {
      ...{ ...context, reach, budget: policy },
      async noteRestart(restart, session) {
        restarts.push(restart);
        // an up that is killed has nobody who could tell the agent of it
        if (policy.watch) await noteOnHost({ session, ...context }, key, restart.id);
      },
    });
  const repaired = (await attempt(execute)) ?? [];
  const ledger = addToLedger({ ...spent, nowMs: context.clock.wall() }, restarts, policy);
  // an up that is cancelled leaves the agents as they are; they go on when its connection ends
  if (!context.signal.aborted) {
    await attempt(() => installAgents(watched, key, policy, ledger, reach, context));
  }
  return { repaired, ledger, failures };
}
