import { engineMessage, engineStatus } from "../container/engine-status";
import { formatDuration } from "../duration";
import { isSlipwayError, messageOf } from "../errors";
import { stripControl } from "../secret";
import { captureEvidence } from "./evidence";
import { waitAtGate } from "./gate";
import type { HostAccess } from "./host-access";
import { type ContainerRef, formatOperation, formatStep, type Operation, type Step } from "./operation";
import { waitForExit } from "./exit";
import { inTime, limitOf, LOOK_MS } from "./in-time";
import { callEngine } from "./operation-call";
import { RouteCalls } from "./route-call";
import { isRouteOperation } from "./route-operation";
import { callHost, isHostOperation } from "./switch-call";
import { formatLeftInSwitch, SwitchFailure } from "./switch-failure";

/** What a list of steps did. */
export interface Execution {
  /** One line each, as printed. */
  readonly operations: readonly string[];
  /** The longest time in which nobody served. */
  readonly gapMs: number;
  /** How the last exchange by the host itself went; undefined when there was none. */
  readonly way?: "bridged" | "plain";
}

/** Thrown when a step failed; everything that could be taken back was tried. */
export class StepFailure extends Error {
  readonly step: Step;
  /** Why, cleaned. */
  readonly why: string;
  /** What the container said for itself; may be empty. */
  readonly evidence: string;
  /** Why what was done could not be taken back; undefined when it was. */
  readonly undoFailure: string | undefined;
  /** True when live containers were touched and came back. */
  readonly interrupted: boolean;
  /** True when the step came after the point of no return. */
  readonly committed: boolean;
  /** What stands where a switch has not come to an end and nothing was taken back; undefined otherwise. */
  readonly leftInSwitch: string | undefined;
  readonly execution: Execution;

  constructor(fields: Omit<StepFailure, keyof Error>, cause: unknown) {
    super(fields.why, { cause });
    this.name = "StepFailure";
    this.step = fields.step;
    this.why = fields.why;
    this.evidence = fields.evidence;
    this.undoFailure = fields.undoFailure;
    this.interrupted = fields.interrupted;
    this.committed = fields.committed;
    this.leftInSwitch = fields.leftInSwitch;
    this.execution = fields.execution;
  }
}

export interface ExecuteOptions {
  /** From now; no step begins, and no gate waits, after it. */
  readonly deadlineMs: number;
  /** Called before each operation: the lock is looked at there. */
  readonly beforeEach?: (operation: Operation) => Promise<void>;
  /** Awaited, without a limit of its own, before the live one is touched; rejects when it must not be. */
  readonly beforeTouch?: () => Promise<void>;
}

/** What takes a step back, and the slot that it belongs to; undefined where it is everybody's. */
interface Back {
  readonly operation: Operation;
  readonly slot: number | undefined;
}

/** What failed because of the container itself. */
const SAYS_WHY: ReadonlySet<Operation["kind"]> = new Set([
  "gate",
  "start",
  "await-exit",
  "switch",
  "ready-server",
]);
const FROZEN_MS = 10_000;

/** A gate's verdict, as what was thrown. */
class GateFailure extends Error {
  readonly output: string;
  constructor(why: string, output: string) {
    super(why);
    this.output = output;
  }
}

/**
 * Runs the steps, one after another. When one fails, the container's evidence is captured and all is taken back, last step
 * first, as far as the last commit.
 * @throws StepFailure
 */
export async function executeSteps(
  host: HostAccess,
  steps: readonly Step[],
  options: ExecuteOptions,
): Promise<Execution> {
  const run = new Run(host, options);
  let back: Back[] = [];
  let committed = false;
  const queue = [...steps];
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
    const { slot, otherwise } = step;
    try {
      host.log.progress(formatStep(step));
      if (step.touchesLive === true) await options.beforeTouch?.();
      await run.before(step.operation, options);
      run.assertInTime();
      if (step.commit === true) {
        back = back.filter(({ slot }) => slot !== undefined && slot !== step.slot);
        committed = true;
      }
      // before the call: one whose outcome is unknown has to be taken back too
      back.unshift(...(step.undo ?? []).map((operation) => ({ operation, slot: step.slot })));
      if ((await run.perform(step.operation, otherwise !== undefined)) === "done") continue;
      // it found that it cannot be, and did nothing
      back.splice(0, step.undo?.length);
      queue.unshift(...(otherwise ?? []).map((each) => (slot === undefined ? each : { ...each, slot })));
    } catch (error) {
      // taking back must go on when the run is being stopped
      const calm = run.unaborted();
      const evidence = await calm.evidence(step.operation, error);
      // the name is taken: what stands under it is not what this step would have made
      const wentBack = error instanceof SwitchFailure && error.end === "kept";
      const taken = step.operation.kind === "create" && engineStatus(error) === 409;
      if (wentBack || taken) back.splice(0, step.undo?.length);
      const leftInSwitch = error instanceof SwitchFailure ? formatLeftInSwitch(error) : undefined;
      const undoFailure = isSlipwayError(error, "service-locked")
        ? "nothing was taken back, since somebody else may be at work here"
        : leftInSwitch === undefined
          ? await calm.takeBack(back.map(({ operation }) => operation))
          : undefined;
      const { interrupted, execution } = run;
      const why = describe(host, error);
      throw new StepFailure(
        { step, why, evidence, undoFailure, interrupted, committed, leftInSwitch, execution },
        error,
      );
    }
  }
  return run.execution;
}

