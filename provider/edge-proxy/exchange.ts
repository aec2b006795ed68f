import { observeContainer } from "../container/inspect";
import type { ObservedContainer } from "../container/observed";
import { isSlipwayError, messageOf, SlipwayError } from "../errors";
import { exchangeLockOf } from "../proxy/ref";
import { followSwitch } from "../switch/follow-switch";
import { observeCopy } from "../switch/observe-copy";
import { recoverSwitch, startSwitch } from "../switch/start-switch";
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
const LOOK_MS = 500;

/** Lets the program on the host exchange the containers, and follows it to its end. */
export async function exchange(context: ExecuteContext, operation: ExchangeOperation): Promise<SwitchResult> {
  const { docker, session, signal } = context;
  const { proxy, next, way, ports, oldTcp, drainMs } = operation;
  const [before, after, copy] = await Promise.all([
    observeContainer(docker, proxy),
    observeContainer(docker, next),
    way.kind === "bridged" ? observeContainer(docker, way.copy) : undefined,
  ]);
  if (before === undefined || after === undefined) throw gone(context, before === undefined ? proxy : next);
  let place: SwitchOrder["way"] = { kind: "plain" };
  if (way.kind === "bridged") {
    if (copy === undefined) throw gone(context, way.copy);
    const seen = await observeCopy(session, copy, way.host, way.network, signal);
    if (seen === undefined) return impossible("the engine made no rules for the copy's ports");
    place = { kind: "bridged", copy: seen };
  }
  const stopTimeoutMs = way.kind === "bridged" ? drainMs : Math.min(drainMs, PLAIN_STOP_MS);
  const order: SwitchOrder = {
    service: proxy,
    way: place,
    old: { ...memberOf(before), restart: operation.restart },
    next: memberOf(after),
    ...{ ports, oldTcp, drainMs: Math.min(drainMs, LOOK_MS), stopTimeoutMs },
    deadlineMs: drainMs + START_MS + SLACK_MS,
    backMs: drainMs + START_MS + SLACK_MS,
    lock: exchangeLockOf(proxy),
  };
  signal.throwIfAborted();
  const unknown = await start(context, order);
  return unknown ?? follow(context, proxy, longestSwitchMs(order) + drainMs);
}

/** Goes on with an exchange that another run began. */
export async function followExchange(
  context: ExecuteContext,
  { proxy, recover, limitMs }: Extract<Operation, { readonly kind: "follow-exchange" }>,
): Promise<SwitchResult> {
  try {
    if (recover) await recoverSwitch(context.session, proxy, context.signal);
  } catch (error) {
    // started again meanwhile, by the host itself
    if (!isSlipwayError(error, "service-locked")) throw error;
  }
  return follow(context, proxy, limitMs);
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

function follow(
  { session, log, signal }: ExecuteContext,
  proxy: string,
  limitMs: number,
): Promise<SwitchResult> {
  return followSwitch(session, proxy, { log, limitMs, signal });
}

/** Not under the run's signal: once told to start it may have started. Undefined when it has. */
async function start({ session }: ExecuteContext, order: SwitchOrder): Promise<SwitchResult | undefined> {
  try {
    await startSwitch(session, order);
    return undefined;
  } catch (error) {
    if (isSlipwayError(error, "command-failed", "service-locked", "internal", "sudo-unavailable"))
      throw error;
    return { kind: "unknown", why: messageOf(error), gapMs: 0, events: [] };
  }
}

/** That it listens is what the program looks for anyway, on the ports that the copy and the old one listen on. */
function memberOf({ id }: ObservedContainer): SwitchContainer {
  return { id, check: undefined, minHealthyMs: HEALTHY_MS, deadlineMs: START_MS };
}

function impossible(why: string): SwitchResult {
  return { kind: "plain-instead", why, gapMs: 0, events: [] };
}

function gone({ session }: ExecuteContext, name: string): SlipwayError {
  return new SlipwayError({
    code: "proxy-failed",
    what: "exchanging the proxy",
    host: session.target,
    why: `the container "${name}" is gone`,
  });
}
