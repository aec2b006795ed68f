import { engineMessage, engineStatus } from "../container/engine-status";
import { inTime, LOOK_MS } from "../container/in-time";
import type { ObservedContainer } from "../container/observed";
import { formatDuration } from "../duration";
import type { ReadyScript } from "../host/session";
import { isSlipwayError, messageOf } from "../errors";
import { orAborted } from "../or-aborted";
import { stripControl } from "../secret";
import { captureEvidence } from "../container/evidence";
import { waitForExit } from "./exit";
import { waitAtGate } from "./gate";
import type { ExecuteOptions } from "./execute-options";
import type { HostAccess } from "./host-access";
import type { ContainerRef } from "./container-ref";
import { formatOperation, type Operation, type Step } from "./operation";
import { callEngine } from "./operation-call";
import { limitOf } from "./operation-limit";
import { startInTurn } from "./start-turn";
import { RouteCalls } from "./route-call";
import { isRouteOperation } from "./route-operation";
import { StepClock } from "./step-clock";
import type { Execution } from "./step-failure";
import { callHost, isHostOperation, lookForSwitch, readyForSwitch, type SwitchLook } from "./switch-call";
import type { SwitchOperation } from "./switch-operation";
import { SwitchFailure } from "./switch-failure";

/** What failed because of the container itself. */
const SAYS_WHY: ReadonlySet<Operation["kind"]> = new Set([
  "gate",
  "start",
  "await-exit",
  "switch",
  "ready-server",
]);
const FROZEN_MS = 10_000;
/** What is waited for, and not just called. */
const WAITS: ReadonlySet<Operation["kind"]> = new Set([
  "gate",
  "await-exit",
  "switch",
  "follow-switch",
  "write-route",
  "ready-server",
  "await-drained",
]);

/** How a step ended; `otherwise`: it cannot be, did nothing, and has something to do in its place. */
export interface StepEnd {
  readonly step: Step;
  readonly end: "done" | "otherwise" | "failed";
  readonly error?: unknown;
}

/** What an exchange rests on, before its turn has come. */
interface Ahead {
  readonly operation: SwitchOperation;
  readonly look: Promise<SwitchLook>;
  readonly ready: ReadyScript;
}

/** A gate's verdict, as what was thrown. */
class GateFailure extends Error {
  readonly output: string;
  constructor(why: string, output: string) {
    super(why);
    this.output = output;
  }
}

/** One run of steps: the ids of what it created, and the clock of the gap. */
export class StepRun {
  interrupted = false;
  host: HostAccess;
  private readonly options: ExecuteOptions;
  private stopped = false;
  private isGoingBack = false;
  private readonly created = new Map<string, string>();
  private readonly stopTimeouts = new Map<string, { readonly StopTimeout?: number | undefined }>();
  private readonly operations: string[] = [];
  private readonly routes = new RouteCalls();
  private readonly time: StepClock;
  private gated: ObservedContainer | undefined;
  private ahead: Ahead | undefined;
  private gapBeganMs: number | undefined;
  private gapMs = 0;
  private way: "bridged" | "plain" | undefined;

  constructor(host: HostAccess, options: ExecuteOptions) {
    this.host = host;
    this.options = options;
    this.time = new StepClock(host.clock, options.deadlineMs);
  }

  get execution(): Execution {
    const { operations, way } = this;
    const { waitedMs } = this.time;
    return { operations, gapMs: Math.round(this.gapMs), waitedMs, ...(way === undefined ? {} : { way }) };
  }

  unaborted(): this {
    this.stopped = this.host.signal.aborted;
    this.host = { ...this.host, signal: new AbortController().signal };
    return this;
  }

  /** What has to be so before a step. */
  async before(step: Step): Promise<void> {
    await orAborted(this.options.beforeEach?.(step) ?? Promise.resolve(), this.host.signal);
  }

  assertInTime(): void {
    if (this.time.leftMs <= 0) throw new Error("the progressDeadline has passed");
  }

  /** Carries steps out at once, and waits for the end of them all. */
  performAll(group: readonly Step[]): Promise<readonly StepEnd[]> {
    return Promise.all(group.map((step) => this.perform(step)));
  }

