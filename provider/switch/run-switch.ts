import { isSlipwayError, messageOf } from "../errors";
import type { CommandOutcome, HostSession, ReadyOptions, ReadyScript } from "../host/session";
import {
  beginAskingBack,
  FOLLOW,
  type FollowOptions,
  LINE_LOST,
  ToldEvents,
  WITHOUT_END,
} from "./follow-switch";
import { notStarted, placeArgs, startText } from "./start-switch";
import { resultOf, type SwitchResult } from "./switch-event";
import type { SwitchOrder } from "./switch-order";

const LAUNCHED = "launched";

export interface RunOptions extends FollowOptions {
  /** `served`: until it is known who serves; a copy may have requests to answer then. `gone`: until that is over, too. */
  readonly until: "served" | "gone";
  /** What waits for the program already, see {@link readySwitch}. @default started then */
  readonly ready?: ReadyScript;
  /** @default the program of this version; a test brings one that dies on the way */
  readonly program?: string;
}

/**
 * Makes ready on the host what will start the program, while something else is waited for. `timeoutMs`: from the program's start
 * to its end; `readyMs`: how long it may stay ready.
 */
export function readySwitch(
  session: HostSession,
  service: string,
  limits: Required<Pick<ReadyOptions, "timeoutMs">> & Pick<ReadyOptions, "readyMs">,
): ReadyScript {
  // not by session.script, whose text the debug log shows: a check's words are the user's
  return session.ready(placeArgs(service), { sudo: true, ...limits });
}

/**
 * Starts the program on the host and follows it, in one command: a round trip, however far the host is. Once it was
 * told to start it may have started, so a lost connection is `unknown`: the program goes on without us.
 * @throws SlipwayError service-locked while one is at work there, command-failed, sudo-unavailable: nothing was started then
 */
export async function runSwitch(
  session: HostSession,
  order: SwitchOrder,
  { log, limitMs, signal, program, until, ready }: RunOptions,
): Promise<SwitchResult> {
  const { service } = order;
  const told = new ToldEvents(session, service, log);
  const state = { launched: false, asked: false };
  const goBack = (): void => {
    if (!state.launched || state.asked || !signal.aborted) return;
    state.asked = true;
    beginAskingBack(session, service, log);
  };
  const onLine = (line: string): void => {
    if (line !== LAUNCHED) return told.hear(line);
    state.launched = true;
    goBack();
  };
  const text = `${startText(order, program)}\necho ${LAUNCHED}\nset -- "$folder" ${until}\n${FOLLOW}`;
  const script = ready ?? readySwitch(session, service, { timeoutMs: limitMs });
  signal.addEventListener("abort", goBack, { once: true });
  let outcome: CommandOutcome;
  try {
    outcome = await script.run(text, onLine);
  } catch (error) {
    const isKnown = isSlipwayError(error, "command-failed", "internal", "sudo-unavailable");
    if (isKnown && !state.launched) throw error;
    return resultOf(told.events, session.redact(messageOf(error)));
  } finally {
    signal.removeEventListener("abort", goBack);
  }
  if (!state.launched && outcome.kind !== "lost") throw notStarted(session, service, outcome);
  return resultOf(told.events, outcome.kind === "lost" ? LINE_LOST : WITHOUT_END);
}
