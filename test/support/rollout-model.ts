import { isSlipwayError } from "../../provider/errors";
import type { Desired } from "../../provider/rolling-container/desired";
import type { Found, HostFound } from "../../provider/rolling-container/found";
import { slotsFrom } from "../../provider/rolling-container/observe";
import type { Recovery } from "../../provider/rolling-container/leftovers";
import { formatOperation, type Operation, type Step } from "../../provider/rolling-container/operation";
import { type HostPlan, planHost, provedSlots } from "../../provider/rolling-container/plan";
import { planBack } from "../../provider/rolling-container/plan-back";
import { planFinish } from "../../provider/rolling-container/plan-finish";
import { recover, RECOVERY_PASSES } from "../../provider/rolling-container/recover";
import { parseContainerName } from "../../provider/rolling-container/slot-name";
import type { DockerModel, ModelContainer } from "./docker-model";
import { foundContainer, foundHost, LIMITS } from "./rollout";

/** The pure functions that decide; a test puts a broken one in. */
export interface Planner {
  readonly recover: (found: HostFound, desired: Desired) => readonly Recovery[];
  readonly plan: (found: HostFound, desired: Desired) => HostPlan;
  readonly finish: (found: HostFound, desired: Desired, proved: ReadonlySet<number>) => readonly Step[];
}

export const PLANNER: Planner = { recover, plan: planHost, finish: planFinish };

/** How a run ended. */
export type RunEnd =
  | "done"
  /** The rollout failed, and what could be was taken back. */
  | "failed"
  /** The planner would not touch what is not ours. */
  | "refused"
  /** The client died: nothing was taken back. */
  | "died";

/** Called after each operation. `gapSlot`: the slot in which nobody has to serve just now. */
export type Watch = (operation: Operation, gapSlot: number | undefined) => void;

/** Thrown in place of a client that dies. */
class Died extends Error {}

/** One `pulumi up` against the model, as rollout.ts, roll-hosts.ts and execute.ts go about it, without a network and without time. */
export class ModelRun {
  /** Every operation, as printed. */
  readonly log: string[] = [];
  private readonly docker: DockerModel;
  private readonly desired: Desired;
  private readonly planner: Planner;
  private readonly diesAfter: number;
  private readonly watch: Watch;
  private gapSlot: number | undefined;
  private done = 0;

  constructor(
    docker: DockerModel,
    desired: Desired,
    options: { readonly planner?: Planner; readonly diesAfter?: number; readonly watch?: Watch } = {},
  ) {
    this.docker = docker;
    this.desired = desired;
    this.planner = options.planner ?? PLANNER;
    this.diesAfter = options.diesAfter ?? Number.POSITIVE_INFINITY;
    this.watch = options.watch ?? (() => undefined);
  }

  run(): RunEnd {
    try {
      return this.attempt();
    } catch (error) {
      if (error instanceof Died) return "died";
      if (isSlipwayError(error, "name-taken", "port-taken")) return "refused";
      throw error;
    }
  }

  private attempt(): RunEnd {
    const { planner, desired } = this;
    for (let pass = 0; pass < RECOVERY_PASSES; pass++) {
      const rows = planner.recover(this.look(), desired);
      if (rows.length === 0) break;
      for (const { steps } of rows) if (this.execute(steps) === "stuck") return "failed";
    }
    const before = this.look();
    const plan = planner.plan(before, desired);
    const work = plan.slots.filter(({ steps }) => steps.length > 0);
    for (const [index, { steps }] of work.entries()) {
      const end = this.execute(index === 0 ? [...plan.preparation, ...steps] : steps);
      if (end === "done") continue;
      if (end !== "committed") this.execute(planBack(before, this.look(), desired));
      return "failed";
    }
    return this.execute(planner.finish(this.look(), desired, provedSlots(plan))) === "done"
      ? "done"
      : "failed";
  }

  look(): HostFound {
    return lookAt(this.docker);
  }

  /** As executeSteps. */
  private execute(steps: readonly Step[]): "done" | "failed" | "stuck" | "committed" {
    let undo: Operation[] = [];
    let committed = false;
    for (const { operation, ...step } of steps) {
      if (step.commit === true) {
        undo = [];
        committed = true;
      }
      undo.unshift(...(step.undo ?? []));
      const answer = this.one(operation);
      if (answer.kind === "done") continue;
      const taken = operation.kind === "create" && answer.why.startsWith("409");
      if (taken) undo.splice(0, step.undo?.length);
      this.log.push(`  failed: ${answer.why}`);
      const stuck = undo.map((each) => this.one(each)).some(({ kind }) => kind === "refused");
      this.gapSlot = undefined;
      return committed ? "committed" : stuck ? "stuck" : "failed";
    }
    this.gapSlot = undefined;
    return "done";
  }

  private one(operation: Operation): ReturnType<DockerModel["perform"]> {
    if (this.done++ >= this.diesAfter) throw new Died();
    this.log.push(formatOperation(operation));
    if (operation.kind === "stop" && operation.interrupts) this.gapSlot = slotIn(operation.container.name);
    const answer = this.docker.perform(operation);
    if (operation.kind === "gate" && operation.serves && answer.kind === "done") this.gapSlot = undefined;
    this.watch(operation, this.gapSlot);
    return answer;
  }
}

/** The slot that a name of the service speaks of. */
export function slotIn(name: string): number | undefined {
  return parseContainerName(name, "web")?.slot;
}

/** What observe.ts would read. */
export function lookAt(docker: DockerModel): HostFound {
  return foundHost([], {
    service: { service: "web", slots: slotsFrom(docker.containers.map(foundIn), "web") },
    keptTags: [...docker.tags],
  });
}

function foundIn(container: ModelContainer): Found {
  const { id, name, state, restart, imageId, labels, foreign, startedAt } = container;
  return foundContainer({
    id,
    name,
    state,
    imageId,
    labels,
    restartPolicy: restart,
    limits: { ...LIMITS, restart },
    startedAt: new Date(startedAt * 1_000).toISOString(),
    foreign: foreign ? "somebody" : undefined,
  });
}
