/**
 * Runs a package manager to its end even when our connection is lost: what writes into a closed pipe ends in the middle. Its
 * words go to a file of root's, and are told from there. `$@` the command.
 */
export const STEADY_RUN = `
log=/run/slipway/packages.log
mkdir -p -m 0700 /run/slipway || exit 1
( umask 077; : >"$log" )
"$@" >"$log" 2>&1 </dev/null &
command=$!
tail -n +1 -f "$log" </dev/null &
told=$!
wait "$command"; code=$?
sleep 1
kill "$told" 2>/dev/null
exit "$code"
`;
