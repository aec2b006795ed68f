import { LABEL } from "../../provider/container/labels";
import type { ContainerState } from "../../provider/container/observed";
import type { ContainerRef } from "../../provider/rolling-container/container-ref";
import type { Operation } from "../../provider/rolling-container/operation";
import type { ObservedSwitch } from "../../provider/switch/observed-switch";
import { isRouteOperation } from "../../provider/rolling-container/route-operation";
import { performRoute, type RouteModel } from "./route-model";
import type { SwitchModel } from "./switch-model";

/** A container as the model knows it; what Docker keeps, and whether its version is any good. */
export interface ModelContainer {
  readonly id: string;
  name: string;
  state: ContainerState;
  restart: string;
  readonly imageId: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The host port that it takes while it runs. */
  readonly hostPort: number | undefined;
  /** Passes a gate while it runs. */
  readonly good: boolean;
  readonly foreign: boolean;
  /** It served under the service's name once: what must never be lost. */
  proved: boolean;
  /** It passed a gate. */
  gated: boolean;
  stoppedByHand: boolean;
  startedAt: number;
  networks: readonly string[];
}

/** What the engine answered: nothing, or why not. */
export type ModelAnswer = { readonly kind: "done" } | { readonly kind: "refused"; readonly why: string };

const DONE: ModelAnswer = { kind: "done" };
const HOLDS_PORT: ReadonlySet<ContainerState> = new Set(["running", "restarting", "paused"]);

/** Which versions are any good, by the image. */
export type Goodness = (imageId: string) => boolean;

/** A host's engine, reduced to what a rollout can see and do: names and the host port are exclusive, states change as Docker's do. */
export class DockerModel {
  readonly containers: ModelContainer[];
  readonly tags: Set<string>;
  /** The programs that exchange the first slot's containers, and what they left, by the live name. */
  exchanges: ReadonlyMap<string, SwitchModel> = new Map();
  /** What the host allows of a switch; undefined where nobody asks it. */
  can: Partial<ObservedSwitch> | undefined;
  /** The routes by the service, where one is wanted. */
  routes: ReadonlyMap<string, RouteModel> = new Map();
  /** The name that the service had before. */
  former: string | undefined;
  private readonly goodness: Goodness;
  private counter = 0;

  constructor(containers: readonly ModelContainer[], goodness: Goodness, tags: Iterable<string> = []) {
    this.containers = containers.map((each) => ({ ...each }));
    this.goodness = goodness;
    this.tags = new Set(tags);
  }

  copy(): DockerModel {
    const copy = new DockerModel(this.containers, this.goodness, this.tags);
    copy.counter = this.counter;
    copy.exchanges = new Map([...this.exchanges].map(([name, each]) => [name, each.on(copy)]));
    copy.can = this.can;
    copy.routes = new Map([...this.routes].map(([name, each]) => [name, each.copy()]));
    copy.former = this.former;
    return copy;
  }

  /** Docker's answer to one operation; `silent`: the proxy gives none. */
  perform(operation: Operation, silent = false): ModelAnswer {
    if (isRouteOperation(operation)) return performRoute(operation, this, silent);
    switch (operation.kind) {
      case "create": {
        const { name } = operation.container;
        if (this.named(name) !== undefined) return refused(`409 the name ${name} is taken`);
        const { Image = "", Labels = {}, HostConfig } = operation.options;
        this.containers.push({
          id: `new-${this.counter++}`,
          name,
          state: "created",
          restart: HostConfig?.RestartPolicy?.Name ?? "no",
          imageId: Image,
          labels: Labels,
          // a copy is published, too, where nobody else is
          hostPort: JSON.stringify(HostConfig?.PortBindings ?? {}).includes('"HostPort":"80"')
            ? 80
            : undefined,
          good: this.goodness(Image),
          foreign: false,
          proved: false,
          gated: false,
          stoppedByHand: false,
          startedAt: 0,
          networks: [HostConfig?.NetworkMode ?? "default"],
        });
        return DONE;
      }
      case "connect":
        return this.on(operation.container, (container) => {
          const { networks } = container;
          if (networks.includes(operation.network)) return refused("403 it is in that network");
          container.networks = [...networks, operation.network];
          return DONE;
        });
      case "disconnect":
        return this.on(operation.container, (container) => {
          container.networks = container.networks.filter((each) => each !== operation.network);
          return DONE;
        });
      case "start":
        return this.on(operation.container, (container) => this.start(container));
      case "unpause":
        return this.on(operation.container, (container) => {
          if (container.state !== "paused") return refused("409 it is not paused");
          container.state = "running";
          return DONE;
        });
      case "stop":
        return this.onThere(operation.container, (container) => {
          if (HOLDS_PORT.has(container.state)) container.state = "exited";
          container.stoppedByHand = true;
          return DONE;
        });
      case "rename":
        return this.on(operation.container, (container) => {
          if (this.named(operation.to) !== undefined) return refused(`409 the name ${operation.to} is taken`);
          container.name = operation.to;
          container.proved ||= container.gated && isLiveName(operation.to);
          return DONE;
        });
      case "restart-policy":
        return this.on(operation.container, (container) => setPolicy(container, operation.restart));
      case "limits":
        return this.on(operation.container, (container) => setPolicy(container, operation.limits.restart));
      case "remove":
        return this.onThere(operation.container, (container) => {
          this.containers.splice(this.containers.indexOf(container), 1);
          return DONE;
        });
      case "gate":
        return this.on(operation.container, (container) => {
          if (container.state !== "running" || !container.good) return refused("it did not pass");
          if (container.networks.length === 0) return refused("it has no address of its own");
          container.gated ||= operation.serves;
          container.proved ||= container.gated && isLiveName(container.name);
          return DONE;
        });
      case "tag":
        this.tags.add(operation.tag);
        return DONE;
      case "untag":
        this.tags.delete(operation.tag);
        return DONE;
      case "clear-rules":
        this.exchanges.get(operation.service)?.clearRules();
        return DONE;
      case "end-switch":
        this.exchanges.get(operation.service)?.end();
        return DONE;
      default:
        return DONE;
    }
  }

