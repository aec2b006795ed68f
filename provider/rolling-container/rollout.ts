import type { HandlerContext, Properties } from "../handler";
import { allEnded } from "../all-ended";
import { targetOf } from "../host/connection";
import { refuseTwins } from "../host/machine/machine-id";
import { formatMoves, leftOf, movesOf, recordedMachines } from "../host/machine/same-machine";
import { revisionOf } from "../container/spec-hash";
import { canonicalJson } from "../values";
import { announce, formatSummary, summarize } from "./announce";
import type { Desired } from "./desired";
import { clearUp } from "./clear-up";
import { type HostFound, isUnsettled } from "./found";
import type { HostAccess } from "./host-access";
import { hostKeysOf, machineIdsOf, recordedHostKeys, withHosts } from "./hosts";
import { ensureImage } from "./image";
import { serviceOf } from "./inputs";
import type { Lock } from "./lock";
import { both, recordedStanding, rolloutTtlMs, wantedStanding } from "./lock-ttl";
import { withLocks } from "./locks";
import {
  goneRevisions,
  previousRevisions,
  recordContainers,
  type RecordedOwnership,
  recordedOwnership,
  type RolloutSummary,
  urlOf,
} from "./outputs";
import type { Step } from "./operation";
import { longestTaskMs } from "./task";
import { runTasks, tasksMs } from "./tasks";
import { RolloutLook } from "./rollout-look";
import { formatPlan, type HostPlan, isEmptyPlan, planHost, planRevival, provedSlots } from "./plan";
import { planSurplus } from "./plan-surplus";
import { planFinish, planRemoval, withoutRemoved } from "./plan-finish";
import { type HostRollout, rollHosts, runStepsOrSay } from "./roll-hosts";
import { orWhatRuns, type RolloutRequest } from "./what-runs";

/**
 * Brings every host to what is wanted: looks, clears up what an interrupted run left, plans, carries out, tidies.
 * Gives the new outputs.
 */
export async function rollOut(request: RolloutRequest, context: HandlerContext): Promise<Properties> {
  const { wanted, olds = {} } = request;
  const hostKeys = recordedHostKeys(olds);
  return withHosts(wanted.hosts, { context, hostKeys }, (hosts) => {
    const now = { hosts: wanted.hosts, machineIds: machineIdsOf(hosts) };
    refuseTwins(now.machineIds);
    const before = recordedMachines(olds);
    const moved = formatMoves(movesOf(before, now));
    if (moved !== "") context.log.keep(moved);
    const { abandonUnreachable } = wanted;
    return withHosts(leftOf(before, now), { context, hostKeys, abandonUnreachable }, (left) => {
      // a release before recorded no machine-ids: the old address may lead to a machine that stays
      const ids = new Set(Object.values(now.machineIds));
      const leaving = left.filter(({ machineId }) => !ids.has(machineId));
      return rollOn(hosts, leaving, request, context);
    });
  });
}

function rollOn(
  hosts: readonly HostAccess[],
  leaving: readonly HostAccess[],
  request: RolloutRequest,
  context: HandlerContext,
): Promise<Properties> {
  const { wanted, olds = {} } = request;
  const former = serviceOf(olds) === wanted.service ? undefined : serviceOf(olds) || undefined;
  const services = former === undefined ? [wanted.service] : [wanted.service, former];
  const { update, preDeploy = [], postDeploy = [] } = wanted;
  const tasks = [...preDeploy, ...postDeploy];
  const all = [...hosts, ...leaving];
  const ttlMs = rolloutTtlMs(update, {
    hosts: hosts.length,
    leaving: leaving.length,
    standing: both(wantedStanding(wanted), recordedStanding(olds)),
    // and one that an earlier run left
    tasksMs: tasks.length === 0 ? 0 : tasksMs(tasks) + longestTaskMs(wanted),
  });
  const look = new RolloutLook(request, context.stack, former, recordedOwnership(olds));
  for (const host of hosts) look.makeReady(host);
  const rolling = withLocks(all, { services, waitMs: update.lockWaitMs, ttlMs }, context, async (locksOf) => {
    const run = new RolloutRun(request, context, look, locksOf);
    const found = await run.recoverAll(hosts);
    const rollouts = await run.plan(hosts, found);
    await run.before(rollouts);
    const summary = await run.carryOut(rollouts);
    const seen = await run.finish(rollouts, leaving);
    await run.after(rollouts);
    return run.outputs(hosts, seen, summary, rollouts[0]?.desired.revision);
  });
  return rolling.finally(() => look.end());
}