/** One run of steps: the ids of what it created, and the clock of the gap. */
class Run {
  interrupted = false;
  private host: HostAccess;
  private stopped = false;
  private readonly created = new Map<string, string>();
  private readonly stopTimeouts = new Map<string, { readonly StopTimeout?: number | undefined }>();
  private readonly operations: string[] = [];
  private readonly routes = new RouteCalls();
  private readonly endsAtMs: number;
  private gapBeganMs: number | undefined;
  private gapMs = 0;
  private way: "bridged" | "plain" | undefined;

  constructor(host: HostAccess, { deadlineMs }: ExecuteOptions) {
    this.host = host;
    this.endsAtMs = host.clock.now() + deadlineMs;
  }

  get execution(): Execution {
    const { operations, way } = this;
    return { operations, gapMs: Math.round(this.gapMs), ...(way === undefined ? {} : { way }) };
  }

  unaborted(): this {
    this.stopped = this.host.signal.aborted;
    this.host = { ...this.host, signal: new AbortController().signal };
    return this;
  }

  /** What has to be so before an operation. */
  before(operation: Operation, { beforeEach }: ExecuteOptions): Promise<void> {
    if (beforeEach === undefined) return Promise.resolve();
    return inTime(this.host, "looking at the lock", LOOK_MS, () => beforeEach(operation));
  }

  assertInTime(): void {
    if (this.host.clock.now() >= this.endsAtMs) throw new Error("the progressDeadline has passed");
  }

  /** `otherwise`: there is something to do in its place, when it finds that it cannot be. */
  async perform(operation: Operation, otherwise: boolean): Promise<"done" | "otherwise"> {
    try {
      await this.one(operation, this.endsAtMs - this.host.clock.now());
      return "done";
    } catch (error) {
      if (!(error instanceof SwitchFailure) || error.end !== "plain-instead" || !otherwise) throw error;
      this.host.log.warn(
        `${this.host.session.target}: ${formatOperation(operation)} is not possible: ${error.message}`,
      );
      return "otherwise";
    }
  }

  /** Gives why it could not be done; undefined when it was. */
  async takeBack(undo: readonly Operation[]): Promise<string | undefined> {
    let failure: string | undefined;
    let isFrozen = false;
    for (const operation of undo) {
      // who stops a run waits for seconds only, and sessions are stopped with it: the next run asks again
      if (this.stopped && (operation.kind === "gate" || operation.kind === "await-drained")) continue;
      this.host.log.progress(`taking back: ${formatOperation(operation)}`);
      try {
        await this.one(operation, isFrozen ? FROZEN_MS : Number.POSITIVE_INFINITY);
      } catch (error) {
        // what hung once will hang again: the rest is tried, but not waited for as long
        isFrozen ||= isSlipwayError(error, "engine-unreachable");
        // what can still be taken back is: a candidate that cannot be removed must not keep the live one from starting
        failure ??= `${formatOperation(operation)}: ${describe(this.host, error)}`;
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
      if (operation.serves) this.endGap(result.servedAtMs);
    } else if (isHostOperation(operation)) {
      // under no limit of ours: it has its own, and one that is interrupted is waited for until it has gone back
      const result = await callHost(this.host, operation, (container) => this.idOf(container));
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
      const created = await limited(timeoutMs, (signal) => callEngine(docker, operation, idOf, signal));
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

function describe({ session }: HostAccess, error: unknown): string {
  const words = engineStatus(error) === undefined ? messageOf(error) : `Docker says: ${engineMessage(error)}`;
  return session.redact(stripControl(words)).slice(0, 1_000);
}
