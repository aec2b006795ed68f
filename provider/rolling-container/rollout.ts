import { formatDuration } from "../duration";
import type { HandlerContext, Properties } from "../handler";
import { allEnded } from "../host/all-ended";
import { targetOf } from "../host/connection";
import { refuseTwins } from "../host/machine-id";
import { formatMoves, leftOf, movesOf, recordedMachines } from "../host/same-machine";
import { revisionOf } from "../container/spec-hash";
import { publishedPorts } from "../container/spec";
import { canonicalJson } from "../values";
import { checkOf, type Desired } from "./desired";
import { clearUp } from "./clear-up";
import type { Execution } from "./execute";
import { type HostFound, revisionIn, slotOf } from "./found";
import type { HostAccess } from "./host-access";
import { hostKeysOf, machineIdsOf, recordedHostKeys, withHosts } from "./hosts";
import { ensureImage } from "./image";
import { serviceOf } from "./inputs";
import type { Lock } from "./lock";
import { withLocks } from "./locks";
import { observeHost } from "./observe";
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
import { inTime, LOOK_MS } from "./in-time";
import { runTasks, tasksMs } from "./tasks";
import { formatPlan, type HostPlan, isEmptyPlan, planHost, provedSlots } from "./plan";
import { planFinish, planRemoval } from "./plan-finish";
import { switchWay } from "./plan-switch";
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
  const { lockWaitMs, progressDeadlineMs } = wanted.update;
  const { preDeploy = [], postDeploy = [] } = wanted;
  const all = [...hosts, ...leaving];
  // each host, the pull, and what is cleared up before
  const ttlMs = progressDeadlineMs * (all.length + 2) + lockWaitMs + tasksMs([...preDeploy, ...postDeploy]);
  return withLocks(all, { services, waitMs: lockWaitMs, ttlMs }, context, async (locksOf) => {
    const run = new RolloutRun(request, context, former, locksOf);
    await run.recoverAll(hosts);
    const rollouts = await run.plan(hosts);
    await run.before(rollouts);
    const summary = await run.carryOut(rollouts);
    await run.finish(rollouts, leaving);
    await run.after(rollouts);
    return run.outputs(hosts, summary, rollouts[0]?.desired.revision);
  });
}

/** One rollout under its locks. */
class RolloutRun {
  private readonly request: RolloutRequest;
  private readonly context: HandlerContext;
  private readonly former: string | undefined;
  private readonly locksOf: (host: HostAccess) => readonly Lock[];
  private readonly recorded: RecordedOwnership;

  constructor(
    request: RolloutRequest,
    context: HandlerContext,
    former: string | undefined,
    locksOf: (host: HostAccess) => readonly Lock[],
  ) {
    this.request = request;
    this.context = context;
    this.former = former;
    this.locksOf = locksOf;
    this.recorded = recordedOwnership(request.olds ?? {});
  }

  observe(host: HostAccess): Promise<HostFound> {
    const { wanted } = this.request;
    return inTime(host, `looking at "${wanted.service}"`, LOOK_MS, (signal) =>
      observeHost(host.session, {
        service: wanted.service,
        former: this.former,
        stack: this.context.stack,
        recorded: this.recorded,
        ports: publishedPorts(wanted.spec),
        signal,
      }),
    );
  }

  async recoverAll(hosts: readonly HostAccess[]): Promise<void> {
    const { wanted } = this.request;
    await allEnded(
      hosts.map((host) =>
        clearUp({ host, locks: this.locksOf(host), desired: wanted }, () => this.observe(host)),
      ),
    );
  }

