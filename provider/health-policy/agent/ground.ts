import { ALIVE } from "../../host/machine/alive-script";
import { MESSAGES } from "./messages";

/** Where a tick has what no reboot has to outlive, and its lock. */
export const RUN_FOLDER = "/run/slipway";

/**
 * The agent's ground: its settings, who holds it, its events, its budget. POSIX sh (dash, busybox, bash) with /proc and, of
 * commands, docker, flock, date, grep, sed, tr, awk, mv, tail, cut, sort, wc, cmp, timeout, and curl or wget for checks over
 * HTTP and messages.
 */
export const GROUND = `
# what the policy says; written anew by every up
LABEL= SERVICES= REPAIR=1 MAX=3 WINDOW=600 BACKOFF=10 WIDTH=1
settings() {
  while read -r name value; do
    case $name in
      label) LABEL=$value ;; service) SERVICES="$SERVICES $value" ;; repair) REPAIR=$value ;;
      max_restarts) MAX=$value ;; window) WINDOW=$value ;; backoff) BACKOFF=$value ;; max_unavailable) WIDTH=$value ;;
    esac
  done <policy
}

${ALIVE}# lives BOOT PID START: the process of a connection; where others' processes cannot be seen it counts as alive
lives() {
  read -r boot </proc/sys/kernel/random/boot_id || return 0
  [ "$1" = "$boot" ] || return 1
  [ -r /proc/1/stat ] || return 0
  alive "$2" "$3"
}
# an up is at work on these containers: it says so in a file, which holds as long as its connection
held() { [ -s hold ] && { read -r a b c <hold; lives "$a" "$b" "$c"; }; }

# JSON lines. Names are the engine's, which have no quotes
event() {
  kind=$1 id=$2 name=$3 made=$4; shift 4
  at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  line="{\\"at\\":\\"$at\\",\\"event\\":\\"$kind\\",\\"container\\":\\"$name\\",\\"id\\":\\"$id\\",\\"restarts\\":$made,\\"why\\":\\"$(json "$*")\\"}"
  printf '%s\\n' "$line" >>log
  printf '%s\\n' "$line"
  [ ! -t 1 ] && [ -z "$JOURNAL_STREAM" ] && command -v logger >/dev/null && logger -t "slipway-health" -- "$line"
  return 0
}
# a log that nobody reads must not fill the disk
trim() {
  [ -f log ] && [ "$(wc -l <log)" -gt 1000 ] || return 0
  tail -n 500 log >log.new && mv -f log.new log
}

# the restarts of a container that count: how many in MADE, when the last one was in LAST
spent() {
  MADE=0 LAST=0
  [ -f ledger ] || return 0
  while read -r who when; do
    [ "$who" = "$1" ] && [ "$when" -gt $((NOW - WINDOW)) ] && [ "$when" -lt $((NOW + WINDOW)) ] || continue
    MADE=$((MADE + 1)) LAST=$when
  done <ledger
}
# rewrite FILE: standard input becomes the file, whole or not at all
rewrite() {
  if cat 2>/dev/null >"$1.new"; then mv -f "$1.new" "$1"; else rm -f "$1.new"; return 1; fi
}
prune() {
  [ -s ledger ] || return 0
  awk -v from="$((NOW - WINDOW))" -v to="$((NOW + WINDOW))" '$2 > from && $2 < to' ledger >"$TMP/ledger" || return 0
  cmp -s ledger "$TMP/ledger" || rewrite ledger <"$TMP/ledger"
}
# pause after MADE restarts: it doubles, but no longer than that all of them find room in the window
pause_of() {
  PAUSE=0
  [ "$1" -gt 0 ] || return 0
  most=$((WINDOW / MAX))
  [ "$most" -ge "$BACKOFF" ] || most=$BACKOFF
  PAUSE=$BACKOFF n=$1
  while [ "$n" -gt 1 ] && [ "$PAUSE" -lt "$most" ]; do PAUSE=$((PAUSE * 2)) n=$((n - 1)); done
  [ "$PAUSE" -le "$most" ] || PAUSE=$most
}
# paused ID: PAUSE has not gone by since LAST; what is left of it is in LEFT. After a time to come, as the clock was put back
# since, it lasts a whole one, from when that was seen
paused() {
  from=$LAST
  if [ "$LAST" -gt "$NOW" ]; then
    from=$(sed -n "s/^$1 $LAST //p" "$TMP/ahead" 2>/dev/null | tail -n 1)
    [ -n "$from" ] && [ "$from" -le "$NOW" ] || { from=$NOW; echo "$1 $LAST $NOW" >>"$TMP/ahead"; }
  fi
  LEFT=$((from + PAUSE - NOW))
  [ "$LEFT" -gt 0 ] || LEFT=0
  [ "$LEFT" -gt 0 ]
}
${MESSAGES}`;