  private async perform(step: Step): Promise<StepEnd> {
    const { operation, otherwise } = step;
    const over = new AbortController();
    if (WAITS.has(operation.kind)) void this.options.whileWaiting?.(over.signal);
    try {
      await this.time.during(operation, () => this.one(operation, this.time.leftMs));
      return { step, end: "done" };
    } catch (error) {
      if (!(error instanceof SwitchFailure) || error.end !== "plain-instead" || otherwise === undefined) {
        return { step, end: "failed", error };
      }
      this.host.log.warn(
        `${this.host.session.target}: ${formatOperation(operation)} is not possible: ${error.message}`,
      );
      return { step, end: "otherwise" };
    } finally {
      over.abort();
    }
  }

  /** For what comes after a gate: what can be looked at and started meanwhile has not to be waited for then. */
  lookAhead(gates: readonly Step[], [next]: readonly Step[]): void {
    if (next?.operation.kind !== "switch") return;
    const limits = gates.map(({ operation }) =>
      operation.kind === "gate" ? operation.deadlineMs : Infinity,
    );
    // while anything but gates is waited for nothing is looked at: it may change
    const gateMs = Math.max(...limits);
    if (!Number.isFinite(gateMs)) return;
    const look = lookForSwitch(this.host, next.operation, (container) => this.idOf(container));
    look.catch(() => {}); // it is looked at again then
    this.ahead = {
      operation: next.operation,
      look,
      ready: readyForSwitch(this.host, next.operation, gateMs),
    };
  }

  /** What was made ready and is not needed. */
  end(): void {
    this.ahead?.ready.drop();
  }

  /** What was seen while the copy was at its gate holds for the copy that passed it, and no later start of it. */
  private async lookFor(operation: SwitchOperation): Promise<SwitchLook> {
    const { ahead, gated } = this;
    const seen = ahead?.operation === operation ? await ahead.look.catch(() => undefined) : undefined;
    const isSame = seen?.copy?.id === gated?.id && seen?.copy?.startedAt === gated?.startedAt;
    if (seen !== undefined && isSame && typeof seen.place !== "string") return seen;
    return lookForSwitch(this.host, operation, (container) => this.idOf(container));
  }

  /** Gives why it could not be done; undefined when it was. */
  async takeBack(undo: readonly Operation[]): Promise<string | undefined> {
    let failure: string | undefined;
    let isFrozen = false;
    this.isGoingBack = true;
    for (const operation of undo) {
      // who stops a run waits for seconds only, and sessions are stopped with it: the next run asks again
      if (this.stopped && operation.kind === "gate") continue;
      this.host.log.progress(`taking back: ${formatOperation(operation)}`);
      try {
        await this.one(operation, isFrozen ? FROZEN_MS : Number.POSITIVE_INFINITY);
      } catch (error) {
        // what hung once will hang again: the rest is tried, but not waited for as long
        isFrozen ||= isSlipwayError(error, "engine-unreachable");
        // what can still be taken back is: a candidate that cannot be removed must not keep the live one from starting
        failure ??= `${formatOperation(operation)}: ${describeFailure(this.host, error)}`;
      }
    }
    return failure;
  }

  async evidence(operation: Operation, error: unknown): Promise<string> {
    if (!SAYS_WHY.has(operation.kind) || !("container" in operation)) return "";
    const output = error instanceof GateFailure ? error.output : "";
    try {
      const id = this.idOf(operation.container);
      return await inTime(this.host, "reading evidence", LOOK_MS, (signal) =>
        captureEvidence({ ...this.host, signal }, id, output),
      );
    } catch (failed) {
      this.host.log.debug(`no evidence of ${operation.container.name}: ${messageOf(failed)}`);
      return "";
    }
  }

