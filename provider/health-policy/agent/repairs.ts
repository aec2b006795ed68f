import { DRAIN_TIMEOUT_MS } from "../../proxy/route";

/** A gave-up one that has not been sick for so long is well again, and may be given up anew. */
const WELL_SECONDS = 120;

/** So long what a container has open may end before it is restarted; as in an up. */
const DRAIN_SECONDS = DRAIN_TIMEOUT_MS / 1_000;

/** What is done about those who are not well: the same rules as an up's (plan, bring-back), a step at every turn. */
export const REPAIRS = `
# containers of a service change places: one of them runs beside a live one, or a live one that a switch has stopped, which it
# marks by the restart policy, has its successor
in_switch() {
  awk -F '|' -v s="$1" -v to="$TMP/" '
    FILENAME == to "down" { split($0, a, " "); if (a[5] == "always") marked[a[1]] = 1; next }
    FILENAME == to "list" { state[$3] = $2; next }
    $1 == s {
      if (state[$3 ".next"] ~ /^(running|restarting)$/ || state[$3 ".try"] ~ /^(running|restarting)$/) at = 1
      if (state[$3 ".next"] != "" && state[$3] == "exited" && marked[$2]) at = 1
    }
    END { exit !at }
  ' "$TMP/down" "$TMP/list" "$TMP/all"
}
# a deployment has the service: it holds the lock, or its containers change places
in_rollout() {
  [ -n "$1" ] || return 1
  in_switch "$1" && return 0
  lock=$(engine inspect --type container --format '{{index .Config.Labels "slipway.lock.session"}}' "slipway.lock.$1") || {
    # no such lock, or an engine that does not answer
    engine ps --quiet >/dev/null && return 1
    return 0
  }
  set -- $lock
  [ $# = 3 ] || return 0
  lives "$@"
}

# of one service: how many are SICK of ALL, and who they are, in all.of
members() {
  awk -F '|' -v s="$1" '$1 == s' "$TMP/all" >"$TMP/all.of"
  ALL=$(wc -l <"$TMP/all.of") SICK=$(awk -F '|' -v s="$1" '$3 == s' "$TMP/sick" | wc -l)
  ALL=$((ALL)) SICK=$((SICK))
}
# once FILE WORD: whether the word is new there
once() { grep -qxF "$2" "$TMP/$1" 2>/dev/null || { echo "$2" >>"$TMP/$1"; return 0; }; return 1; }

# Docker's word counts for whom it checks
starting() {
  [ -n "$STARTING" ] || STARTING=" $(listed --quiet --filter health=starting | awk -F '|' -v to="$TMP/" '
    FILENAME == to "own" { own[$1] = 1; next }
    !own[$1] { printf "%s ", $1 }
  ' "$TMP/own" -)"
}

# who of a service is not there just now, in BUSY: those that are starting, or were restarted a moment ago
busy_in() {
  BUSY=' '
  starting
  while IFS='|' read -r _ other _; do
    if grep -qx "$other" "$TMP/young"; then busy "$other"; continue; fi
    case $STARTING in *" $other "*) busy "$other"; continue ;; esac
    spent "$other"
    [ "$MADE" -eq 0 ] || [ $((NOW - LAST)) -ge 10 ] || [ $((LAST - NOW)) -ge 10 ] || busy "$other"
  done <"$TMP/all.of"
}
busy() { case $BUSY in *" $1 "*) ;; *) BUSY="$BUSY$1 " ;; esac; }
# room_for ID: whether it may be restarted now; it does not stand in its own way
room_for() {
  room=$WIDTH
  for other in $BUSY; do [ "$other" = "$1" ] || room=$((room - 1)); done
  [ "$room" -gt 0 ]
}

# restart ID NAME WHICH WHY SERVICE
restart() {
  [ -z "$5" ] || step_aside "$1" "$5"
  # while what it had open ended a deployment can have begun, and even be through
  if [ -f "$TMP/aside.$1" ] && ! as_before "$1" "$2" "$5"; then end_aside "$1"; return 0; fi
  # before it is done: one that is killed in between must not find its budget whole
  if ! echo "$1 $(date +%s)" 2>/dev/null >>ledger; then
    once told "$1" && event failed "$1" "$2" "$3" "its restart cannot be noted, so it is not made (is the disk full?); $4"
    end_aside "$1"
    return 0
  fi
  if timeout 900 docker restart "$1" >/dev/null 2>"$TMP/err.$1"; then
    event restarted "$1" "$2" "$3" "$4"
    notify "Slipway restarted $2 on $HOST (restart $3 of $MAX): $4"
  else
    event failed "$1" "$2" "$3" "Docker refuses to restart it; $4"
  fi
  rm -f "$TMP/err.$1"
}

# who is to be restarted gets no new requests until it is well again, or given up; its places stand in a file, which outlives a
# turn that is killed, once each, though it is aside still when it is restarted again
step_aside() {
  aside "$2" "$1" >>"$TMP/aside.$1"
  sort -u "$TMP/aside.$1" >"$TMP/noted.$1" && mv -f "$TMP/noted.$1" "$TMP/aside.$1"
  all_drained "$1" ${DRAIN_SECONDS} <"$TMP/aside.$1"
  [ -s "$TMP/aside.$1" ] || rm -f "$TMP/aside.$1"
}
end_aside() {
  [ -f "$TMP/aside.$1" ] || return 0
  all_back "$1" <"$TMP/aside.$1"
  rm -f "$TMP/aside.$1"
}
# as_before ID NAME SERVICE: right before the restart
as_before() {
  [ "$(engine inspect --type container --format '{{.Name}}' "$1")" = "/$2" ] && ! in_rollout "$3"
}
# an up may be about to restart whom it finds sick, though not so often yet as its check says
ails() {
  grep -qx "$1" "$TMP/young" && return 0
  if [ -n "$HELD" ]; then grep -q "^$1 [1-9]" "$TMP/streaks" 2>/dev/null || grep -q "^$1|" "$TMP/sick"
  else grep -q "^$1|" "$TMP/sick" && ! given_up "$1"; fi
}
# whether it has to stay aside: it is sick or starting, and another one serves
stays() {
  starting
  case $STARTING in *" $1 "*) ;; *) ails "$1" || return 1 ;; esac
  while read -r service folder place; do
    beside "$folder" "$service" "$1" >/dev/null || return 1
  done <"$TMP/aside.$1"
}
some_aside() { set -- "$TMP"/aside.*; [ -f "$1" ]; }
come_back() {
  for file in "$TMP"/aside.*; do
    [ -f "$file" ] || continue
    id=\${file##*/aside.}
    [ "$1" != all ] && stays "$id" && continue
    end_aside "$id"
  done
}

give_up() {
  if grep -q "^$1 " gave-up 2>/dev/null; then
    { grep -v "^$1 " gave-up; echo "$1 $NOW"; } | rewrite gave-up
    return 0
  fi
  echo "$1 $NOW" 2>/dev/null >>gave-up || once told "$1" || return 0
  event gave-up "$1" "$2" "$MADE" "$3"
  notify "Slipway gave up on $2 on $HOST after $MADE restart$([ "$MADE" = 1 ] || echo s) within \${WINDOW}s: $3"
}
given_up() { grep -q "^$1 " gave-up 2>/dev/null; }
forgive() {
  [ -s gave-up ] || return 0
  # who is sick, and left alone for another's sake, is not well; a time to come is of a clock that was put back since
  awk -v now="$NOW" -v to="$TMP/" '
    FILENAME == to "sick" { split($0, a, "|"); sick[a[1]] = 1; next }
    sick[$1] || $2 > now { print $1, now; next }
    $2 > now - ${WELL_SECONDS}
  ' "$TMP/sick" gave-up >"$TMP/gave-up" || return 0
  cmp -s gave-up "$TMP/gave-up" && return 0
  while read -r id when; do
    grep -q "^$id " "$TMP/gave-up" && continue
    at=$(grep -F "|$id|" "$TMP/all") && event recovered "$id" "\${at##*|}" 0 it is well again
  done <gave-up
  rewrite gave-up <"$TMP/gave-up"
}

repair() {
  [ -s "$TMP/sick" ] || return 0
  : >"$TMP/now"
  while IFS='|' read -r id name service why; do
    in_rollout "$service" && continue
    printf '%s|%s|%s|%s\\n' "$service" "$id" "$name" "$why" >>"$TMP/now"
  done <"$TMP/sick"
  # one service after another, so that its own are counted together
  sort "$TMP/now" >"$TMP/sorted"
  former='|'
  while IFS='|' read -r service id name why; do
    if [ "$REPAIR" != 1 ]; then
      once told "$id" && event unhealthy "$id" "$name" 0 "$why; the policy only reports"
      continue
    fi
    if [ -n "$service" ]; then
      members "$service"
      if [ "$SICK" -gt 1 ] && [ $((SICK * 2)) -gt "$ALL" ]; then
        once mass "$service" && event mass "$id" "$name" 0 "$SICK of $ALL of its service are unhealthy at once, which no restart mends" &&
          notify "Slipway restarts nothing of $service on $HOST: $SICK of $ALL are unhealthy at once"
        continue
      fi
    else echo "|$id|$name" >"$TMP/all.of"
    fi
    [ "$service" = "$former" ] && [ -n "$service" ] || { busy_in; former=$service; }
    spent "$id"
    if given_up "$id" || [ "$MADE" -ge "$MAX" ]; then give_up "$id" "$name" "$why"; continue; fi
    pause_of "$MADE"
    paused "$id" && continue
    room_for "$id" || continue
    busy "$id"
    # what it failed before is of its former life
    [ ! -f "$TMP/streaks" ] || { grep -v "^$id " "$TMP/streaks"; :; } | rewrite "$TMP/streaks"
    restart "$id" "$name" $((MADE + 1)) "$why" "$service" &
  done <"$TMP/sorted"
  wait
}
# what is told once is told anew when it comes back
forget() {
  [ -f "$TMP/mass" ] || [ -f "$TMP/told" ] || return 0
  [ ! -f "$TMP/told" ] || { cut -d '|' -f 1 "$TMP/sick" | grep -xF -f "$TMP/told" | rewrite "$TMP/told"; }
  [ ! -f "$TMP/mass" ] || { cut -d '|' -f 3 "$TMP/sick" | sort -u | grep -xF -f "$TMP/mass" | rewrite "$TMP/mass"; }
}
`;
