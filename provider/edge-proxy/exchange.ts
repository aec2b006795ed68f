import { inTime, LOOK_MS } from "../container/in-time";
import { observeContainer } from "../container/inspect";
import type { ObservedContainer } from "../container/observed";
import { isSlipwayError, SlipwayError } from "../errors";
import { exchangeLockOf } from "../proxy/ref";
import { followSwitch } from "../switch/follow-switch";
import { observeCopy } from "../switch/observe-copy";
import { runSwitch } from "../switch/run-switch";
import { recoverSwitch } from "../switch/start-switch";
import type { SwitchResult } from "../switch/switch-event";
import { longestSwitchMs, type SwitchContainer, type SwitchOrder } from "../switch/switch-order";
import type { ExecuteContext } from "./execute-context";
import type { ExchangeOperation, Operation } from "./operation";

/** The copy has proved the image: a moment is enough to see that the one on the ports is well. */
const HEALTHY_MS = 1_000;
const START_MS = 60_000;
const SLACK_MS = 30_000;
/** Where nothing serves meanwhile: requests on their way end in it, and longer were a longer gap. */
const PLAIN_STOP_MS = 2_000;
/** HAProxy drains by itself when it is told to stop; before that only what the rules took is looked at. */
const DRAINED_MS = 500;

/** What an exchange rests on, looked at when the copy serves. */
interface ExchangeLook {
  readonly before: ObservedContainer;
  readonly after: ObservedContainer;
  /** Undefined: the engine made no rules for the copy's ports. */
  readonly place: SwitchOrder["way"] | undefined;
}

/** Lets the program on the host exchange the containers, and follows it to its end. */
export async function exchange(context: ExecuteContext, operation: ExchangeOperation): Promise<SwitchResult> {
  const { session, log, signal } = context;
  const { proxy, way, ports, oldTcp, drainMs } = operation;
  const what = `looking at the containers of "${proxy}"`;
  const { before, after, place } = await inTime(context, what, LOOK_MS, (limited) =>
    lookFor({ ...context, signal: limited }, operation),
  );
  if (place === undefined)
    return {
      kind: "plain-instead",
      why: "the engine made no rules for the copy's ports",
      gapMs: 0,
      events: [],
    };
  const stopTimeoutMs = way.kind === "bridged" ? drainMs : Math.min(drainMs, PLAIN_STOP_MS);
  const order: SwitchOrder = {
    service: proxy,
    way: place,
    old: { ...memberOf(before), restart: operation.restart },
    next: memberOf(after),
    ...{ ports, oldTcp, drainMs: Math.min(drainMs, DRAINED_MS), stopTimeoutMs },
    deadlineMs: drainMs + START_MS + SLACK_MS,
    backMs: drainMs + START_MS + SLACK_MS,
    lock: exchangeLockOf(proxy),
  };
  signal.throwIfAborted();
  return runSwitch(session, order, { log, limitMs: longestSwitchMs(order) + drainMs, signal, until: "gone" });
}

async function lookFor(
  context: ExecuteContext,
  { proxy, next, way }: ExchangeOperation,
): Promise<ExchangeLook> {
  const { docker, session, signal } = context;
  const [before, after, copy] = await Promise.all([
    observeContainer(docker, proxy),
    observeContainer(docker, next),
    way.kind === "bridged" ? observeContainer(docker, way.copy) : undefined,
  ]);
  if (before === undefined || after === undefined) throw gone(context, before === undefined ? proxy : next);
  if (way.kind !== "bridged") return { before, after, place: { kind: "plain" } };
  if (copy === undefined) throw gone(context, way.copy);
  const seen = await observeCopy(session, copy, way.host, way.network, signal);
  return { before, after, place: seen && { kind: "bridged", copy: seen } };
}

/** Goes on with an exchange that another run began. */
export async function followExchange(
  { session, log, signal }: ExecuteContext,
  { proxy, recover, limitMs }: Extract<Operation, { readonly kind: "follow-exchange" }>,
): Promise<SwitchResult> {
  try {
    if (recover) await recoverSwitch(session, proxy, signal);
  } catch (error) {
    // started again meanwhile, by the host itself
    if (!isSlipwayError(error, "service-locked")) throw error;
  }
  return followSwitch(session, proxy, { log, limitMs, signal });
}

/**
 * How an exchange ended, for the run; throws what the run cannot go on after.
 * @throws SlipwayError proxy-failed, connection-lost
 */
export function exchangeError(
  { session }: ExecuteContext,
  proxy: string,
  { kind, why }: SwitchResult,
): SlipwayError {
  const parts = { what: `exchanging the proxy "${proxy}"`, host: session.target, why };
  switch (kind) {
    case "unknown":
      return new SlipwayError({
        ...parts,
        code: "connection-lost",
        left: "The host goes on by itself, and one of both serves",
        next: "Run pulumi up again: it looks at the host, and goes on from there",
      });
    case "stuck":
      return new SlipwayError({
        ...parts,
        code: "proxy-failed",
        left: "While the copy lives it serves, behind rules that the host watches",
        next: "Look at the logs of the proxy's containers, then run pulumi up again",
      });
    case "kept":
    case "switched":
    case "plain-instead":
      return new SlipwayError({ ...parts, code: "proxy-failed", left: "The one before serves" });
  }
}

/** That it listens is what the program looks for anyway, on the ports that the copy and the old one listen on. */
function memberOf({ id }: ObservedContainer): SwitchContainer {
  return { id, check: undefined, minHealthyMs: HEALTHY_MS, deadlineMs: START_MS };
}

function gone({ session }: ExecuteContext, name: string): SlipwayError {
  return new SlipwayError({
    code: "proxy-failed",
    what: "exchanging the proxy",
    host: session.target,
    why: `the container "${name}" is gone`,
  });
}
