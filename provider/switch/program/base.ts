import { REMOTE_PATH } from "../../host/command/command";

/**
 * The program's ground: clock, events, order, calls with a limit. POSIX sh (dash, busybox, bash) with /proc and, of
 * commands, docker, iptables-save and -restore, awk, sed, grep, cat, rm, sleep. `$1` is the folder with the order.
 */
export const BASE = `
set -uf
LC_ALL=C PATH=${REMOTE_PATH}
export LC_ALL PATH
umask 077
DIR=$1
ASKED=0 HELD=0 GAP=0 GAP_FROM= WHY= OUT= PID= IP= COPY_PID= COPY_START= SERVED_BY=old WATCHED= OLD_PID= OLD_HEARS= COPY_HEARS= PHASE= POLICY= HTTP=none LIMITED=0

# milliseconds since the boot, in NOW: no clock that anybody can set
now() { read -r UP _ </proc/uptime; NOW=\${UP%.*}\${UP#*.}0; }
pause() { sleep "$1"; look; }
in_time() { now; [ "$NOW" -lt "$END" ]; }
say() { now; printf '%s %s\\n' "$((NOW - BEGAN))" "$*" >>"$DIR/events"; }
# a point of the way: said, and kept for the one who comes after us
at() { PHASE=$1; printf '%s\\n' "$1" >"$DIR/phase"; say "$*"; }

BEGAN=0
read_order() {
  SERVICE= WAY= SOCKET= LOCK= OLD= NEXT= COPY= COPY_ADDRESS=- COPY_ADDRESS6=- RULES4=0 RULES6=0 OLD_RESTART=no STOP=10 DRAIN=0
  DEADLINE=0 BACK=0 TCP= UDP= HOST_TCP= RELAYS= OLD_MIN=0 OLD_DEADLINE=0 OLD_CHECK=none NEXT_MIN=0 NEXT_DEADLINE=0 NEXT_CHECK=none
  while read -r name value; do
    case $name in
      service) SERVICE=$value ;; way) WAY=$value ;; socket) SOCKET=$value ;; lock) LOCK=$value ;;
      old) OLD=$value ;; next) NEXT=$value ;; copy) COPY=$value ;;
      copy_address) COPY_ADDRESS=$value ;; copy_address6) COPY_ADDRESS6=$value ;;
      rules4) RULES4=$value ;; rules6) RULES6=$value ;;
      old_restart) OLD_RESTART=$value ;; stop_s) STOP=$value ;; drain_ms) DRAIN=$value ;;
      deadline_ms) DEADLINE=$value ;; back_ms) BACK=$value ;;
      tcp) TCP="$TCP $value" ;; host_tcp) HOST_TCP="$HOST_TCP $value" ;; relay_tcp) RELAYS="$RELAYS $value" ;; udp) UDP="$UDP $value" ;;
      old_min_ms) OLD_MIN=$value ;; old_deadline_ms) OLD_DEADLINE=$value ;; old_check) OLD_CHECK=$value ;;
      next_min_ms) NEXT_MIN=$value ;; next_deadline_ms) NEXT_DEADLINE=$value ;; next_check) NEXT_CHECK=$value ;;
    esac
  done <"$DIR/order"
  DOCKER_HOST=unix://$SOCKET DOCKER_CONFIG=$DIR/no-config DOCKER_CLI_HINTS=false
  export DOCKER_HOST DOCKER_CONFIG DOCKER_CLI_HINTS
  unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_API_VERSION
}

# whether a process lives, and its start in START: a number that is used again names another one
alive() {
  [ -n "$1" ] || return 1
  { read -r STAT <"/proc/$1/stat"; } 2>/dev/null || return 1
  set -- \${STAT##*) }
  START=\${20:-}
  case $1 in Z | X) return 1 ;; esac
}

# run SECONDS COMMAND...: beside us, so that rules are watched and signals heard meanwhile; what it says is in out and err
run() { begin "$@"; ended; }
begin() {
  now; RUN_END=$((NOW + $1 * 1000)); shift
  "$@" >"$DIR/out" 2>"$DIR/err" </dev/null 3>&- & RUN=$!
  begun
}
# who comes after us ends it first
begun() {
  ! alive "$RUN" || printf '%s %s\n' "$RUN" "$START" >"$DIR/run"
}
# the end of RUN, or RUN_END; most end at once. While nobody serves there is nothing to watch: one that has a limit of its own is
# heard at its very end
ended() {
  now; SOON=$((NOW + 40)) GRAIN=0.005
  while alive "$RUN"; do
    if [ "$LIMITED" = 1 ] && [ -n "$GAP_FROM" ] && [ "$HELD" = 0 ]; then
      wait "$RUN" 2>/dev/null; RC=$?
      # a signal ends the wait, too
      alive "$RUN" || return "$RC"
    else sleep "$GRAIN"
    fi
    look; now
    [ "$NOW" -lt "$SOON" ] || GRAIN=0.02
    [ "$NOW" -lt "$RUN_END" ] || { kill -9 "$RUN" 2>/dev/null; wait "$RUN" 2>/dev/null; return 124; }
  done
  wait "$RUN" 2>/dev/null
}
# the same of a command that has a limit of its own
run_limited() { begin "$@"; ended_limited; }
ended_limited() { LIMITED=1; ended; set -- "$?"; LIMITED=0; return "$1"; }
first_line() { FIRST=; { IFS= read -r FIRST <"$DIR/$1"; } 2>/dev/null || :; }

# ask SECONDS ARGUMENTS...: a daemon that says no is believed (1), a silent one is asked again until the end (2)
ask() {
  ASK_S=$1; shift
  while :; do
    if run "$ASK_S" docker "$@"; then first_line out; OUT=$FIRST; return 0; fi
    first_line err; WHY=\${FIRST:-no answer}
    ! answers || return 1
    in_time || { WHY='the engine does not answer'; return 2; }
    pause 0.2
  done
}
# engine CURL-ARGUMENTS...: the engine is asked directly, which takes a fraction of the time that a docker command takes to start;
# it takes the place of the shell that it is called in, so that whoever ends that ends it
engine() { exec curl -q -s -f --noproxy '*' --unix-socket "$SOCKET" "$@"; }
post() { [ "$HTTP" = curl ] && run_limited "$(($1 + 1))" engine -m "$1" -o /dev/null -X POST "http://localhost/containers/$2"; }
# got ID...: of each a line with its process and its first address in out, nothing of one that is not there. What else the engine
# says of them, their environment with it, goes through a pipe and into no file. What curl writes behind an answer stands in the
# line of one that is not whole
got() {
  [ "$HTTP" = curl ] || return
  for id; do shift; set -- "$@" "http://localhost/containers/$id/json"; done
  now; RUN_END=$((NOW + 5000))
  engine -m 5 -w '.\\n' "$@" 2>"$DIR/err" </dev/null 3>&- | awk "$READ" >"$DIR/out" 2>/dev/null 3>&- & RUN=$!
  begun
  ended && [ -s "$DIR/out" ]
}
# a key of the user's stands before a text, and never before a number or an object, and a text has its quotes escaped
READ='/[}]$/ { n = split($0, field, /[{,}]/); pid = ip = ""; inside = 0
  for (i = 1; i <= n; i++) {
    f = field[i]
    if (!inside && f ~ /^"Pid":[0-9]+$/) pid = substr(f, 7)
    else if (!inside && f == "\\"Networks\\":") inside = 1
    else if (inside && (f ~ /^"IPAddress":"[0-9]/ || f ~ /^"GlobalIPv6Address":"[0-9a-f]/)) {
      ip = substr(f, index(f, ":") + 2); sub(/"$/, "", ip); break
    }
  }
  if (pid != "") print pid, ip }'
answers() { run 3 docker version -f '{{.Server.Version}}'; }

SEEN='{{.State.Pid}} {{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}} {{end}}'
# see ID: its process in PID (0: it does not run) and its first address in IP; 1: there is none, 2: nobody knows
see() {
  PID= IP=
  if ! got "$1" || ! read -r PID IP <"$DIR/out"; then
    ask 5 inspect --type container -f "$SEEN" "$1" || return
    set -- $OUT
    PID=\${1:-0}; shift
    for word; do case $word in *[0-9].* | *:*) IP=$word; break ;; esac; done
  fi
  : "\${PID:=0}" "\${IP:=127.0.0.1}"
}
runs() { see "$1" && [ "$PID" != 0 ]; }

# stop_it ID PID, which may be empty. What the process says for itself decides, not how the call ended: that may be cut off by
# a restart of the daemon
stop_it() {
  STOPPING=$2
  if [ -z "$STOPPING" ] || ! alive "$STOPPING"; then
    see "$1"; case $? in 1) return 0 ;; 2) return 1 ;; esac
    [ "$PID" != 0 ] || return 0
    STOPPING=$PID
  fi
  post $((STOP + 20)) "$1/stop?t=$STOP" ||
    ask $((STOP + 20)) stop -t "$STOP" "$1" || ! alive "$STOPPING" || ask $((STOP + 20)) stop -t "$STOP" "$1" || ! alive "$STOPPING"
}
start_it() {
  post 60 "$1/start" && return
  ask 60 start "$1" && return
  START_WHY=$WHY
  pause 0.3
  runs "$1" || ask 60 start "$1" || { WHY=$START_WHY; return 1; }
}
`;
