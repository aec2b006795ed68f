import { createContainer } from "../container/create";
import { allowing, engineMessage, engineStatus } from "../container/engine-status";
import { inTime, LOOK_MS } from "../container/in-time";
import { observeContainer } from "../container/inspect";
import { isSlipwayError, messageOf, SlipwayError } from "../errors";
import { applyFiles, askContainer, removeFolder } from "../proxy/change";
import { installKeeper, removeKeeper } from "../proxy/keeper";
import { stripControl, tail } from "../secret";
import { clearRules } from "../switch/clear-rules";
import { endSwitch } from "../switch/end-switch";
import type { SwitchResult } from "../switch/switch-event";
import type { ExecuteContext } from "./execute-context";
import { exchange, exchangeError, followExchange } from "./exchange";
import { type ExchangeOperation, formatOperation, formatSteps, type Operation, type Step } from "./operation";

/** What a list of steps did. */
export interface Execution {
  /** For how long nobody answered; 0 when none was stopped. */
  readonly gapMs: number;
  /** The way that the exchange of the container went; undefined when there was none. */
  readonly exchanged: ExchangeOperation["way"]["kind"] | undefined;
}

const VERIFY_MS = 15_000;
const POLL_MS = 100;
/** Requests on their way end in it; the port stays with the one that stops, so longer were a longer gap. */
const STOP_SECONDS = 2;
/** The engine's calls, each; an exchange and changes of files have limits of their own. */
const CALL_MS = 120_000;
/** The same, of what is taken back from an engine that hung before. */
const FROZEN_MS = 10_000;

/**
 * Runs the steps one after another; when one fails, what was done is taken back, last step first, as far as the last commit.
 * What an exchange has done, or may have done, is not taken back.
 * @throws SlipwayError
 */
export async function executeSteps(steps: readonly Step[], context: ExecuteContext): Promise<Execution> {
  const left = [...steps];
  let undo: Operation[] = [];
  let stoppedAtMs: number | undefined;
  let gapMs = 0;
  let exchanged: Execution["exchanged"];
  for (let next = left.shift(); next !== undefined; next = left.shift()) {
    const { operation, cause, undo: back = [], otherwise = [], commit } = next;
    if (commit === true) undo = [];
    context.log.progress(`${formatOperation(operation)} (${cause})`);
    try {
      context.signal.throwIfAborted();
      // before the call: one whose outcome is unknown has to be taken back too
      undo.unshift(...back);
      if (operation.kind === "stop" && operation.interrupts) stoppedAtMs = context.clock.now();
      const result = await perform(operation, context);
      if (operation.kind === "verify" && stoppedAtMs !== undefined) gapMs = context.clock.now() - stoppedAtMs;
      if (result === undefined) continue;
      gapMs += result.gapMs;
      if (result.kind === "plain-instead" && otherwise.length > 0) {
        context.log.debug(`instead, since ${result.why}:\n${formatSteps(otherwise)}`);
        if (operation.kind === "exchange" && operation.way.kind === "bridged")
          context.log.warn(`it cannot go without a gap: ${result.why}`);
        left.unshift(...otherwise);
        continue;
      }
      if (operation.kind === "follow-exchange" && ["switched", "kept"].includes(result.kind)) continue;
      if (result.kind !== "kept") undo = [];
      if (operation.kind !== "exchange" || result.kind !== "switched")
        throw exchangeError(context, "proxy" in operation ? operation.proxy : "", result);
      exchanged = operation.way.kind;
    } catch (error) {
      throw await takenBack(error, operation, undo, context);
    }
  }
  return { gapMs: Math.round(gapMs), exchanged };
}

async function perform(
  operation: Operation,
  context: ExecuteContext,
  callMs = CALL_MS,
): Promise<SwitchResult | undefined> {
  switch (operation.kind) {
    case "exchange":
      return exchange(context, operation);
    case "follow-exchange":
      return followExchange(context, operation);
    case "write-files":
      await applyFiles(context, operation.proxy, operation.change);
      return undefined;
    case "verify":
      await inTime(context, formatOperation(operation), LOOK_MS, (signal) =>
        verify(operation, { ...context, signal }),
      );
      return undefined;
    case "clear-rules":
      await clearRules(context.session, operation.proxy, context.signal);
      return undefined;
    case "end-exchange":
      await endSwitch(context.session, operation.proxy, context.signal);
      return undefined;
    case "install-keeper":
      await installKeeper(context, operation.proxy);
      return undefined;
    case "remove-keeper":
      await removeKeeper(context, operation.proxy);
      return undefined;
    case "remove-folder":
      await removeFolder(context, operation.proxy);
      return undefined;
    default:
      await inTime(context, formatOperation(operation), callMs, () => call(operation, context));
      return undefined;
  }
}

/** Operations that are one call of the engine. */
type Call = Exclude<
  Operation,
  {
    readonly kind:
      | "exchange"
      | "follow-exchange"
      | "write-files"
      | "verify"
      | "clear-rules"
      | "end-exchange"
      | "install-keeper"
      | "remove-keeper"
      | "remove-folder";
  }
