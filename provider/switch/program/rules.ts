/** Rules by their comment, in whatever backend they stand: all that clearing them needs. `SERVICE` names them. */
export const RULES_BY_COMMENT = `
# looking with the legacy commands makes their tables: they are asked only where those are. Asked once: rules of ours come into no
# other than the one that was picked
BACKENDS=
backends() {
  echo iptables
  another iptables iptables-nft && echo iptables-nft
  ! { grep -qs '^nat$' /proc/net/ip_tables_names && another iptables iptables-legacy; } || echo iptables-legacy
  command -v ip6tables-save >/dev/null || return 0
  echo ip6tables
  another ip6tables ip6tables-nft && echo ip6tables-nft
  ! { grep -qs '^nat$' /proc/net/ip6_tables_names && another ip6tables ip6tables-legacy; } || echo ip6tables-legacy
}
# another NAME OTHER: a command of its own, and not the same one by another name
another() { ! [ "$(command -v "$1-save")" -ef "$(command -v "$2-save")" ] && command -v "$2-save" >/dev/null; }
# the rules of a backend in ALL; most have none of ours, which needs no further command
saved() { ALL=$("$1-save" -t nat 2>/dev/null); case $ALL in *"slipway:$SERVICE"*) ;; *) return 1 ;; esac; }
mine() { printf '%s\\n' "$ALL" | grep -F "$@" -e "--comment \\"slipway:$SERVICE\\" " -e "--comment slipway:$SERVICE "; }
ours() { saved "$1" && mine; }
count() { if saved "$1"; then mine -c; else echo 0; fi; }
rules_off() {
  RULES_LEFT=0
  for backend in \${BACKENDS:=$(backends)}; do
    tries=0
    while mine=$(ours "$backend"); do
      # a rule that somebody took away meanwhile fails the whole transaction: then it is looked at again
      printf '*nat\\n%s\\nCOMMIT\\n' "$mine" | sed 's/^-A /-D /' | "$backend-restore" -w 5 -n 2>/dev/null && continue
      tries=$((tries + 1)); [ "$tries" -lt 3 ] || { RULES_LEFT=1; break; }
    done
  done
  [ "$RULES_LEFT" = 0 ]
}
`;

/** Setting, watching and judging the rules of a bridged switch. */
export const RULES = `
# the backend that Docker's own rules for the copy stand in: in another one ours would be looked at too late, or never
pick() {
  for IPT in \${BACKENDS:=$(backends)}; do
    case $IPT in ip6*) continue ;; esac
    "$IPT-save" -t nat 2>/dev/null | grep -qF -e "--to-destination $COPY_ADDRESS:" && { IPT6=ip6\${IPT#ip}; return 0; }
  done
  return 1
}
put() {
  [ "$RULES4" = 0 ] || "$IPT-restore" -w 5 -n <"$DIR/rules4" 2>"$DIR/err" || return 1
  [ "$RULES6" = 0 ] || "$IPT6-restore" -w 5 -n <"$DIR/rules6" 2>"$DIR/err"
}
# all of them anew, each family in one transaction: at no moment does none stand
put_again() {
  [ "$RULES4" = 0 ] || renew "$IPT" rules4 || return 1
  [ "$RULES6" = 0 ] || renew "$IPT6" rules6
}
renew() {
  { echo '*nat'; ours "$1" | sed 's/^-A /-D /'; grep -e '^-' "$DIR/$2"; echo COMMIT; } | "$1-restore" -w 5 -n 2>"$DIR/err"
}
stand() {
  { [ "$RULES4" = 0 ] || [ "$(count "$IPT")" = "$RULES4" ]; } && { [ "$RULES6" = 0 ] || [ "$(count "$IPT6")" = "$RULES6" ]; }
}
rules_on() {
  rules_off || { WHY='rules of an earlier switch cannot be removed'; return 1; }
  # before the first rule: who comes after us has to know whose life they hang on
  printf '%s %s\\n' "$COPY_PID" "$COPY_START" >"$DIR/copy"
  OPENS0=$(opens)
  put || { first_line err; WHY=$FIRST; rules_off; return 1; }
  HELD=1 LOOK_AT=0; flush
}
rules_away() {
  until rules_off; do in_time || return 1; sleep 0.2; done
  HELD=0; flush
}
# known flows of UDP keep going where they went: they are forgotten, so that they are sent by the rules of now. Those of TCP end
# with their drain, and what the engine finds of a container that stops it forgets itself: a first packet that was dropped, for
# the listener's queue was full, comes again and goes by the rules, too
flush() {
  for port in $UDP; do
    command -v conntrack >/dev/null || { say note no conntrack: UDP flows that go on stay where they are; return 0; }
    conntrack -D -p udp --orig-port-dst "$port" >/dev/null 2>&1
    [ "$RULES6" = 0 ] || conntrack -D -f ipv6 -p udp --orig-port-dst "$port" >/dev/null 2>&1
  done
  return 0 # conntrack calls it a failure when there was none to forget
}
# in every wait, and without the daemon: a dead copy takes the rules with it, and rules that vanished are put back
look() {
  [ -z "$WATCHED" ] || watch_old
  [ "$HELD" = 1 ] || return 0
  if ! copy_lives; then
    [ "$SERVED_BY" != copy ] || [ -n "$GAP_FROM" ] || { now; GAP_FROM=$NOW; }
    rules_off || return 0
    HELD=0; say copydied the copy died: rules off
    return 0
  fi
  now; [ "$NOW" -ge "$LOOK_AT" ] || return 0
  LOOK_AT=$((NOW + 250))
  # who lists them while others write may see too few of them
  stand || stand || { put_again && flush && say note rules were gone: put back; }
}
opens() { awk '$1 == "Tcp:" && $7 ~ /^[0-9]+$/ { print $7 }' "/proc/$COPY_PID/net/snmp" 2>/dev/null; }
# connections that the rules took: straight to the copy from outside, and by the host or docker-proxy, which no filter stops
hits() {
  { ours_counted "$IPT"; [ "$RULES6" = 0 ] || ours_counted "$IPT6"; } | awk -v a=" $COPY_ADDRESS:" -v b=" [$COPY_ADDRESS6]:" '
    / -p tcp / { split($1, n, /[^0-9]+/); if ($2 $3 == "-APREROUTING" && !/ -i / && (index($0, a) || index($0, b))) straight += n[2]
      else if (!/ POSTROUTING /) other += n[2] } END { print straight + 0, other + 0 }'
}
ours_counted() { "$1-save" -c -t nat 2>/dev/null | grep -F -e "--comment \\"slipway:$SERVICE\\" " -e "--comment slipway:$SERVICE "; }
# somebody's firewall lets the old one's address in and not the copy's: the rules take connections that never arrive
filtered() {
  set -- $(hits)
  STRAIGHT=$1 OPENED=$(opens); OPENED=$((\${OPENED:-0} - \${OPENS0:-0} - $2))
  [ "$STRAIGHT" -ge 4 ] && [ $((OPENED * 2)) -lt "$STRAIGHT" ] || return 1
  WHY="the rules took $STRAIGHT connections from outside and the copy saw $((OPENED > 0 ? OPENED : 0)): a firewall of the host keeps them from it"
}
`;
