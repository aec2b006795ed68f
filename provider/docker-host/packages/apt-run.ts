import { formatDuration } from "../../duration";
import { SlipwayError } from "../../errors";
import type { CommandOutcome, HostSession } from "../../host/session";
import { stripControl } from "../../secret";
import { DOCKER_UNITS } from "../init/systemd";
import { LOCK_WAIT_S, packageFailure } from "./package-failure";
import type { RunOptions } from "./package-family";
import { SERVICE_GUARD } from "./service-guard";

/** How a run ends that waited for a lock in vain. */
export const LOCK_TAKEN = 75;
const WAITING = "slipway waits for";
const ENVIRONMENT = {
  DEBIAN_FRONTEND: "noninteractive",
  APT_LISTCHANGES_FRONTEND: "none",
  // needrestart would restart services of others after our installation
  NEEDRESTART_SUSPEND: "1",
};

/**
 * One run of apt or dpkg. It waits while somebody holds one of their locks, and says who: apt itself waits for dpkg's alone, and
 * dpkg for none. It goes on to its end when our connection is lost: what writes into a closed pipe ends in the middle.
 * Services that are named are left to us meanwhile, see SERVICE_GUARD. `$1` seconds to wait, `$2` services, then the command.
 */
const RUN = `
left=$1 services=$2; shift 2
log=/run/slipway/packages.log
${SERVICE_GUARD}
holder() {
  for lock in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
    inode=$(stat -c %i "$lock" 2>/dev/null) || continue
    while read -r number kind mode access pid file rest; do
      [ "$kind $access" = "POSIX WRITE" ] && [ "\${file##*:}" = "$inode" ] || continue
      name=; { read -r name <"/proc/$pid/comm"; } 2>/dev/null
      echo "\${name:-somebody} (process $pid)"
      return
    done </proc/locks
  done
}
wait_for_locks() {
  said=
  while found=$(holder) && [ -n "$found" ]; do
    [ "$found" = "$said" ] || echo "${WAITING} $found"
    said=$found
    [ "$left" -gt 0 ] || exit ${LOCK_TAKEN}
    sleep 1; left=$((left - 1))
  done
}
main() {
  mkdir -p -m 0700 /run/slipway || exit 1
  while :; do
    wait_for_locks
    guard
    ( umask 077; : >"$log" )
    "$@" >"$log" 2>&1 </dev/null &
    command=$!
    unguard_after "$command"
    tail -n +1 -s 0.1 --pid="$command" -f "$log" </dev/null &
    wait "$command"; code=$?
    wait "$!"
    kill "$watch" 2>/dev/null
    unguard
    [ "$code" -ne 0 ] && [ "$left" -gt 0 ] && [ -n "$(holder)" ] || exit "$code"
  done
}
main "$@"
`;

/** How a run is made, beside what every one has. */
export interface AptRun extends RunOptions {
  /** The whole of it, waiting for locks included. */
  readonly timeoutMs: number;
  /** It changes packages: Docker's services are left alone meanwhile. */
  readonly changesPackages: boolean;
}

/** Runs apt or dpkg as root; see {@link aptFailure} for how it may end. */
export function runApt(session: HostSession, argv: readonly string[], run: AptRun): Promise<CommandOutcome> {
  const { onLine, signal, timeoutMs, changesPackages } = run;
  const args = [String(LOCK_WAIT_S), changesPackages ? DOCKER_UNITS : "", ...argv];
  return session.script(RUN, args, {
    sudo: true,
    env: ENVIRONMENT,
    timeoutMs,
    signal,
    onLine: (line) => {
      const holder = holderOf(line);
      onLine?.(holder === undefined ? line : `waiting for ${holder}, which holds the package manager's lock`);
    },
  });
}

/** As `runApt`. @throws SlipwayError engine-install-failed, connection-lost */
export async function mustRunApt(
  session: HostSession,
  what: string,
  argv: readonly string[],
  run: AptRun,
): Promise<void> {
  const outcome = await runApt(session, argv, run);
  if (outcome.kind !== "exited" || outcome.code !== 0) throw aptFailure(session, what, outcome);
}

/** The error of a run that did not end well; it names who holds the lock that was not freed in time. */
export function aptFailure(session: HostSession, what: string, outcome: CommandOutcome): SlipwayError {
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
