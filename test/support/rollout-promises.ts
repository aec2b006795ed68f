import { keptImage } from "../../provider/container/names";
import { isUpToDate } from "../../provider/rolling-container/desired";
import { containersOf } from "../../provider/rolling-container/found";
import { needsReload } from "../../provider/proxy/route-file";
import type { ContainerRef } from "../../provider/rolling-container/container-ref";
import { slotOf } from "../../provider/rolling-container/found";
import { wishedWay } from "../../provider/rolling-container/switch-way";
import { type DockerModel, isUp, type ModelContainer, serves } from "./docker-model";
import type { RolloutCase } from "./rollout-cases";
import { comesBack, servesProved } from "./comes-back";
import { lookAt } from "./look-at";
import { routeEntry } from "./route-model";
import { standing } from "./standing";
import { ModelRun, type Planner, PLANNER, type RunEnd, type RunOptions, slotIn } from "./rollout-model";

/** A promise that a planner broke, with the operations that led there. */
class Broken extends Error {}

/** What a run must hold to, watched from its begin. */
class Promises {
  private readonly docker: DockerModel;
  private readonly serving: readonly number[];
  /** Slots that only a copy behind its rules serves: until the host restarts. */
  private readonly bridged: readonly number[];
  private readonly proved: readonly number[];
  /** Images that have proved themselves: another container of one is as good. */
  private readonly versions: ReadonlySet<string>;
  private readonly crowded: readonly number[];
  private readonly most: number;
  private readonly exclusive: boolean;
  private readonly slots: readonly number[];
  /** Slots in which somebody behind the route serves. */
  private readonly routed: readonly number[];
  /** Those of them that the route's file knows: a restart of the host leaves them as they are. */
  private readonly kept: readonly number[];
  private readonly isProxied: boolean;
  /** Before the operation. */
  private running: ReadonlySet<string>;
  /** The route leads to another port. */
  private readonly moves: boolean;
  /** Who was behind the route at the begin, whoever let him in. */
  private readonly behind: ReadonlySet<string>;

  constructor(docker: DockerModel, { desired }: RolloutCase) {
    this.docker = docker;
    this.slots = Array.from({ length: desired.replicas }, (_, index) => index + 1);
    this.serving = this.slots.filter((slot) => this.in(slot).some(servesProved));
    const others = this.in(1).filter((each) => isUp(each) && !each.name.endsWith(".try"));
    const byCopy = docker.servesByCopy && others.length === 0;
    this.bridged = byCopy ? [1] : [];
    this.proved = this.slots.filter((slot) => this.in(slot).some(({ proved }) => proved));
    const proved = docker.containers.filter((each) => each.proved);
    this.versions = new Set(proved.map(({ imageId }) => imageId));
    this.crowded = this.slots.filter((slot) => this.in(slot).filter(isUp).length > 1);
    const extra = this.slots.map((slot) => Math.max(0, this.in(slot).filter(isUp).length - 1));
    this.most = desired.replicas + 1 + extra.reduce((sum, each) => sum + each, 0);
    const way = wishedWay(desired);
    this.routed =
      way.kind === "proxied"
        ? this.slots.filter((slot) => this.in(slot).some((each) => this.answers(each)))
        : [];
    this.kept = this.routed.filter((slot) =>
      this.in(slot).some((each) => this.answers(each) && docker.lists(each)),
    );
    this.moves = [...docker.routes.values()].some(
      ({ port }) => port !== undefined && port !== desired.route?.port,
    );
    this.behind = new Set(
      docker.containers.filter((each) => docker.leadsTo(each) || docker.lists(each)).map(({ id }) => id),
    );
    this.running = runningIn(docker);
    this.isProxied = way.kind === "proxied";
    this.exclusive = way.kind === "plain" && !way.rehearse;
  }

  /** What holds after every single operation. */
  after(operation: { readonly kind: string; readonly container?: ContainerRef }, gapSlot?: number): void {
    const ours = ["switch", "follow-switch"].includes(operation.kind);
    for (const program of this.docker.exchanges.values()) {
      const phase = program.alive ? program.phase : "ended";
      if (program.cutOff) throw new Broken("what a copy still answered was cut off");
      if (phase === "clearing" && program.isCopy(operation.container?.id))
        throw new Broken(`${operation.kind} of a copy that still answers`);
      if (!ours && !["ended", "stuck", "clearing"].includes(phase))
        throw new Broken(`${operation.kind} beside a program at work`);
    }
    for (const slot of [...this.serving, ...this.bridged]) {
      if (slot !== gapSlot && !this.isServed(slot)) throw new Broken(`nobody serves slot ${slot}`);
    }
    for (const slot of this.proved) {
      if (!this.in(slot).some((each) => each.good && (each.proved || this.versions.has(each.imageId))))
        throw new Broken(`the last good one of slot ${slot} is gone`);
    }
    this.route();
    if (operation.kind === "stop") this.leftRoute(operation.container);
    this.running = runningIn(this.docker);
    if (operation.kind !== "start") return;
    if (this.up() > this.most) throw new Broken(`${this.up()} run, more than ${this.most}`);
    const slot = slotIn(operation.container?.name ?? "") ?? 0;
    if (this.exclusive && !this.crowded.includes(slot) && this.in(slot).filter(isUp).length > 1)
      throw new Broken(`two run in slot ${slot} at once`);
  }

