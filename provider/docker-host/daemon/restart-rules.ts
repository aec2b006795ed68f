/** The chains of ours that keep published ports open while a daemon restarts. */
const RESTART_CHAIN = "SLIPWAY-RESTART";
/**
 * `PID START` of the program whose rules stand now: written before the first of them, removed after the last. Everybody may read
 * it, so that a look without root's rights knows of rules that nobody will take off.
 */
const RESTART_MARK = "/run/slipway-restart";

/** When a process started: its number alone may be another one's by now. */
const START_OF = `
start_of() {
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  set -f; set -- \${stat##*) }
  echo "\${20}"
}`;

/** `drop` takes all rules of ours off; `alive PID START` is whether that very process lives. */
export const DROP_RULES = `
chain=${RESTART_CHAIN} mark=${RESTART_MARK}
# by what stands, each table by itself: who was killed in between may have left any part
drop() {
  dropped=0
  for tables in iptables ip6tables; do
    command -v "$tables-save" >/dev/null && command -v "$tables-restore" >/dev/null || continue
    for table in nat filter; do
      tries=0
      while ours=$("$tables-save" -t "$table" 2>/dev/null | grep -e "$chain"); do
        {
          echo "*$table"
          printf '%s\\n' "$ours" | sed -n "s/^-A \\(.* -j $chain\\)$/-D \\1/p"
          echo "-F $chain"; echo "-X $chain"; echo COMMIT
        } | "$tables-restore" -w 10 --noflush && continue
        # a rule that somebody took away meanwhile fails the whole transaction: then it is looked at again
        tries=$((tries + 1)); [ "$tries" -lt 3 ] || { dropped=1; break; }
      done
    done
  done
  return "$dropped"
}
${START_OF}
alive() { [ "$(start_of "$1")" = "$2" ]; }
`;

/** Waits for a restart that is under way, and takes off what one left that was killed; as often as wanted. */
export const CLEAR_RESTART = `${DROP_RULES}
main() {
  while { read -r pid start <"$mark"; } 2>/dev/null; do
    if alive "$pid" "$start"; then sleep 1; continue; fi
    drop && rm -f -- "$mark" || return 1
  done
}
main
`;

/** A part of the look at a machine, for anybody: `restart-rules yes` where rules stand that nobody will take off. */
export const LOOK_FOR_RULES = `
${START_OF}
if { read -r pid start <${RESTART_MARK}; } 2>/dev/null; then
  [ "$(start_of "$pid")" = "$start" ] || echo "restart-rules yes"
fi
`;