  /** The host restarts: programs, their files and rules are gone; what its policy brings back comes back, `order` says who is first at the port. */
  reboot(order: readonly number[]): void {
    this.exchanges = new Map();
    this.reload();
    const up = this.containers.filter(({ state }) => HOLDS_PORT.has(state));
    const back = this.containers.filter((each) =>
      each.restart === "always"
        ? each.state !== "created" && each.state !== "dead"
        : each.restart === "unless-stopped"
          ? each.state !== "created" && each.state !== "dead" && !each.stoppedByHand
          : false,
    );
    for (const each of up) each.state = "exited";
    const keys = new Map(back.map((each, index) => [each, order[index % Math.max(1, order.length)] ?? 0]));
    for (const each of [...back].sort((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0))) this.start(each);
  }

  named(name: string): ModelContainer | undefined {
    return this.containers.find((each) => each.name === name);
  }

  byRef({ name, id }: ContainerRef): ModelContainer | undefined {
    return id === undefined ? this.named(name) : this.containers.find((each) => each.id === id);
  }

  /** True while a program's copy answers whoever asks the service. */
  get servesByCopy(): boolean {
    return [...this.exchanges.values()].some((each) => each.serves);
  }

  /** True when new requests go to the container by some route. */
  leadsTo(container: ModelContainer): boolean {
    return [...this.routes.values()].some((each) => each.leadsTo(container));
  }

  /** True when the container gets requests after a restart of the host. */
  lists(container: ModelContainer): boolean {
    return [...this.routes.values()].some((each) => each.lists(container));
  }

  /** The proxy starts anew, and knows what the files say. */
  reload(): void {
    for (const route of this.routes.values()) route.reload();
  }

  private start(container: ModelContainer): ModelAnswer {
    if (container.state === "running" || container.state === "restarting") return DONE;
    if (container.state === "paused") return refused("409 it is paused");
    if (container.state === "dead" || container.state === "removing") return refused("409 it is dead");
    const { hostPort } = container;
    const holder = this.containers.find(
      (each) => each.hostPort === hostPort && each !== container && HOLDS_PORT.has(each.state),
    );
    if (hostPort !== undefined && holder !== undefined) return refused(`500 ${holder.name} has the port`);
    container.state = "running";
    container.stoppedByHand = false;
    container.startedAt = 1 + Math.max(0, ...this.containers.map(({ startedAt }) => startedAt));
    return DONE;
  }

  private on(ref: ContainerRef, act: (container: ModelContainer) => ModelAnswer): ModelAnswer {
    const container = this.byRef(ref);
    return container === undefined ? refused(`404 there is no ${ref.name}`) : act(container);
  }

  /** As `on`, where one that is gone already counts as done. */
  private onThere(ref: ContainerRef, act: (container: ModelContainer) => ModelAnswer): ModelAnswer {
    const container = this.byRef(ref);
    return container === undefined ? DONE : act(container);
  }
}

/** True while a container that passed a gate answers whoever asks the service. */
export function serves(container: ModelContainer): boolean {
  return container.state === "running" && (container.proved || container.gated);
}

function isLiveName(name: string): boolean {
  return !name.includes(".");
}

/** True while a container's processes are there. */
export function isUp({ state }: ModelContainer): boolean {
  return HOLDS_PORT.has(state);
}

/** The revision that a container carries. */
export function modelRevision(container: ModelContainer): string {
  return container.labels[LABEL.revision] ?? "";
}

function setPolicy(container: ModelContainer, restart: string): ModelAnswer {
  if (container.state === "dead" || container.state === "removing") return refused("409 it is dead");
  container.restart = restart;
  return DONE;
}

function refused(why: string): ModelAnswer {
  return { kind: "refused", why };
}
