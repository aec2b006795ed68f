import type { ObservedSwitch } from "../../provider/switch/observed-switch";
import type { SwitchEnd } from "../../provider/switch/switch-event";
import type { DockerModel, ModelContainer } from "./docker-model";
import { observedSwitch } from "./observed-switch";

/** Whom the program exchanges, by id. */
export interface ModelOrder {
  readonly bridged: boolean;
  readonly old: string;
  readonly next: string;
  readonly copy: string;
  readonly oldRestart: string;
}

/** On the way back the candidate has been told to stop. */
const IS_BACK: ReadonlySet<string> = new Set([
  "back",
  "nextstopped",
  "oldstarted",
  "oldgated",
  "unruledback",
]);

/** The program on the host, one act after another, as switch/program/steps.ts goes about it; and its rules. */
export class SwitchModel {
  private readonly docker: DockerModel;
  private readonly order: ModelOrder;
  /** `ended` when there is nothing left to do. */
  phase: string;
  /** A program that died leaves its phase. */
  alive = true;
  rules: boolean;
  /** Its copy was taken away while it still answered. */
  cutOff = false;
  /** One that ended leaves them until it is ended for good. */
  hasFiles = true;

  constructor(
    docker: DockerModel,
    order: ModelOrder,
    state: { readonly phase?: string; readonly rules?: boolean } = {},
  ) {
    this.docker = docker;
    this.order = order;
    this.phase = state.phase ?? "begun";
    this.rules = state.rules ?? false;
  }

  /** The same, of a host that is a copy. */
  on(docker: DockerModel): SwitchModel {
    const same = new SwitchModel(docker, this.order, this);
    same.alive = this.alive;
    same.hasFiles = this.hasFiles;
    return same;
  }

  /** True while its copy answers whoever asks the service. */
  get serves(): boolean {
    const copy = this.at(this.order.copy);
    return this.rules && copy?.state === "running" && copy.good;
  }

  get isBridged(): boolean {
    return this.order.bridged;
  }

  observed(): Partial<ObservedSwitch> {
    const isOver = this.phase === "ended";
    return {
      program: this.alive && !isOver ? { pid: 1, phase: this.phase } : undefined,
      unfinished: this.alive || isOver ? undefined : this.phase,
      files: this.hasFiles,
      rules: this.rules ? 4 : 0,
      copyAlive: this.rules ? this.at(this.order.copy)?.state === "running" : undefined,
    };
  }

  /** The new one serves already, and the copy answers what it took. */
  get isClearing(): boolean {
    return this.phase === "clearing";
  }

  isCopy(id: string | undefined): boolean {
    return id === this.order.copy;
  }

  /** Starts one that died, or is stuck, once more: it looks at what stands. */
  recover(): void {
    if (this.phase !== "ended" && !this.isClearing) this.phase = IS_BACK.has(this.phase) ? "back" : "recover";
    this.alive = true;
  }

  clearRules(): void {
    this.rules = false;
  }

  end(): void {
    this.cutOff ||= this.alive && this.isClearing;
    this.rules = false;
    this.phase = "ended";
    this.hasFiles = false;
  }

  /** One act; how it ended when it did. */
  act(): SwitchEnd | undefined {
    const { order, docker } = this;
    const container = (id: string) => ({ container: { name: id, id } }) as const;
    const go = (phase: string): undefined => void (this.phase = phase);
    const restart = (policy: string): unknown =>
      docker.perform({ kind: "restart-policy", ...container(order.old), restart: policy });
    if (this.rules && !this.isRunning(order.copy)) this.rules = false;
    switch (this.phase) {
      case "begun":
        if (!this.isRunning(order.old) || (order.bridged && !this.isRunning(order.copy)))
          return this.over("plain-instead");
        this.rules = order.bridged;
        return go("ruled");
      case "ruled":
        restart("always");
        return go("always");
      case "always":
        docker.perform({ kind: "stop", ...container(order.old), interrupts: true });
        return go("oldstopped");
      case "oldstopped":
        return go(
          docker.perform({ kind: "start", ...container(order.next) }).kind === "done"
            ? "nextstarted"
            : "back",
        );
      case "nextstarted":
        return go(this.passes(order.next) ? "nextgated" : "back");
      case "nextgated":
        this.rules = false;
        return go("unruled");
      case "unruled":
        if (!order.bridged) return this.over("switched");
        this.phase = "clearing";
        return "switched";
      case "clearing":
        docker.perform({ kind: "remove", ...container(order.copy) });
        return this.over("switched");
      case "back":
        docker.perform({ kind: "stop", ...container(order.next), interrupts: false });
        return go("nextstopped");
      case "nextstopped":
        if (docker.perform({ kind: "start", ...container(order.old) }).kind === "done")
          return go("oldstarted");
        go("stuck");
        return "stuck";
      case "oldstarted":
        if (this.passes(order.old)) return go("oldgated");
        go("stuck");
        return "stuck";
      case "oldgated":
        this.rules = false;
        return go("unruledback");
      case "unruledback":
        docker.perform({ kind: "remove", ...container(order.copy) });
        restart(order.oldRestart);
        return this.over("kept");
      case "recover":
        return this.lookAgain();
      case "stuck":
        return "stuck";
      default:
        return "kept";
    }
  }

  private lookAgain(): undefined {
    const { old, next } = this.order;
    if (this.isRunning(next)) {
      const isGood = this.passes(next);
      if (isGood) this.docker.perform({ kind: "stop", container: { name: old, id: old }, interrupts: false });
      this.phase = isGood ? "nextgated" : "back";
    } else this.phase = this.isRunning(old) && this.passes(old) ? "oldgated" : "back";
  }

  private passes(id: string): boolean {
    return (
      this.docker.perform({
        ...{ kind: "gate", check: "none", minHealthyMs: 0, deadlineMs: 0, serves: true },
        container: { name: id, id },
      }).kind === "done"
    );
  }

  private over(end: SwitchEnd): SwitchEnd {
    this.phase = "ended";
    return end;
  }

  private at(id: string): ModelContainer | undefined {
    return this.docker.containers.find((each) => each.id === id);
  }

  private isRunning(id: string): boolean {
    return this.at(id)?.state === "running";
  }
}

/** What a host's look says; `can`: what the host allows. */
export function observedIn(model: SwitchModel | undefined, can: Partial<ObservedSwitch>): ObservedSwitch {
  return observedSwitch({ ...can, ...model?.observed() });
}
