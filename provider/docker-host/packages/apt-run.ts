import type { CommandOutcome, HostSession } from "../../host/session";
import { DOCKER_UNITS } from "../init/systemd";
import { LOCK_WAIT, runFailure, toldLine } from "./lock-wait";
import { LOCK_WAIT_S } from "./package-failure";
import type { RunOptions } from "./package-family";
import { SERVICE_GUARD } from "./service-guard";

const LOCKS =
  "/var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock";
const ENVIRONMENT = {
  DEBIAN_FRONTEND: "noninteractive",
  APT_LISTCHANGES_FRONTEND: "none",
  // needrestart would restart services of others after our installation
  NEEDRESTART_SUSPEND: "1",
};

/**
 * One run of apt or dpkg. It waits while somebody holds one of their locks, and says who: apt itself waits for dpkg's alone, and
 * dpkg for none. It goes on to its end when our connection is lost, as what writes into a closed pipe ends in the middle, and when
 * the run is interrupted.
 * Services that are named are left to us meanwhile, see SERVICE_GUARD. `$1` seconds to wait, `$2` services, then the command.
 */
const RUN = `
left=$1 services=$2; shift 2
locks="${LOCKS}"
log=/run/slipway/packages.log
${SERVICE_GUARD}
${LOCK_WAIT}
main() {
  mkdir -p -m 0700 /run/slipway || exit 1
  while :; do
    wait_for_locks
    guard
    ( umask 077; : >"$log" )
    alone "$@" >"$log" 2>&1 </dev/null &
    command=$!
    unguard_after "$command"
    tail -n +1 -s 0.1 --pid="$command" -f "$log" </dev/null &
    wait "$command"; code=$?
    wait "$!"
    kill -KILL "$watch" 2>/dev/null
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

/** Runs apt or dpkg as root; see {@link runFailure} for how it may end. */
export function runApt(session: HostSession, argv: readonly string[], run: AptRun): Promise<CommandOutcome> {
  const { onLine, signal, timeoutMs, changesPackages } = run;
  const args = [String(LOCK_WAIT_S), changesPackages ? DOCKER_UNITS : "", ...argv];
  return session.script(RUN, args, {
    sudo: true,
    env: ENVIRONMENT,
    timeoutMs,
    signal,
    onLine: (line) => onLine?.(toldLine(line)),
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
  if (outcome.kind !== "exited" || outcome.code !== 0) throw runFailure(session, what, outcome);
}
