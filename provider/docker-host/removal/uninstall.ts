import type { HandlerContext } from "../../handler";
import type { HostSession } from "../../host/session";
import { refuseWithoutConsent, repairNeeds } from "../plan/consent";
import { withEngineLock } from "../apply/engine-lock";
import { execute } from "../apply/execute";
import { initOf } from "../init/init-of";
import { neededByOthers } from "./needed-by-others";
import { observe, type Seen } from "../look/observe";
import { formatPlan, type Operation } from "../plan/operation";
import { familyOf } from "../packages/families";
import { planRepair, planUninstall } from "../plan/uninstall";
import type { EngineWish } from "../wish/wish";

/**
 * Takes packages, holds and the package source off; images and volumes stay, unless `purge` asks for them too. Cut off
 * anywhere, the next one comes to the same end. `rootDirectory` is where the state says that Docker keeps its files.
 */
export async function uninstall(
  session: HostSession,
  wish: EngineWish,
  rootDirectory: string | undefined,
  context: HandlerContext,
): Promise<void> {
  const { log } = context;
  const look = (): Promise<Seen> => observe(session, wish, wish, context);
  await withEngineLock(session, context, async () => {
    let { desired, observed } = await look();
    const family = familyOf(session.target, observed.facts, wish.source);
    const init = initOf(session.target, observed.facts);
    const isHalfDone = async (): Promise<boolean> => (await look()).observed.packages.interrupted !== "no";
    const run = (plan: readonly Operation[]): Promise<void> => {
      if (plan.length > 0) log.debug(`plan for ${session.target}:\n${formatPlan(plan)}`);
      return execute(plan, { ...context, session, family, init, isHalfDone });
    };
    const repair = planRepair(desired, observed);
    refuseWithoutConsent(session.target, wish, repairNeeds(repair, observed));
    await run(repair);
    if (repair.length > 0) ({ desired, observed } = await look());
    const kept = await neededByOthers({ desired, observed }, session, family, context.signal);
    if (kept.packages.length > 0)
      log.keep(`${kept.packages.join(", ")} stay on ${session.target}: ${kept.others.join(", ")} need them`);
    await run(planUninstall(desired, observed, rootDirectory, kept.packages));
    if (wish.purge && observed.foreign.length > 0)
      log.warn(`nothing was purged on ${session.target}: another engine is there, whose files these may be`);
  });
}
