import { isSlipwayError } from "../../provider/errors";
import type { Desired } from "../../provider/rolling-container/desired";
import type { HostFound } from "../../provider/rolling-container/found";
import type { Recovery } from "../../provider/rolling-container/leftovers";
import {
  formatOperation,
  type Operation,
  type Step,
  stepsAtOnce,
} from "../../provider/rolling-container/operation";
import { type HostPlan, planHost, provedSlots } from "../../provider/rolling-container/plan";
import { planBack } from "../../provider/rolling-container/plan-back";
import { planSurplus } from "../../provider/rolling-container/plan-surplus";
import { planFinish } from "../../provider/rolling-container/plan-finish";
import { recover, RECOVERY_PASSES } from "../../provider/rolling-container/recover";
import { parseContainerName } from "../../provider/rolling-container/slot-name";
import type { DockerModel, ModelAnswer } from "./docker-model";
import { isRouteOperation } from "../../provider/rolling-container/route-operation";
import type { SwitchOperation } from "../../provider/rolling-container/switch-operation";
import { FORMER } from "./former-name";
import { SwitchModel } from "./switch-model";
import { lookAt } from "./look-at";

/** The pure functions that decide; a test puts a broken one in. */
export interface Planner {
  readonly recover: (
    found: HostFound,
    desired: Desired & { readonly wasFollowed?: boolean },
  ) => readonly Recovery[];
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

/** What becomes of the program on the host when its client dies: it is still at it, it died too, or it is done already. */
export type Outlives = "working" | "dead" | "done";

/** Called after each operation. `gapSlot`: the slot in which nobody has to serve just now. */
export type Watch = (operation: Operation, gapSlot: number | undefined) => void;

/** What befalls a run. */
export interface RunOptions {
  readonly planner?: Planner;
  /** After so many operations the client dies. @default never */
  readonly diesAfter?: number;
  readonly watch?: Watch;
  readonly outlives?: Outlives;
  /** It dies in the middle of a change of the route, where it does: the file is changed already. @default false */
  readonly halfway?: boolean;
  /** With this operation, if it is a change of the route, the proxy says nothing. @default none */
  readonly silentAt?: number;
}

/** What the service is called, and was where it has a former name. */
const SERVICES = ["web", FORMER] as const;

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
  private readonly outlives: Outlives;
  private readonly halfway: boolean;
  private readonly silentAt: number;
  private gapSlot: number | undefined;
  private done = 0;
  private readonly ids = new Map<string, string>();

  constructor(docker: DockerModel, desired: Desired, options: RunOptions = {}) {
    this.docker = docker;
    this.desired = desired;
    this.planner = options.planner ?? PLANNER;
    this.diesAfter = options.diesAfter ?? Number.POSITIVE_INFINITY;
    this.watch = options.watch ?? (() => undefined);
    this.outlives = options.outlives ?? "working";
    this.halfway = options.halfway ?? false;
    this.silentAt = options.silentAt ?? Number.NaN;
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
    let wasFollowed = false;
    for (let pass = 0; pass < RECOVERY_PASSES; pass++) {
      const rows = planner.recover(this.look(), { ...desired, wasFollowed });
      if (rows.length === 0) break;
      wasFollowed ||= rows.some(({ steps }) =>
        steps.some(({ operation }) => operation.kind === "follow-switch" && operation.recover),
      );
      for (const { steps } of rows) if (this.execute(steps) === "stuck") return "failed";
    }
    const before = this.look();
    const plan = planner.plan(before, desired);
    const work = plan.slots.filter(({ steps }) => steps.length > 0);
    for (const [index, { steps }] of work.entries()) {
      const end = this.execute(index === 0 ? [...plan.preparation, ...steps] : steps);
      if (end === "done") continue;
      if (end !== "committed" && end !== "left") this.execute(planBack(before, this.look(), desired));
      return "failed";
    }
    if (this.execute(planSurplus(before, plan, desired)) !== "done") return "failed";
    return this.execute(planner.finish(this.look(), desired, provedSlots(plan))) === "done"
      ? "done"
      : "failed";
  }

  /** How many cuts there are. */
  get operations(): number {
    return this.done;
  }

  look(): HostFound {
    return lookAt(this.docker);
  }

  /** As executeSteps: what may run at once runs in whatever order. */
  private execute(steps: readonly Step[]): "done" | "failed" | "stuck" | "committed" | "left" {
    let undo: readonly { readonly operation: Operation; readonly step: Step }[] = [];
    this.ids.clear();
    let committed = false;
    let queue = steps;
    while (queue.length > 0) {
      const { group, rest } = stepsAtOnce(queue);
      queue = rest;
      if (group.some(({ commit }) => commit === true)) {
        undo = [];
        committed = true;
      }
      for (const step of group) {
        undo = [...(step.undo ?? []).map((operation) => ({ operation, step })), ...undo];
      }
      const answers = this.inAnyOrder(group).map((step) => ({ step, answer: this.one(step.operation) }));
      let failure: string | undefined;
      for (const { step, answer } of answers) {
        if (answer.kind === "done") continue;
        if (answer.kind === "left") {
          this.gapSlot = undefined;
          return "left";
        }
        const instead = answer.why === "plain-instead" ? step.otherwise : undefined;
        const taken = step.operation.kind === "create" && answer.why.startsWith("409");
        if (instead !== undefined || answer.why === "kept" || taken) {
          undo = undo.filter((each) => each.step !== step);
        }
        if (instead === undefined) failure ??= answer.why;
        else queue = [...instead, ...queue];
      }
      if (failure === undefined) continue;
      this.log.push(`  failed: ${failure}`);
      const stuck = undo.map(({ operation }) => this.one(operation)).some(({ kind }) => kind === "refused");
      this.gapSlot = undefined;
      return committed ? "committed" : stuck ? "stuck" : "failed";
    }
    this.gapSlot = undefined;
    return "done";
  }