  async plan(hosts: readonly HostAccess[]): Promise<readonly HostRollout[]> {
    const { wanted, olds, inputs } = this.request;
    const renew = olds !== undefined && canonicalJson(olds.triggers) !== canonicalJson(inputs.triggers);
    const images = await allEnded(hosts.map((host) => ensureImage(host, wanted, renew)));
    const revision = revisionOf(wanted.specHash, images[0]?.id ?? "");
    const { stack, name: resource } = this.context;
    const rollouts = await Promise.all(
      hosts.map(async (host, index) => {
        const { id: imageId = "", hasHealthcheck: imageHasHealthcheck = false } = images[index] ?? {};
        const desired: Desired = { ...wanted, imageId, revision, imageHasHealthcheck, stack, resource };
        const before = await this.observe(host);
        const plan = planHost(before, desired);
        const observe = (): Promise<HostFound> => this.observe(host);
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
    if (switching !== undefined) this.announce(switching);
    const startMs = clock.now();
    const execution = await this.orWhatRuns(
      rollouts.map(({ host }) => host),
      () => rollHosts(rollouts),
    );
    if (switching === undefined) return undefined;
    const durationMs = Math.round(clock.now() - startMs);
    const summary = summarize(switching, execution, durationMs);
    const gap =
      execution.gapMs > 0 ? `, nobody served for ${formatDuration(execution.gapMs)}` : ", without a gap";
    const first = summary.from === undefined;
    log.keep(`revision ${summary.revision} serves${first ? "" : gap} (${formatDuration(durationMs)})`);
    return summary;
  }

  /** The new version serves already: whatever fails here, the state has to know it. */
  async finish(rollouts: readonly HostRollout[], leaving: readonly HostAccess[]): Promise<void> {
    const hosts = rollouts.map(({ host }) => host);
    await this.orWhatRuns(hosts, () => this.tidyUp(rollouts, leaving));
  }

  /** What the state is to know; a last look that fails must not make it forget what was made. */
  outputs(
    hosts: readonly HostAccess[],
    summary: RolloutSummary | undefined,
    revision: string | undefined,
  ): Promise<Properties> {
    return this.orWhatRuns(hosts, () => this.look(hosts, summary, revision));
  }

  private async look(
    hosts: readonly HostAccess[],
    summary: RolloutSummary | undefined,
    revision: string | undefined,
  ): Promise<Properties> {
    const { inputs, olds = {}, wanted } = this.request;
    const found = await Promise.all(hosts.map((host) => this.observe(host)));
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

  private async tidyUp(rollouts: readonly HostRollout[], leaving: readonly HostAccess[]): Promise<void> {
    const desired = this.request.wanted;
    const tidy = async (host: HostAccess, stepsOf: (found: HostFound) => readonly Step[]): Promise<void> => {
      const steps = stepsOf(await this.observe(host));
      const work = { host, locks: this.locksOf(host), desired };
      await runStepsOrSay(`tidying up after "${desired.service}"`, work, steps);
    };
    await allEnded([
      ...rollouts.map(({ host, plan }) =>
        tidy(host, (found) => planFinish(found, desired, provedSlots(plan))),
      ),
      ...leaving.map((host) => tidy(host, (found) => planRemoval(found, "the host was taken out"))),
    ]);
  }

  /** The new version may serve already: whatever fails in `work`, the state has to know what runs. */
  private orWhatRuns<T>(on: readonly HostAccess[], work: () => Promise<T>): Promise<T> {
    const { request, recorded } = this;
    const hosts = on.map((host) => ({ ...host, signal: new AbortController().signal }));
    const look = (): Promise<Properties> => this.look(hosts, undefined, undefined);
    const seen = { hostKeys: hostKeysOf(on), machineIds: machineIdsOf(on) };
    return orWhatRuns({ request, recorded, ...seen, look }, work);
  }

  private announce({ desired, before }: HostRollout): void {
    const { log } = this.context;
    const way = switchWay(desired);
    const slots = [...before.service.slots, ...(before.former?.slots ?? [])];
    if (way.kind === "plain" && slots.some(({ live }) => live !== undefined)) {
      const proof = way.rehearse ? "; a copy without ports proves the version first" : "";
      log.progress(`plain switch, a gap of one stop and one start: ${way.why}${proof}`);
    }
    if (checkOf(desired) === "none") {
      const least = formatDuration(desired.update.minHealthyMs);
      log.warn(`no healthcheck: a version counts as good when it has run for ${least}`);
    }
  }
}

function swaps({ slots }: HostPlan): boolean {
  return slots.some(({ kind }) => kind === "switch");
}

function summarize(
  { before, desired }: HostRollout,
  execution: Execution,
  durationMs: number,
): RolloutSummary {
  const previous = slotOf(before.service, 1).live ?? slotOf(before.former, 1).live;
  return {
    revision: desired.revision,
    ...(previous === undefined ? {} : { from: revisionIn(previous) }),
    switch: switchWay(desired).kind,
    durationMs,
    gapMs: execution.gapMs,
    operations: execution.operations,
  };
}