/** One rollout under its locks. */
class RolloutRun {
  private readonly request: RolloutRequest;
  private readonly context: HandlerContext;
  private readonly locksOf: (host: HostAccess) => readonly Lock[];
  private readonly recorded: RecordedOwnership;
  private readonly look: RolloutLook;

  constructor(
    request: RolloutRequest,
    context: HandlerContext,
    look: RolloutLook,
    locksOf: (host: HostAccess) => readonly Lock[],
  ) {
    this.request = request;
    this.context = context;
    this.locksOf = locksOf;
    this.recorded = look.recorded;
    this.look = look;
  }

  /** Gives the hosts as they are then. */
  recoverAll(hosts: readonly HostAccess[]): Promise<readonly HostFound[]> {
    const { wanted } = this.request;
    return allEnded(
      hosts.map((host) =>
        this.look.withImage(host, (observe) =>
          clearUp({ host, locks: this.locksOf(host), desired: wanted }, observe),
        ),
      ),
    );
  }

  async plan(hosts: readonly HostAccess[], found: readonly HostFound[]): Promise<readonly HostRollout[]> {
    const { wanted, olds, inputs } = this.request;
    const renew = olds !== undefined && canonicalJson(olds.triggers) !== canonicalJson(inputs.triggers);
    const images = await allEnded(
      hosts.map((host) => ensureImage(host, wanted, renew, this.look.image(host))),
    );
    const revision = revisionOf(wanted.specHash, images[0]?.id ?? "");
    const { stack, name: resource } = this.context;
    const rollouts = await Promise.all(
      hosts.map(async (host, index) => {
        const { id: imageId = "", hasHealthcheck: imageHasHealthcheck = false } = images[index] ?? {};
        const desired: Desired = { ...wanted, imageId, revision, imageHasHealthcheck, stack, resource };
        const before = found[index] ?? (await this.look.observe(host, true));
        const plan = planHost(before, desired);
        // for the way back, which a run that is stopped goes, too
        const calm = { ...host, signal: new AbortController().signal };
        const observe = (): Promise<HostFound> => this.look.observe(calm, true);
        return { host, locks: this.locksOf(host), desired, before, plan, observe };
      }),
    );
    const gone = goneRevisions(
      rollouts.map(({ before }) => before),
      this.recorded,
    );
    if (gone.length > 0) {
      const which = gone.join(", ");
      this.context.log.keep(
        `kept, and gone since (pruned?): ${which}; going back makes it again from its spec`,
      );
    }
    return rollouts;
  }

  /** Once a rollout, and not when nothing is swapped. */
  async before(rollouts: readonly HostRollout[]): Promise<void> {
    const [first] = rollouts;
    if (first !== undefined && rollouts.some(({ plan }) => swaps(plan))) await runTasks(first, "preDeploy");
  }

  /** When every host serves the new version; again, when the run that brought it could not finish them. */
  async after(rollouts: readonly HostRollout[]): Promise<void> {
    const [first] = rollouts;
    const isNew = first?.desired.revision !== this.request.olds?.revision;
    if (first === undefined || !(isNew || rollouts.some(({ plan }) => swaps(plan)))) return;
    await this.orWhatRuns(
      rollouts.map(({ host }) => host),
      () => runTasks(first, "postDeploy"),
    );
  }

  /** Undefined when there was nothing to roll out. */
  async carryOut(rollouts: readonly HostRollout[]): Promise<RolloutSummary | undefined> {
    const { log, clock } = this.context;
    const work = rollouts.filter(({ plan }) => !isEmptyPlan(plan));
    const switching = work.find(({ plan }) => swaps(plan));
    for (const { plan } of work) log.debug(`plan for ${plan.target}:\n${formatPlan(plan)}`);
    if (switching !== undefined) announce(switching, log);
    const startMs = clock.now();
    const execution = await this.orWhatRuns(
      rollouts.map(({ host }) => host),
      () => rollHosts(rollouts),
    );
    if (switching === undefined) return undefined;
    const summary = summarize(switching, execution, Math.round(clock.now() - startMs));
    log.keep(formatSummary(summary));
    return summary;
  }

