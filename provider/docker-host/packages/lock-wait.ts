import { formatDuration } from "../../duration";
import { SlipwayError } from "../../errors";
import type { CommandOutcome, HostSession } from "../../host/session";
import { stripControl } from "../../secret";
import { LOCK_WAIT_S, packageFailure } from "./package-failure";

/** How a run ends that waited for a lock in vain. */
export const LOCK_TAKEN = 75;

const WAITING = "slipway waits for";

/**
 * sh function: prints who holds one of the files in `$locks`, by the kernel's table of locks or, of a `.pid`, by the number of a
 * process that lives.
 */
export const HOLDER = `
called() {
  name=; { read -r name <"/proc/$1/comm"; } 2>/dev/null
  echo "\${name:-somebody} (process $1)"
}
holder() {
  for lock in $locks; do
    [ -e "$lock" ] || continue
    case $lock in *.pid)
      pid=; { read -r pid <"$lock"; } 2>/dev/null
      [ -n "$pid" ] && [ -d "/proc/$pid" ] || continue
      called "$pid"; return ;;
    esac
    inode=$(stat -c %i "$lock" 2>/dev/null) || continue
    while read -r number kind mode access pid file rest; do
      [ "$access" = WRITE ] && [ "\${file##*:}" = "$inode" ] || continue
      called "$pid"; return
    done </proc/locks
  done
}
`;

/** sh functions: HOLDER, and `wait_for_locks`, which says for whom it waits, and ends the run after `$left` seconds. */
export const LOCK_WAIT = `${HOLDER}
wait_for_locks() {
  said=
  while found=$(holder) && [ -n "$found" ]; do
    [ "$found" = "$said" ] || echo "${WAITING} $found"
    said=$found
    [ "$left" -gt 0 ] || exit ${LOCK_TAKEN}
    sleep 1; left=$((left - 1))
  done
}
`;

/** A line of such a run as it is told. */
export function toldLine(line: string): string {
  const holder = holderOf(line);
  return holder === undefined ? line : `waiting for ${holder}, which holds the package manager's lock`;
}

/** The error of a run that did not end well; it names who holds the lock that was not freed in time. */
export function runFailure(session: HostSession, what: string, outcome: CommandOutcome): SlipwayError {
  const isLocked = outcome.kind === "exited" && outcome.code === LOCK_TAKEN;
  return isLocked ? lockFailure(session, what, outcome.stdout) : packageFailure(session, what, outcome);
}

function lockFailure(session: HostSession, what: string, stdout: string): SlipwayError {
  const holders = stdout.split("\n").map((line) => holderOf(line));
  const holder = holders.filter((name) => name !== undefined).at(-1) ?? "somebody";
  return new SlipwayError({
    code: "engine-install-failed",
    what,
    host: session.target,
    why: `${session.redact(stripControl(holder))} holds the package manager's lock`,
    after: `after ${formatDuration(LOCK_WAIT_S * 1_000)}`,
    left: "No package was changed",
    next: "Run pulumi up again when it has ended",
  });
}

function holderOf(line: string): string | undefined {
  return line.startsWith(`${WAITING} `) ? line.slice(WAITING.length + 1) : undefined;
}