  /** Who served at the begin, or who took over from it, serves at the end. */
  atEnd(sameBoot = true): void {
    for (const slot of [...this.serving, ...(sameBoot ? this.bridged : [])]) {
      if (!this.isServed(slot)) throw new Broken(`nobody serves slot ${slot} at the end`);
    }
    this.route(sameBoot ? this.routed : this.kept);
  }

  /** Whoever is behind the route passed a gate, and each of its slots has somebody there who serves. */
  private route(routed = this.routed): void {
    const isServed = (slot: number): boolean => this.in(slot).some((each) => this.answers(each));
    const unserved = routed.filter((slot) => !isServed(slot));
    // nobody of another port can be behind the same route: there the first takes over alone
    const suffices = this.moves ? this.slots.some(isServed) : unserved.length === 0;
    if (!suffices && unserved.length > 0)
      throw new Broken(`nobody serves slot ${unserved.join()} behind the route`);
    const unproved = this.docker.containers.find(
      (each) => this.docker.leadsTo(each) && !this.behind.has(each.id) && !each.gated && !each.proved,
    );
    if (unproved !== undefined) throw new Broken(`${unproved.name} is behind the route without a gate`);
  }

  /** One that serves gets no requests any more when it is stopped, where nobody has to make way first. */
  private leftRoute(ref: ContainerRef | undefined): void {
    const stopped = ref === undefined ? undefined : this.docker.byRef(ref);
    if (!this.isProxied || stopped === undefined || !stopped.good || !this.running.has(stopped.id)) return;
    if (this.docker.leadsTo(stopped)) throw new Broken(`${stopped.name} was stopped behind the route`);
  }

  private answers(container: ModelContainer): boolean {
    return serves(container) && this.docker.leadsTo(container);
  }

  private isServed(slot: number): boolean {
    return this.in(slot).some(serves) || (slot === 1 && this.docker.servesByCopy);
  }

  private in(slot: number): readonly ModelContainer[] {
    return this.docker.containers.filter(({ name, foreign }) => !foreign && slotIn(name) === slot);
  }

  private up(): number {
    return this.slots.flatMap((slot) => this.in(slot)).filter(isUp).length;
  }
}

function runningIn({ containers }: DockerModel): ReadonlySet<string> {
  return new Set(containers.filter(({ state, proved }) => state === "running" && proved).map(({ id }) => id));
}

/** The promise that the planner breaks in this case, in words with the operations; undefined when it holds to all. */
export function brokenPromise(given: RolloutCase, planner: Planner = PLANNER): string | undefined {
  const logs: string[] = [];
  try {
    const whole = given.docker.copy();
    const run = watched(whole, given, planner, logs);
    settle(whole, given, planner, run.end, logs);
    cut(given, planner, given.cutAt % (run.operations + 1), logs);
    return undefined;
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    return [error.message, ...logs].join("\n");
  }
}

/** The client dies after `operations`, or the proxy says nothing there, the host may restart, and somebody runs it again. */
function cut(given: RolloutCase, planner: Planner, operations: number, logs: string[]): void {
  logs.length = 0;
  const docker = given.docker.copy();
  const start = new Promises(docker, given);
  const { cutIs } = given;
  const at = cutIs === "silent" ? { silentAt: operations } : { diesAfter: operations };
  watched(docker, given, planner, logs, { ...at, halfway: cutIs === "halfway" });
  const returns = given.reboot === undefined || comesBack(given);
  if (given.reboot !== undefined) {
    docker.reboot(given.reboot);
    logs.push(`-- the host restarts: ${standing(docker)}`);
    if (returns) start.atEnd(false);
  }
  const { end } = watched(docker, given, planner, logs);
  if (end !== "refused" && returns) start.atEnd(given.reboot === undefined);
  settle(docker, given, planner, end, logs);
}

function watched(
  docker: DockerModel,
  given: RolloutCase,
  planner: Planner,
  logs: string[],
  cutOff: Pick<RunOptions, "diesAfter" | "silentAt" | "halfway"> = {},
): { readonly end: RunEnd; readonly operations: number } {
  logs.push(`-- ${standing(docker)}`);
  const promises = new Promises(docker, given);
  const foreign = foreignIn(docker);
  const run = new ModelRun(docker, given.desired, {
    planner,
    ...cutOff,
    outlives: given.outlives,
    watch: (operation, gapSlot) => promises.after(operation, gapSlot),
  });
  try {
    const end = run.run();
    if (end !== "died") promises.atEnd();
    if (foreignIn(docker) !== foreign) throw new Broken("something foreign was touched");
    return { end, operations: run.operations };
  } finally {
    logs.push(...run.log);
  }
}