>;

async function call(operation: Call, { docker }: ExecuteContext): Promise<void> {
  switch (operation.kind) {
    case "create-network":
      await allowing(
        [409],
        docker.createNetwork({ Name: operation.name, Labels: operation.labels, CheckDuplicate: true }),
      );
      return;
    case "remove-network": {
      const inside = await docker.listContainers({ all: true, filters: { network: [operation.name] } });
      // 403: somebody uses it
      if (inside.length === 0) await allowing([404, 403, 409], docker.getNetwork(operation.name).remove());
      return;
    }
    case "create":
      await createContainer(docker, { ...operation.options, name: operation.name });
      return;
    case "start":
      await allowing([304], docker.getContainer(operation.name).start());
      return;
    case "unpause":
      await docker.getContainer(operation.name).unpause();
      return;
    case "stop":
      await allowing([304, 404], docker.getContainer(operation.name).stop({ t: STOP_SECONDS }));
      return;
    case "rename":
      await docker.getContainer(operation.name).rename({ name: operation.to });
      return;
    case "restart-policy":
      await docker.getContainer(operation.name).update({ RestartPolicy: { Name: operation.policy } });
      return;
    case "remove":
      await allowing([404, 409], docker.getContainer(operation.name).remove({ force: true, v: true }));
      return;
  }
}

async function verify(
  { name, proxy, run, port }: Extract<Operation, { readonly kind: "verify" }>,
  context: ExecuteContext,
): Promise<void> {
  const { session, docker, clock, signal } = context;
  const endsAtMs = clock.now() + VERIFY_MS;
  for (;;) {
    const container = await observeContainer(docker, name);
    if (container?.state === "running") {
      const { version, listens } = await askContainer(context, proxy, { container: name, run, port });
      if (version !== undefined) mustBeNewEnough(version, context);
      if (version !== undefined && listens) return;
    }
    const isOver = clock.now() >= endsAtMs;
    if (isOver || (container?.restartCount ?? 0) > 0 || container?.state === "exited") {
      throw new SlipwayError({
        code: "proxy-failed",
        what: `starting the proxy "${proxy}"`,
        host: session.target,
        why:
          container?.state === "exited" ? `it exited with code ${container.exitCode}` : "it does not answer",
        after: isOver ? `after ${VERIFY_MS / 1_000}s` : undefined,
        evidence: await lastLines(name, context),
      });
    }
    await clock.sleep(POLL_MS, signal);
  }
}

/** Places are named anew while it runs, and one connection outlives a reload, from 2.6 on. */
function mustBeNewEnough(version: string, { session }: ExecuteContext): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 2 || (major === 2 && minor >= 6)) return;
  throw new SlipwayError({
    code: "proxy-failed",
    what: "starting the proxy",
    host: session.target,
    why: `its HAProxy is ${stripControl(version)}, and 2.6 or newer is needed`,
    next: "Give another `image`",
  });
}

async function lastLines(name: string, { session, signal }: ExecuteContext): Promise<string> {
  const argv = ["docker", "logs", "--tail", "20", "--", name];
  const outcome = await session.exec(argv, { sudo: true, signal });
  const text = `${outcome.stdout}\n${outcome.stderr}`.trim();
  return text === ""
    ? "It wrote nothing."
    : `Its last lines:\n${tail(session.redact(stripControl(text))).replace(/^/gm, "  ")}`;
}

async function takenBack(
  error: unknown,
  operation: Operation,
  undo: readonly Operation[],
  context: ExecuteContext,
): Promise<SlipwayError> {
  // taking back goes on when the run is being stopped
  const calm = { ...context, signal: new AbortController().signal };
  let failure: string | undefined;
  let isFrozen = isSlipwayError(error, "engine-unreachable");
  for (const each of undo) {
    try {
      await perform(each, calm, isFrozen ? FROZEN_MS : CALL_MS);
    } catch (failed) {
      // what hung once will hang again: the rest is tried, but not waited for as long
      isFrozen ||= isSlipwayError(failed, "engine-unreachable");
      // what can still be taken back is: a candidate that cannot be removed must not keep the files as they are now
      failure ??= `${formatOperation(each)}: ${messageOf(failed)}`;
    }
  }
  const isStartedAgain = undo.some(({ kind }) => kind === "start");
  const back = isStartedAgain ? "The one before was started again and serves" : undefined;
  const left = failure === undefined ? back : `What was done could not be taken back: ${failure}`;
  if (isSlipwayError(error)) return new SlipwayError({ ...error.parts, left: left ?? error.parts.left });
  if (engineStatus(error) === undefined && !context.signal.aborted) throw error;
  return new SlipwayError({
    code: context.signal.aborted ? "cancelled" : "proxy-failed",
    what: formatOperation(operation),
    host: context.session.target,
    why: stripControl(context.session.redact(engineMessage(error))).slice(0, 500),
    left,
    cause: error,
  });
}