  /** The new version serves already: whatever fails here, the state has to know it. Gives what was seen last. */
  finish(rollouts: readonly HostRollout[], leaving: readonly HostAccess[]): Promise<readonly HostFound[]> {
    const hosts = rollouts.map(({ host }) => host);
    return this.orWhatRuns(hosts, () => this.tidyUp(rollouts, leaving));
  }

  /** What the state is to know; a last look that fails must not make it forget what was made. */
  outputs(
    hosts: readonly HostAccess[],
    seen: readonly HostFound[],
    summary: RolloutSummary | undefined,
    revision: string | undefined,
  ): Promise<Properties> {
    return this.orWhatRuns(hosts, () => Promise.resolve(this.record(hosts, seen, summary, revision)));
  }

  private async lookAgain(hosts: readonly HostAccess[]): Promise<Properties> {
    const found = await Promise.all(hosts.map((host) => this.look.observe(host)));
    return this.record(hosts, found, undefined, undefined);
  }

  private record(
    hosts: readonly HostAccess[],
    found: readonly HostFound[],
    summary: RolloutSummary | undefined,
    revision: string | undefined,
  ): Properties {
    const { inputs, olds = {}, wanted } = this.request;
    return {
      ...inputs,
      // it passed our gate, or an earlier one; Docker's own first probe may come only after its interval
      containers: recordContainers(found, wanted.service, wanted.replicas, ({ health }) =>
        health === "starting" ? "healthy" : health,
      ),
      revision,
      specHash: wanted.specHash,
      url: urlOf(wanted),
      previous: previousRevisions(found),
      lastRollout: summary ?? olds.lastRollout,
      targets: wanted.hosts.map(targetOf),
      hostKeys: hostKeysOf(hosts),
      machineIds: machineIdsOf(hosts),
    };
  }

  private async tidyUp(
    rollouts: readonly HostRollout[],
    leaving: readonly HostAccess[],
  ): Promise<readonly HostFound[]> {
    const desired = this.request.wanted;
    const run = (host: HostAccess, steps: readonly Step[]): Promise<void> => {
      const work = { host, locks: this.locksOf(host), desired };
      return runStepsOrSay(`tidying up after "${desired.service}"`, work, steps);
    };
    const tidy = async (
      host: HostAccess,
      switches: boolean,
      stepsOf: (found: HostFound) => readonly Step[],
      known: readonly Step[] = [],
    ): Promise<HostFound> => {
      const looking = this.look.observe(host, switches);
      await allEnded<unknown>([looking, run(host, known)]);
      const found = withoutRemoved(await looking, known);
      const steps = stepsOf(found);
      await run(host, steps);
      return withoutRemoved(found, steps);
    };
    const left = ({ switches = {} }: HostFound): boolean => Object.values(switches).some(isUnsettled);
    const staying = rollouts.map(({ host, plan, before, desired: known }) =>
      tidy(
        host,
        left(before),
        (found) => [...planRevival(found, known), ...planFinish(found, desired, provedSlots(plan))],
        planSurplus(before, plan, desired),
      ),
    );
    const gone = leaving.map((host) =>
      tidy(host, true, (found) => planRemoval(found, "the host was taken out")),
    );
    return (await allEnded([...staying, ...gone])).slice(0, rollouts.length);
  }

  /** The new version may serve already: whatever fails in `work`, the state has to know what runs. */
  private orWhatRuns<T>(on: readonly HostAccess[], work: () => Promise<T>): Promise<T> {
    const { request, recorded } = this;
    const hosts = on.map((host) => ({ ...host, signal: new AbortController().signal }));
    const look = (): Promise<Properties> => this.lookAgain(hosts);
    const seen = { hostKeys: hostKeysOf(on), machineIds: machineIdsOf(on) };
    return orWhatRuns({ request, recorded, ...seen, look }, work);
  }
}

function swaps({ slots }: HostPlan): boolean {
  return slots.some(({ kind }) => kind === "switch");
}
