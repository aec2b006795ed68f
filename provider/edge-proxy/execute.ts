import type { Clock } from "../clock";
import { engineMessage, engineStatus } from "../container/engine-status";
import { observeContainer } from "../container/inspect";
import { formatDuration } from "../duration";
import { isSlipwayError, messageOf, SlipwayError } from "../errors";
import type { Log } from "../log";
import { applyFiles, observeProxy, removeFolder } from "../proxy/change";
import { stripControl, tail } from "../secret";
import type { ProxyAccess } from "./observe";
import { formatOperation, type Operation, type Step } from "./operation";

/** What an execution needs from the run. */
export interface ExecuteContext extends ProxyAccess {
  readonly clock: Clock;
  readonly log: Log;
}

/** What a list of steps did. */
export interface Execution {
  /** From the stop of the one to the first answer of the next; 0 when none was stopped. */
  readonly gapMs: number;
}

const VERIFY_MS = 15_000;
const POLL_MS = 100;
/** Requests on their way end in it; the port stays with the one that stops, so longer were a longer gap. */
const STOP_SECONDS = 2;

/**
 * Runs the steps one after another; when one fails, what was done is taken back, last step first, as far as the last commit.
 * @throws SlipwayError
 */
export async function executeSteps(steps: readonly Step[], context: ExecuteContext): Promise<Execution> {
  let undo: Operation[] = [];
  let stoppedAtMs: number | undefined;
  let gapMs = 0;
  for (const { operation, cause, undo: back = [], commit } of steps) {
    if (commit === true) undo = [];
    context.log.progress(`${formatOperation(operation)} (${cause})`);
    try {
      context.signal.throwIfAborted();
      // before the call: one whose outcome is unknown has to be taken back too
      undo.unshift(...back);
      if (operation.kind === "stop" && operation.interrupts) stoppedAtMs = context.clock.now();
      await perform(operation, context);
      if (operation.kind === "verify" && stoppedAtMs !== undefined) gapMs = context.clock.now() - stoppedAtMs;
    } catch (error) {
      throw await takenBack(error, operation, undo, context);
    }
  }
  return { gapMs: Math.round(gapMs) };
}

async function perform(operation: Operation, context: ExecuteContext): Promise<void> {
  const { docker } = context;
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
    case "write-files":
      await applyFiles(context, operation.proxy, operation.change);
      return;
    case "create":
      await docker.createContainer({ ...operation.options, name: operation.name });
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
    case "verify":
      return verify(operation.name, operation.proxy, context);
    case "remove":
      await allowing([404, 409], docker.getContainer(operation.name).remove({ force: true, v: true }));
      return;
    case "remove-folder":
      return removeFolder(context, operation.proxy);
  }
}

async function verify(name: string, proxy: string, context: ExecuteContext): Promise<void> {
  const { session, docker, clock, signal } = context;
  const endsAtMs = clock.now() + VERIFY_MS;
  for (;;) {
    const container = await observeContainer(docker, name);
    const version =
      container?.state === "running" ? (await observeProxy(context, proxy))?.version : undefined;
    if (version !== undefined) return mustBeNewEnough(version, context);
    const isOver = clock.now() >= endsAtMs;
    if (isOver || (container?.restartCount ?? 0) > 0 || container?.state === "exited") {
      throw new SlipwayError({
        code: "proxy-failed",
        what: `starting the proxy "${proxy}"`,
        host: session.target,
        why:
          container?.state === "exited" ? `it exited with code ${container.exitCode}` : "it does not answer",
        after: isOver ? `after ${formatDuration(VERIFY_MS)}` : undefined,
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
  let left: string | undefined;
  try {
    for (const each of undo) await perform(each, calm);
    left = undo.some(({ kind }) => kind === "start")
      ? "The one before was started again and serves"
      : undefined;
  } catch (failure) {
    left = `What was done could not be taken back: ${messageOf(failure)}`;
  }
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

async function allowing(statuses: readonly number[], call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!statuses.includes(engineStatus(error) ?? 0)) throw error;
  }
}
