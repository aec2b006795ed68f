/** The switch itself, the way back, and what the next one does with what a dead program left. */
export const STEPS = `
# the rules go first, then the copy
finish() { [ "$WAY" = plain ] || { unrule && clear_copy; }; }
unrule() {
  rules_away || { WHY='the rules cannot be removed'; return 1; }
  at unruled
}
# when nobody is connected to it any more
clear_copy() {
  if ! copy_lives; then
    see "$COPY"; case $? in 1) rm -f "$DIR/copy"; return 0 ;; 2) return 0 ;; esac
    COPY_PID=$PID
  fi
  [ "$COPY_PID" = 0 ] || drain 'the copy' "$COPY_PID" "$RELAYS"
  stop_it "$COPY" "$COPY_PID" || say note the copy does not stop: "$WHY"
  say copystopped
  ask 30 rm -f -v "$COPY" >/dev/null || say note the copy cannot be removed: "$WHY"
  rm -f "$DIR/copy"
}
end() {
  kind=$1; shift
  printf 'ended\\n' >"$DIR/phase"
  say end "$kind" "$GAP" "$*"
  exit 0
}
# should the host restart while it is stopped, it comes back; set beside the drain, which has not to wait for it
begin_always() {
  [ "$OLD_RESTART" != always ] || return 0
  if [ "$HTTP" = curl ]; then
    engine -m 10 -o /dev/null -H 'Content-Type: application/json' -d '{"RestartPolicy":{"Name":"always"}}' "http://localhost/containers/$OLD/update" </dev/null >/dev/null 2>&1 3>&- &
  else docker update --restart always "$OLD" >/dev/null 2>&1 </dev/null 3>&- &
  fi
  POLICY=$!
}
is_always() {
  [ "$OLD_RESTART" != always ] || return 0
  [ -n "$POLICY" ] || return 1
  now; RUN=$POLICY RUN_END=$((NOW + 10000)) POLICY=; ended
}
own_policy() {
  [ "$OLD_RESTART" != always ] || return 0
  is_always
  ask 10 update --restart "$OLD_RESTART" "$OLD" || say note its restart policy stays always: "$WHY"
}
kept() { own_policy; end kept "$@"; }

# the old one goes on: nothing was stopped yet
stay() {
  trap '' HUP INT TERM
  now; END=$((NOW + BACK)) STAY_WHY=$*
  say back "$*"
  finish || stuck "$STAY_WHY; $WHY"
  kept "$STAY_WHY"
}
back() {
  trap '' HUP INT TERM
  now; END=$((NOW + BACK)) BACK_WHY=$*
  at back "$*"
  stop_it "$NEXT" '' || say note the candidate does not stop: "$WHY"
  at nextstopped
  serve_old && finish || stuck "$BACK_WHY; the way back: $WHY"
  kept "$BACK_WHY"
}
serve_old() {
  start_it "$OLD" || { WHY="the old one does not start: $WHY"; return 1; }
  at oldstarted
  gate old "$OLD_HEARS" || { WHY="the old one: $WHY"; return 1; }
  at oldgated
}
nobody_listens() { [ -z "$WATCHED" ] || { now; : "\${GAP_FROM:=$NOW}"; WATCHED=; }; }
# both by one command: between two nobody serves, and the second would take time to begin. No: then it is done one by one
stop_and_start() {
  [ "$HTTP" = curl ] && alive "$OLD_PID" || return
  begin $((STOP + 90)) engine --fail-early -m $((STOP + 20)) -o /dev/null -X POST "http://localhost/containers/$OLD/stop?t=$STOP" \\
    --next -s -f -m 60 -o /dev/null --noproxy '*' --unix-socket "$SOCKET" -X POST "http://localhost/containers/$NEXT/start"
  ended_limited
}
# the rules are in and the copy serves, or the old one has been told to stop: from here on it is forward or back
exchange() {
  is_always || ask 10 update --restart always "$OLD" || stay "the old one's policy cannot be set: $WHY"
  [ "$ASKED" = 0 ] || stay asked to end
  [ "$WAY" = plain ] || [ "$HELD" = 1 ] || stay the copy died
  in_time || stay the time is over
  at stopping
  # the copy serves meanwhile: nobody waits for this
  if [ "$HELD" = 1 ]; then SERVED_BY=copy; heard "$COPY_PID"; COPY_HEARS=$known; else WATCHED=$OLD_PID; fi
  if stop_and_start; then nobody_listens; at oldstopped
  else
    stop_it "$OLD" "$OLD_PID" || back "the old one does not stop: $WHY"
    nobody_listens
    at oldstopped
    [ "$ASKED" = 0 ] || back asked to go back
    in_time || back the time is over
    start_it "$NEXT" || back "the candidate does not start: $WHY"
  fi
  at nextstarted
  gate next "$COPY_HEARS" || back "the candidate: $WHY"
  forward
}
forward() {
  trap '' HUP INT TERM
  at nextgated
  now; [ "$END" -gt $((NOW + BACK)) ] || END=$((NOW + BACK))
  [ "$WAY" = plain ] || unrule || stuck "the candidate serves; $WHY"
  # an engine that is restarted meanwhile takes it along, and brings the old one back
  passed_lives || { now; : "\${GAP_FROM:=$NOW}"; back the candidate ended after it had passed its gate; }
  SERVED_BY=next
  serves_alone
}
# that is said at once: what the copy still answers may take its time
serves_alone() {
  [ "$WAY" = bridged ] || end switched the candidate serves
  trap '' HUP INT TERM
  printf 'clearing\n' >"$DIR/phase"
  # one that was started again has said so already, with the gap that it saw
  grep -q '^[0-9]* end switched' "$DIR/events" || say end switched "$GAP" the candidate serves
  clear_copy
  printf 'ended\n' >"$DIR/phase"
  exit 0
}
known_old() { runs "$OLD" || end plain-instead the old one does not run; OLD_PID=$PID; }
# who comes after us has to know it, too
know_what_old_hears() { OLD_HEARS=$1; printf '%s\\n' "$1" >"$DIR/old-hears"; }
known_copy() { runs "$COPY" && alive "$PID" || return 1; COPY_PID=$PID COPY_START=$START; }
# both by one call; no when one of them does not run, or is not there
known_both() {
  got "$COPY" "$OLD" || ask 5 inspect --type container -f "$SEEN" "$COPY" "$OLD" || return
  COPY_PID= OLD_PID=
  { read -r COPY_PID _; read -r OLD_PID _; } <"$DIR/out"
  alive "$OLD_PID" && alive "$COPY_PID" || return
  COPY_START=$START
}
# the very process that the gate saw last
passed_lives() { alive "$G_PID" && [ "$START" = "$G_START" ]; }
copy_lives() { [ -n "$COPY_PID" ] && alive "$COPY_PID" && [ "$START" = "$COPY_START" ]; }

plain() { known_old; heard "$OLD_PID"; know_what_old_hears "$known"; exchange; }
bridged() {
  known_both || { known_copy || end plain-instead the copy does not run; known_old; }
  pick || end plain-instead "no rule of Docker's for the copy was found"
  rules_on || end plain-instead "the rules were not taken: $WHY"
  at ruled
  begin_always
  drain 'the old one' "$OLD_PID" "$HOST_TCP"
  know_what_old_hears "$DRAIN_HEARD"
  [ "$HELD" = 1 ] || { own_policy; end plain-instead the copy died; }
  [ "$ASKED" = 0 ] || stay asked to end
  in_time || stay the time is over
  ! filtered || { FILTERED=$WHY; rules_away || stuck "$FILTERED; the rules cannot be removed"; [ -z "$COPY_PID" ] || drain 'the copy' "$COPY_PID" "$RELAYS"; own_policy; end plain-instead "$FILTERED"; }
  exchange
}

# the copy that the rules hang, or hung, on
known_to_hold() { COPY_PID= COPY_START=; { read -r COPY_PID COPY_START <"$DIR/copy"; } 2>/dev/null; }
# what a program that died left: rules of a dead copy go at once, a live one is let in only when it is good, and first of all somebody serves
held_rules() {
  HELD=0
  known_to_hold || return 0
  if alive "$COPY_PID" && [ "$START" = "$COPY_START" ] && pick; then
    heard "$COPY_PID"; COPY_HEARS=$known HELD=1 LOOK_AT=0; look
  else rules_off && say copydied the rules of a dead copy are off
  fi
}
gap_goes_on() { [ "$old_rc" = 0 ] || [ -n "$GAP_FROM" ] || [ "$HELD" = 1 ] || GAP_FROM=$NOW; }
recover() {
  { read -r DIED_AT <"$DIR/phase"; read -r OLD_HEARS <"$DIR/old-hears"; } 2>/dev/null
  now; END=$((NOW + BACK)) PHASE=recover
  say recover after "\${DIED_AT:-nothing}"
  held_rules
  # a call that it began goes on without it: what it was waiting for must not come later, and turn over what is decided now
  { read -r LAST LAST_START <"$DIR/run"; } 2>/dev/null && alive "$LAST" && [ "$START" = "$LAST_START" ] && kill -9 "$LAST" 2>/dev/null
  runs "$OLD"; old_rc=$? OLD_PID=\${PID:-0}
  # the engine may have been told to stop it, and goes on with that: only one that is there after the longest stop stays
  if [ "\${DIED_AT:-}" = stopping ] && [ "$old_rc" = 0 ]; then
    now; STOP_END=$((NOW + STOP * 1000 + 3000))
    while alive "$OLD_PID" && [ "$NOW" -lt "$STOP_END" ]; do pause 0.1; now; done
    runs "$OLD"; old_rc=$? OLD_PID=\${PID:-0}
    now; END=$((NOW + BACK))
  fi
  # the candidate has been told to stop, and may answer until the engine kills it: there is no way forward any more
  case \${DIED_AT:-} in back | nextstopped | oldstarted | oldgated) gap_goes_on; back "recovered after $DIED_AT" ;; esac
  runs "$NEXT"; next_rc=$?
  if [ "$next_rc" = 0 ] && gate next "$COPY_HEARS"; then
    # it serves on the port, or stands ready behind the rules: a live one beside it cannot have the port
    [ "$old_rc" != 0 ] || stop_it "$OLD" "$OLD_PID" || stuck "both run: $WHY"
    forward
  fi
  [ "$next_rc" != 0 ] || back "recovered: the candidate: $WHY"
  gap_goes_on
  [ "$old_rc" != 0 ] || { gate old "$OLD_HEARS" && finish && kept "recovered after \${DIED_AT:-nothing}"; }
  back "recovered after \${DIED_AT:-nothing}"
}

# neither serves on its own: while the copy does, the rules stay, and so do we; the old one is tried again and again
stuck() {
  trap 'exit 0' HUP INT TERM
  printf 'stuck\\n' >"$DIR/phase"
  say end stuck "$GAP" "$*"
  now; LAST=$((NOW + 600000)) WAIT=5000
  while [ "$HELD" = 1 ] || [ "$NOW" -lt "$LAST" ]; do
    now; AGAIN=$((NOW + WAIT))
    while [ "$NOW" -lt "$AGAIN" ]; do pause 0.2; now; done
    [ "$WAIT" -ge 60000 ] || WAIT=$((WAIT * 2))
    END=$((NOW + BACK))
    answers || continue
    if runs "$NEXT" && gate next "$COPY_HEARS"; then finish && { say settled the candidate serves; break; }
    elif serve_old && finish; then own_policy; say settled the old one serves; break
    fi
  done
  [ "$HELD" = 1 ] || rules_off
  printf 'ended\\n' >"$DIR/phase"
  exit 0
}
`;
