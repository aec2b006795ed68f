import { SERVICE_GUARD } from "./service-guard";

/**
 * Runs a package manager to its end even when our connection is lost, as what writes into a closed pipe ends in the middle, and
 * when the run is interrupted. Its
 * words go to a file of root's, and are told from there. `$1` services that are left to us meanwhile, see SERVICE_GUARD, then the
 * command.
 */
export const STEADY_RUN = `
services=$1; shift
log=/run/slipway/packages.log
${SERVICE_GUARD}
mkdir -p -m 0700 /run/slipway || exit 1
( umask 077; : >"$log" )
guard
alone "$@" >"$log" 2>&1 </dev/null &
command=$!
unguard_after "$command"
tail -n +1 -f "$log" </dev/null &
told=$!
wait "$command"; code=$?
sleep 1
kill "$told" 2>/dev/null; kill -KILL "$watch" 2>/dev/null
unguard
exit "$code"
`;