  /** Another order with each cut, and the same whenever the same case is run again. */
  private inAnyOrder(group: readonly Step[]): readonly Step[] {
    const start = (this.done + (Number.isFinite(this.diesAfter) ? this.diesAfter : 0)) % group.length;
    const turned = [...group.slice(start), ...group.slice(0, start)];
    return Math.floor(this.done / group.length) % 2 === 0 ? turned : turned.reverse();
  }

  private one(operation: Operation): ModelAnswer | { readonly kind: "left" } {
    if (operation.kind === "switch" || operation.kind === "follow-switch") return this.exchange(operation);
    this.clearCopy();
    const silent = this.done === this.silentAt;
    if (this.done++ >= this.diesAfter) {
      if (this.halfway && isRouteOperation(operation)) this.docker.perform(this.byId(operation), true);
      for (const each of this.docker.exchanges.values()) if (each.isClearing) this.leave(each);
      throw new Died();
    }
    this.log.push(formatOperation(operation));
    if (operation.kind === "stop" && operation.interrupts) this.gapSlot = slotIn(operation.container.name);
    const answer = this.docker.perform(this.byId(operation), silent);
    if (answer.kind === "done") this.learn(operation);
    if (operation.kind === "gate" && operation.serves && answer.kind === "done") this.gapSlot = undefined;
    this.watch(operation, this.gapSlot);
    return answer;
  }

  /** The host does so by itself, sooner or later. */
  private clearCopy(): void {
    for (const each of this.docker.exchanges.values())
      if (each.isClearing && each.alive && this.done % 4 === 0) each.act();
  }

  /** As StepRun: what it created, and what it gave another name, it knows by the id. */
  private byId(operation: Operation): Operation {
    if (!("container" in operation) || operation.kind === "create") return operation;
    const id = operation.container.id ?? this.ids.get(operation.container.name);
    return id === undefined ? operation : { ...operation, container: { ...operation.container, id } };
  }

  private learn(operation: Operation): void {
    if (operation.kind !== "create" && operation.kind !== "rename") return;
    const name = operation.kind === "create" ? operation.container.name : operation.to;
    const id = this.docker.named(name)?.id;
    if (id !== undefined) this.ids.set(name, id);
  }

  /** The program, act by act: it goes on, or not, when the client dies. */
  private exchange(
    operation: SwitchOperation | Extract<Operation, { readonly kind: "follow-switch" }>,
  ): ModelAnswer | { readonly kind: "left" } {
    const { docker } = this;
    this.log.push(formatOperation(operation));
    const name = operation.service;
    const earlier = docker.exchanges.get(name);
    const isBusy = earlier?.alive === true && earlier.isClearing;
    if (operation.kind === "switch" && isBusy) return { kind: "refused", why: "an earlier one is at work" };
    if (operation.kind === "switch") {
      const begun = new SwitchModel(docker, this.orderOf(operation));
      docker.exchanges = new Map([...docker.exchanges, [name, begun]]);
    } else if (operation.recover) earlier?.recover();
    const exchange = docker.exchanges.get(name);
    if (exchange === undefined) return { kind: "done" };
    const slot = slotIn(operation.service);
    for (;;) {
      if (this.done++ >= this.diesAfter) {
        this.leave(exchange);
        throw new Died();
      }
      // where nobody serves already, or there is no copy, somebody does at its end
      if (!exchange.serves && (operation.kind !== "switch" || !exchange.isBridged)) this.gapSlot = slot;
      const end = exchange.act();
      this.log.push(`  ${exchange.phase}`);
      if (end !== undefined || exchange.phase === "nextgated") this.gapSlot = undefined;
      if (end === "stuck") this.gapSlot = slot;
      this.watch(operation, this.gapSlot);
      if (end === undefined || (operation.kind === "follow-switch" && exchange.isClearing)) continue;
      this.gapSlot = undefined;
      if (operation.kind === "follow-switch" || end === "switched") return { kind: "done" };
      return end === "stuck" ? { kind: "left" } : { kind: "refused", why: end };
    }
  }

  private leave(exchange: SwitchModel): void {
    if (this.outlives === "dead") exchange.alive = false;
    while (this.outlives === "done" && exchange.act() === undefined);
  }

  private orderOf({ old, next, way }: SwitchOperation) {
    const idOf = (ref: SwitchOperation["container"]): string => this.docker.byRef(ref)?.id ?? "";
    return {
      bridged: way.kind === "bridged",
      old: idOf(old.container),
      next: idOf(next.container),
      copy: way.kind === "bridged" ? idOf(way.copy) : "",
      oldRestart: old.restart,
    };
  }
}

/** The slot that a name of the service speaks of. */
export function slotIn(name: string): number | undefined {
  return SERVICES.map((service) => parseContainerName(name, service)?.slot).find(
    (slot) => slot !== undefined,
  );
}
