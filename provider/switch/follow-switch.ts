import { messageOf } from "../errors";
import type { HostSession } from "../host/session";
import type { Log } from "../log";
import { RUNNING, switchFolder } from "./place";
import { parseEvent, resultOf, type SwitchEvent, type SwitchResult } from "./switch-event";

export interface FollowOptions {
  readonly log: Log;
  /** How long the program can take at most: `longestSwitchMs`. */
  readonly limitMs: number;
  /** Aborted: the program is told to end in order, which it does by going back, and is followed to its end. */
  readonly signal: AbortSignal;
}

/**
 * New lines as they come, to the one that says how it ended, or, where `$2` is `gone`, until the program is gone that still clears
 * up; 69: it is gone without that, and nobody has started it again. `$1` folder.
 */
export const FOLLOW = `${RUNNING}
gone=0 ended=0
exec 3<"$1/events" || exit 69
while :; do
  while IFS= read -r line <&3; do
    printf '%s\\n' "$line"
    case \${line#* } in
      'end switched '*) [ "$2" = gone ] || exit 0; ended=1 ;;
      'end '*) exit 0 ;;
    esac
  done
  sleep 0.01
  running "$1" && { gone=0; continue; }
  gone=$((gone + 1)) phase=
  { read -r phase <"$1/phase"; } 2>/dev/null
  [ "$ended" = 0 ] || [ "$phase" != ended ] || exit 0
  [ "$gone" -lt 500 ] || exit 69
done
`;

/** The program ends by itself when it is told so: it goes back when it had begun. `$1` folder. */
const ASK_BACK = `${RUNNING}
! running "$1" || kill "$pid"
`;

/**
 * Follows the program in one command until it is gone, or stuck. A lost connection is `unknown`: the program goes on without us.
 */
export async function followSwitch(
  session: HostSession,
  service: string,
  { log, limitMs, signal }: FollowOptions,
): Promise<SwitchResult> {
  const told = new ToldEvents(session, service, log);
  const onAbort = (): void => beginAskingBack(session, service, log);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const options = { sudo: true, onLine: (line: string) => told.hear(line), timeoutMs: limitMs };
    const outcome = await session.script(FOLLOW, [switchFolder(service), "gone"], options);
    return resultOf(told.events, outcome.kind === "lost" ? LINE_LOST : WITHOUT_END);
  } catch (error) {
    return resultOf(told.events, session.redact(messageOf(error)));
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

export const LINE_LOST = "the connection was lost while the host exchanged the containers";
export const WITHOUT_END = "the program on the host ended without saying how";

/** What the program has said, each of it shown as it comes. */
export class ToldEvents {
  readonly events: SwitchEvent[] = [];
  private readonly target: string;
  private readonly service: string;
  private readonly log: Log;

  constructor({ target }: Pick<HostSession, "target">, service: string, log: Log) {
    this.target = target;
    this.service = service;
    this.log = log;
  }

  /** One line of the program's. */
  hear(line: string): void {
    const event = parseEvent(line);
    if (event === undefined) return;
    const { target, service, log } = this;
    this.events.push(event);
    log.debug(`${target} switch of "${service}": ${line}`);
    if (event.name === "note") log.warn(`${target}: switch of "${service}": ${event.text}`);
    else if (event.name !== "end") log.progress(describeEvent(event));
  }
}

/** Tells the program to end in order: before the old one is stopped it stays, after that it goes back. */
export async function askBack(session: HostSession, service: string): Promise<void> {
  await session.script(ASK_BACK, [switchFolder(service)], { sudo: true });
}

/** The same, waited for by nobody: when it cannot be told, it ends by itself, forward or back. */
export function beginAskingBack(session: HostSession, service: string, log: Log): void {
  log.progress("asking the switch to go back");
  askBack(session, service).catch((error: unknown) =>
    log.debug(`asking to go back: ${session.redact(messageOf(error))}`),
  );
}

const WORDS: Readonly<Record<string, string>> = {
  begun: "the host exchanges the containers",
  ruled: "the copy takes new connections",
  drained: "open connections are done",
  stopping: "stopping the old one",
  oldstopped: "starting the new one on its port",
  nextstarted: "waiting for the new one's health",
  nextgated: "the new one is healthy",
  unruled: "the new one takes new connections",
  copystopped: "the copy is gone",
  back: "going back to the old one",
  oldstarted: "waiting for the old one's health",
};

function describeEvent({ name, text }: SwitchEvent): string {
  const words = WORDS[name] ?? name;
  return text === "" || name === "begun" ? words : `${words}: ${text}`;
}
