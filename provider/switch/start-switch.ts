import { SlipwayError } from "../errors";
import { quote, scriptCommand } from "../host/command/command";
import type { CommandOutcome, HostSession } from "../host/session";
import { stripControl, tail } from "../secret";
import { RUNNING, SWITCH_ROOT, switchFolder, switchUnit } from "./place";
import { SWITCH_PROGRAM } from "./program";
import { ruleTexts } from "./rules";
import { type BridgedOrder, formatOrder, type SwitchOrder } from "./switch-order";

/** What `start` says when it did nothing. */
const BUSY = 75;
const NOTHING_TO_RECOVER = 76;

/** `$1` root, `$2` folder, `$3` unit; `fresh` or `again`. */
const PREPARE = `
umask 077
root=$1 folder=$2 unit=$3
mkdir -p "$root" && [ ! -L "$root" ] && chmod 700 "$root" || exit 1
`;

/**
 * `$0` program, `$1` its folder. Starts the program again when it was killed, until it came to an end in order, or somebody took
 * its folder away. The outer loop does so when the inner one is killed, too: a pipe, which the inner one and the program hold,
 * ends without a word when both are dead. What the program itself starts does not hold it (`3>&-`): a hanging call must not look like a living program.
 */
export const KEEP_RUNNING = `trap "" HUP; { echo -900 >/proc/self/oom_score_adj; } 2>/dev/null
until { until /bin/sh "$0" "$1" 3>&1 >/dev/null || [ ! -e "$0" ]; do sleep 1; done; echo over; } | read -r _; do sleep 1; done`;

/**
 * A unit that is started again when the program was killed, or loops in a session of their own that do the same. A host that
 * shuts down ends it before the engine (`After`): so it can still go back in order, and does not hold up the shutdown by asking
 * an engine that is gone.
 */
const LAUNCH = `
if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
  begin() {
    systemd-run --quiet --collect --no-block --unit "$unit" --description 'Slipway: exchanging a container' \\
      --property Restart=on-failure --property RestartSec=500ms --property StartLimitIntervalSec=0 \\
      --property KillMode=mixed --property TimeoutStopSec=30s --property After=docker.service --property OOMScoreAdjust=-900 \\
      /bin/sh -c '[ -e "$0" ] || exit 0; exec /bin/sh "$0" "$1"' "$folder/program" "$folder"
  }
  begin 2>/dev/null && exit
  # an earlier one's unit is there still
  systemctl stop "$unit.service" 2>/dev/null
  systemctl reset-failed "$unit.service" 2>/dev/null
  begin
  exit
fi
command -v setsid >/dev/null && session=setsid || session=
$session /bin/sh -c '${KEEP_RUNNING}' "$folder/program" "$folder" </dev/null >/dev/null 2>&1 &
`;

const RECOVER = `${PREPARE}${RUNNING}
[ -s "$folder/order" ] || exit ${NOTHING_TO_RECOVER}
read -r phase <"$folder/phase" 2>/dev/null || exit ${NOTHING_TO_RECOVER}
[ "$phase" != ended ] || exit ${NOTHING_TO_RECOVER}
if running "$folder"; then
  # one that has said that it is stuck only watches its rules; any other is at work
  [ "$phase" = stuck ] || exit ${BUSY}
  kill "$pid" 2>/dev/null
  tries=0
  while running "$folder" && [ "$tries" -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
fi
: >"$folder/events"
${LAUNCH}
`;

/** What starts the program for this order; `$1`, `$2`, … as {@link placeArgs} has them. */
export function startText(order: SwitchOrder, program = SWITCH_PROGRAM): string {
  const rules = isBridged(order) ? ruleTexts(order) : { rules4: "", rules6: "", count4: 0, count6: 0 };
  const files = { order: formatOrder(order, rules), rules4: rules.rules4, rules6: rules.rules6, program };
  const written = Object.entries(files).map(
    ([name, text]) => `printf %s ${quote(text)} >"$folder/${name}" || exit 1`,
  );
  return [
    PREPARE,
    RUNNING,
    `! running "$folder" || exit ${BUSY}`,
    `rm -rf "$folder" && mkdir "$folder" && : >"$folder/events" || exit 1`,
    ...written,
    `( ${LAUNCH} ) || exit`,
  ].join("\n");
}

/**
 * Starts the program that is there once more, so that it finishes or takes back what a dead one left.
 * @returns false when there is nothing to recover
 * @throws SlipwayError service-locked while one is at work there, command-failed, connection-lost
 */
export async function recoverSwitch(
  session: HostSession,
  service: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const { argv, stdin } = scriptCommand(RECOVER, placeArgs(service), "slipway recovers");
  const outcome = await session.exec(argv, { sudo: true, stdin, ...(signal ? { signal } : {}) });
  if (outcome.kind === "exited" && outcome.code === 0) return true;
  if (outcome.kind === "exited" && outcome.code === NOTHING_TO_RECOVER) return false;
  throw notStarted(session, service, outcome);
}

function isBridged(order: SwitchOrder): order is BridgedOrder {
  return order.way.kind === "bridged";
}

/** The arguments of what starts it: the root, its folder, its unit. */
export function placeArgs(service: string): readonly string[] {
  return [SWITCH_ROOT, switchFolder(service), switchUnit(service)];
}

/** Why the program did not start, or is not known to have. */
export function notStarted(
  session: Pick<HostSession, "target" | "redact">,
  service: string,
  outcome: CommandOutcome,
): SlipwayError {
  const what = `starting the switch of "${service}"`;
  if (outcome.kind === "exited" && outcome.code === BUSY)
    return new SlipwayError({
      code: "service-locked",
      what,
      host: session.target,
      why: "an earlier switch is still at work there",
      next: "Wait until it has ended, then run pulumi up again",
    });
  if (outcome.kind === "lost")
    return new SlipwayError({
      code: "connection-lost",
      what,
      host: session.target,
      why: "the connection closed before it was known to run",
      next: "The next run looks at the machine again and goes on from there",
    });
  const how = outcome.kind === "killed" ? `killed by ${outcome.signal}` : `exit code ${outcome.code}`;
  return new SlipwayError({
    code: "command-failed",
    what,
    host: session.target,
    why: how,
    evidence: tail(session.redact(stripControl(outcome.stderr.trim()))),
  });
}