  private async one(operation: Operation, leftMs: number): Promise<void> {
    const { clock, docker, log, signal } = this.host;
    signal.throwIfAborted();
    const startMs = clock.now();
    if (operation.kind === "stop" && operation.interrupts) {
      this.interrupted = true;
      this.gapBeganMs ??= startMs;
    }
    this.operations.push(formatOperation(operation));
    const host = (signal: AbortSignal): HostAccess => ({ ...this.host, signal });
    const limited = <T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> =>
      inTime(this.host, formatOperation(operation), timeoutMs, work);
    if (operation.kind === "gate") {
      const deadlineMs = Math.min(operation.deadlineMs, leftMs);
      const id = this.idOf(operation.container);
      const result = await limited(limitOf({ ...operation, deadlineMs }), (signal) =>
        waitAtGate(host(signal), operation, id, deadlineMs),
      );
      if (result.kind === "failed") throw new GateFailure(result.why, result.output);
      this.gated = result.container;
      if (operation.serves) this.endGap(result.servedAtMs);
    } else if (isHostOperation(operation)) {
      // under no limit of ours: it has its own, and one that is interrupted is waited for until it has gone back
      const { ahead } = this;
      const ready = ahead?.operation === operation ? ahead.ready : undefined;
      const result = await callHost(this.host, operation, (exchange) => this.lookFor(exchange), ready);
      this.interrupted ||= result?.events.some(({ name }) => name === "stopping") ?? false;
      this.gapMs = Math.max(this.gapMs, result?.gapMs ?? 0);
      if (operation.kind === "switch" && result?.kind === "switched") this.way = operation.way.kind;
      // what an earlier one came to is seen by the next look
      else if (operation.kind === "switch" && result !== undefined) throw new SwitchFailure(result);
      else if (result?.kind === "stuck" || result?.kind === "unknown") throw new SwitchFailure(result);
    } else if (isRouteOperation(operation)) {
      const idOf = (container: ContainerRef): string => this.idOf(container);
      await limited(limitOf(operation), (signal) => this.routes.call(host(signal), operation, idOf));
    } else if (operation.kind === "await-exit") {
      const id = this.idOf(operation.container);
      await limited(limitOf(operation), (signal) => waitForExit(host(signal), operation, id));
    } else {
      const idOf = (name: string, id: string | undefined): string =>
        this.idOf({ name, ...(id ? { id } : {}) });
      const limitMs = limitOf(operation, this.stopTimeoutOf(operation));
      // a step's own limit, and in taking back from an engine that hangs, less; never what is left of the whole run: an
      // operation that has begun is waited for
      const timeoutMs = leftMs === FROZEN_MS ? Math.min(limitMs, FROZEN_MS) : limitMs;
      const call = (): Promise<string | undefined> =>
        limited(timeoutMs, (signal) => callEngine(docker, operation, idOf, clock, signal));
      // while nobody serves, and on the way back, nobody waits for others
      const mayWait = operation.kind === "start" && this.gapBeganMs === undefined && !this.isGoingBack;
      const created = mayWait
        ? await startInTurn(this.host, call, (before) =>
            log.progress(`${formatOperation(operation)}: queued behind ${before} other starts on the host`),
          )
        : await call();
      if (operation.kind === "create") this.stopTimeouts.set(operation.container.name, operation.options);
      if (operation.kind === "create" && created !== undefined)
        this.created.set(operation.container.name, created);
      if (operation.kind === "rename") this.created.set(operation.to, this.idOf(operation.container));
    }
    log.debug(`${formatOperation(operation)}: ${formatDuration(clock.now() - startMs)}`);
  }

  private stopTimeoutOf(operation: Operation): number | undefined {
    if (operation.kind !== "stop") return undefined;
    const { name, stopTimeoutMs } = operation.container;
    const seconds = this.stopTimeouts.get(name)?.StopTimeout;
    return stopTimeoutMs ?? (seconds === undefined ? undefined : seconds * 1_000);
  }

  private endGap(atMs: number): void {
    if (this.gapBeganMs === undefined) return;
    this.gapMs = Math.max(this.gapMs, atMs - this.gapBeganMs);
    this.gapBeganMs = undefined;
  }

  private idOf({ name, id }: ContainerRef): string {
    return id ?? this.created.get(name) ?? name;
  }
}

/** Why, cleaned. */
export function describeFailure({ session }: HostAccess, error: unknown): string {
  const words = engineStatus(error) === undefined ? messageOf(error) : `Docker says: ${engineMessage(error)}`;
  return session.redact(stripControl(words)).slice(0, 1_000);
}
