/** Asking a container whether it is well, and waiting for its open connections. */
export const GATE = `
# heard PID: the TCP ports of the order that its network namespace listens on; the listening ones stand first in the table
heard() {
  HEARD=
  for table in tcp tcp6; do
    { while read -r _ local _ st _; do
      case $st in 0A) HEARD="$HEARD \${local##*:}" ;; st) ;; *) break ;; esac
    done <"/proc/$1/net/$table"; } 2>/dev/null
  done
  known=
  for port in $TCP; do case "$HEARD " in *" $port "*) known="$known $port" ;; esac; done
}
# listens PORTS: whether all of these were heard
listens() { for port in $1; do case "$HEARD " in *" $port "*) ;; *) return 1 ;; esac; done; }
hears() { heard "$1"; listens "$2"; }

# open_connections PID PORTS: how many are open on the service's ports, and on the host's that docker-proxy hands on from:
# established, not yet whole, or closing with something that the other side may not have; after it, which ports of the order are
# listened on. The container's own first: the host's end of one that docker-proxy hands on is there before them and after
open_connections() {
  { cat "/proc/$1/net/tcp" "/proc/$1/net/tcp6"; echo host; cat /proc/net/tcp /proc/net/tcp6; } 2>/dev/null | awk -v want=" $TCP " -v on_host=" $2 " '
    $1 == "host" { want = on_host; host = 1 } { split($2, a, ":") } !index(want, " " a[2] " ") { next }
    $4 ~ /^(01|03|04|08|09|0B)$/ { n++ } $4 == "0A" && !host && !seen[a[2]]++ { heard = heard " " a[2] } END { print n + 0 heard }'
}
# drain NAME PID PORTS: until none is open. What the rules still let through is there when the first look is taken. What it listens
# on is in DRAIN_HEARD
drain() {
  now; DRAIN_END=$((NOW + DRAIN)) DRAIN_NAME=$1 DRAIN_PID=$2 DRAIN_PORTS=$3 DRAIN_HEARD=
  pause 0.01
  while alive "$DRAIN_PID"; do
    set -- $(open_connections "$DRAIN_PID" "$DRAIN_PORTS")
    OPEN=\${1:-0}; shift; DRAIN_HEARD=$*
    [ "$OPEN" != 0 ] || { say drained "$DRAIN_NAME"; return 0; }
    in_time && [ "$NOW" -lt "$DRAIN_END" ] || { say drained "$DRAIN_NAME, but for $OPEN connections that stayed open"; return 0; }
    [ "$PHASE" != ruled ] || { [ "$ASKED" = 0 ] && [ "$HELD" = 1 ]; } || return 0
    pause 0.01
  done
}

# what asks over HTTP from the host itself
find_http() {
  HTTP=none
  if command -v curl >/dev/null; then HTTP=curl
  elif command -v wget >/dev/null; then
    case $(wget --version 2>/dev/null) in *'GNU Wget'*) HTTP=wget ;; *) HTTP=busybox ;; esac
  elif command -v busybox >/dev/null && busybox wget --help >/dev/null 2>&1; then HTTP=busybox
  fi
}
get() {
  case $HTTP in
    curl) begin $(($1 + 1)) curl -q -s -g -o /dev/null --noproxy '*' -m "$1" -w '%{http_code}' "$2" ;;
    wget) begin $(($1 + 1)) wget -q -S -O /dev/null --no-config --no-proxy --max-redirect=0 -t 1 -T "$1" "$2" ;;
    busybox) if command -v wget >/dev/null; then begin $(($1 + 1)) wget -S -O /dev/null -T "$1" "$2"; else begin $(($1 + 1)) busybox wget -S -O /dev/null -T "$1" "$2"; fi ;;
  esac
  heard "$G_PID"
  ended; GOT=$?
  # curl prints the status; the others say the server's answers, the first of which is ours
  if [ "$HTTP" = curl ]; then first_line out; STATUS=$FIRST
  else STATUS=$(cat "$DIR/out" "$DIR/err" 2>/dev/null | sed -n 's/^.*HTTP\\/[0-9.]* \\([0-9][0-9][0-9]\\).*/\\1/p' | sed -n 1p)
  fi
  [ -n "$STATUS" ] || STATUS=000
}
probe_http() {
  case $IP in *:*) host=[$IP] ;; *) host=$IP ;; esac
  path=$4; case $path in /*) ;; *) path=/$path ;; esac
  if [ "$HTTP" = none ]; then SAID="port $2 is not listened on"; hears "$G_PID" "$(printf %04X "$2")"; return; fi
  get "$1" "http://$host:$2$path"
  [ "$GOT" != 124 ] && ! { [ "$HTTP" = curl ] && [ "$GOT" = 28 ]; } || { SAID="GET $4: no answer"; return 124; }
  if [ "$STATUS" = 000 ]; then SAID="GET $4: no answer"; else SAID="GET $4: status $STATUS"; fi
  case $3 in -) case $STATUS in 2?? | 3??) ;; *) return 1 ;; esac ;; *) [ "$STATUS" = "$3" ] ;; esac
}
# the words come from the order one by one, and go to docker as they are
probe_command() {
  who=$1 seconds=$2; shift 2
  while read -r name value; do
    [ "$name" != "\${who}_arg" ] || { word=$(printf '%b.' "$value"); set -- "$@" "\${word%.}"; }
  done <"$DIR/order"
  begin "$seconds" docker exec "$G_ID" "$@"
  heard "$G_PID"
  ended; GOT=$?; first_line out; SAID=$FIRST; first_line err; SAID="exit code $GOT \${SAID:-$FIRST}"
  [ "$GOT" != 124 ] || SAID='no end'
  return "$GOT"
}
# probe next|old KIND ...: 0 good, 124 no answer within its time, else bad; why is in SAID, and what it listened on meanwhile in HEARD
probe() {
  case $2 in
    http) probe_http "$3" "$4" "$5" "$6" ;;
    tcp) SAID='its port is not listened on'; hears "$G_PID" "$4" ;;
    command) probe_command "$1" "$3" ;;
    *) SAID='it does not run'; heard "$G_PID" ;;
  esac
}

duration() { if [ $(($1 % 1000)) = 0 ]; then printf '%ss' $(($1 / 1000)); else printf '%sms' "$1"; fi; }

# gate next|old PORTS: good without a break for its time, and listening on these; served counts from the first good answer.
# A probe costs the container something: it comes at once when the port is listened on, and every 250 ms, or when it decides
gate() {
  who=$1 ports=$2 G_SINCE= G_PID= G_START= G_PORT= G_DUE=0 SAID='it does not run'
  case $who in
    next) G_ID=$NEXT G_MIN=$NEXT_MIN G_LIMIT=$NEXT_DEADLINE; set -- $NEXT_CHECK ;;
    old) G_ID=$OLD G_MIN=$OLD_MIN G_LIMIT=$OLD_DEADLINE; set -- $OLD_CHECK ;;
  esac
  [ "$1" != http ] || G_PORT=$(printf %04X "$3")
  now; G_END=$((NOW + G_LIMIT))
  while :; do
    [ "$who" = old ] || [ "$ASKED" = 0 ] || { WHY='asked to go back'; return 1; }
    in_time || { WHY="not healthy before the switch has to end: $SAID"; return 1; }
    [ "$NOW" -lt "$G_END" ] || { WHY="was not healthy within $(duration "$G_LIMIT") ($SAID)"; return 1; }
    if [ -z "$G_PID" ]; then
      see "$G_ID" || return 1
      if [ "$PID" != 0 ] && alive "$PID"; then G_PID=$PID G_START=$START G_DUE=$((NOW + 250)); fi
    elif ! alive "$G_PID" || [ "$START" != "$G_START" ]; then G_PID= G_SINCE= SAID='it stopped'
    fi
    if [ -z "$G_PID" ]; then
      # the old one is started again by the engine, if need be
      [ "$who" = old ] || { WHY="it stopped$(last_exit)"; return 1; }
      pause 0.05
    elif [ "$NOW" -lt "$G_DUE" ] && { [ -n "$G_SINCE" ] || ! hears "$G_PID" "$G_PORT"; }; then
      if [ -n "$G_SINCE" ]; then rest $((G_DUE - NOW)); else pause 0.01; fi
    else
      probe "$who" "$@"; verdict=$?
      [ "$verdict" != 124 ] || { WHY="not healthy: $SAID"; return 1; }
      now; G_DUE=$((NOW + 250))
      if [ "$verdict" = 0 ] && ! listens "$ports"; then SAID='it does not listen'; verdict=1; fi
      if [ "$verdict" = 0 ] && alive "$G_PID"; then
        : "\${G_SINCE:=$NOW}"
        [ "$HELD" = 1 ] || served
        [ $((NOW - G_SINCE)) -lt "$G_MIN" ] || return 0
        [ "$G_DUE" -le $((G_SINCE + G_MIN)) ] || G_DUE=$((G_SINCE + G_MIN))
      else
        G_SINCE=
        pause 0.05
      fi
    fi
  done
}
# rest MS: until then, or a while; the clock goes in steps of 10 ms
rest() { if [ "$1" -ge 20 ]; then pause 0.02; else pause 0.01; fi; }
last_exit() { ask 5 inspect --type container -f ' with exit code {{.State.ExitCode}}{{if .State.OOMKilled}}, out of memory{{end}}' "$G_ID" >/dev/null && printf '%s' " $OUT"; }
# nobody serves from the moment on that the old one listens no more
watch_old() {
  { alive "$WATCHED" && hears "$WATCHED" "$OLD_HEARS"; } || { now; GAP_FROM=$NOW WATCHED=; }
}
served() { [ -z "$GAP_FROM" ] || { GAP=$((GAP + NOW - GAP_FROM)) GAP_FROM=; }; }
`;