/** A run that was done leaves just what is wanted, and the next has nothing to do. */
function settle(
  docker: DockerModel,
  given: RolloutCase,
  planner: Planner,
  end: RunEnd,
  logs: string[],
): void {
  const { desired } = given;
  logs.push(`-- ${end}: ${standing(docker)}`);
  if (end === "refused") {
    if (!docker.containers.some(({ foreign }) => foreign))
      throw new Broken("refused, and nothing foreign is there");
    return;
  }
  if (end === "failed") {
    // whether one that crashes comes to rest is not the planner's to know
    if (isGood(given) && !given.docker.containers.some(({ state }) => state === "restarting"))
      throw new Broken("failed with a version that is good");
    return;
  }
  for (const [name, exchange] of docker.exchanges) {
    // the host goes on by itself
    if (exchange.isClearing && exchange.alive) exchange.act();
    if (exchange.rules || exchange.phase !== "ended" || (exchange.hasFiles && name !== "web"))
      throw new Broken(`a switch was left: ${exchange.phase}${exchange.rules ? ", with its rules" : ""}`);
  }
  formerIsGone(docker);
  for (const slot of lookAt(docker).service.slots) {
    const { live } = slot;
    if (live !== undefined && live.foreign === undefined && slot.slot <= desired.replicas) {
      if (!isUpToDate(live, desired)) throw new Broken(`${live.name} is not what is wanted`);
      if (live.limits.restart !== desired.limits.restart)
        throw new Broken(`${live.name} has another restart policy`);
      if (!["running", "restarting"].includes(live.state)) throw new Broken(`${live.name} is ${live.state}`);
    }
    for (const { name, state, foreign, limits } of containersOf({ ...slot, live: undefined })) {
      if (foreign !== undefined) continue;
      if (/[.](next|try)$/.test(name)) throw new Broken(`${name} was left`);
      if (isUp({ state } as ModelContainer)) throw new Broken(`${name} still runs`);
      if (limits.restart !== "no") throw new Broken(`${name} has the restart policy ${limits.restart}`);
    }
    if (slot.kept.length > desired.keepPrevious) throw new Broken("more are kept than wanted");
    if (slot.slot > desired.replicas && containersOf(slot).some(({ foreign }) => foreign === undefined))
      throw new Broken(`slot ${slot.slot} was left`);
  }
  const route = docker.routes.get("web");
  if (desired.route !== undefined && route !== undefined) {
    const now = lookAt(docker).service;
    const live = Array.from(
      { length: desired.replicas },
      (_, index) => slotOf(now, index + 1).live?.id ?? "",
    );
    const wanted = { ...routeEntry(live), places: route.entry?.places ?? 0 };
    if (needsReload(route.entry, wanted)) throw new Broken("the route is not what is wanted");
    const behind = docker.containers.filter((each) => route.leadsTo(each)).map(({ id }) => id);
    if (behind.sort().join() !== live.sort().join() || route.entry?.servers.length !== live.length)
      throw new Broken(`behind the route are ${behind.join()}, and not ${live.join()}`);
    if (route.runs?.size !== live.length) throw new Broken("somebody is left in the proxy");
  }
  const again = new ModelRun(docker.copy(), desired, { planner });
  if (again.run() !== "done" || again.log.length > 0)
    throw new Broken(`the next run has something to do: ${again.log.join(", ")}`);
}

/** Nothing of ours stays under the name that the service had. */
function formerIsGone(docker: DockerModel): void {
  const { former } = lookAt(docker);
  if (former === undefined) return;
  const left = former.slots.flatMap(containersOf).find(({ foreign }) => foreign === undefined);
  if (left !== undefined) throw new Broken(`${left.name} was left under the former name`);
  const tag = [...docker.tags].find((each) => each.startsWith(keptImage(former.service, "")));
  if (tag !== undefined) throw new Broken(`the tag ${tag} was left`);
  const route = docker.routes.get(former.service);
  if (route?.entry !== undefined || route?.runs !== undefined)
    throw new Broken("the route of the former name was left");
}

function isGood({ docker, desired }: RolloutCase): boolean {
  const probe = docker.copy();
  probe.perform({ kind: "create", container: { name: "probe" }, options: { Image: desired.imageId } });
  return probe.named("probe")?.good ?? false;
}

function foreignIn(docker: DockerModel): string {
  return JSON.stringify(docker.containers.filter(({ foreign }) => foreign));
}
