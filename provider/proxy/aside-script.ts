import { ALIVE } from "../host/machine/alive-script";
import { ASK } from "./ask-script";
import { LOCK_SECONDS } from "./host-script";
import { PROXIES } from "./ref";
import { backendOf } from "./route-file";

/** How long the proxy may take to learn an address that a restart gave. */
const ADDRESS_SECONDS = 10;

/**
 * Shell: who takes a container aside for a while, so that it gets no new requests, changes the running proxy alone and no file:
 * whatever becomes of him, the next reload comes to what the files say.
 */
export const ASIDE = `${ASK}
# places FOLDER SERVICE: what each process of a proxy has behind the route, as PROCESS PLACE CONTAINER ADDRESS SERVES OPEN; the
# process that takes new requests first
places() {
  folder=$1
  printf 'show proc\\n' | ask | sed -n 's/^\\([0-9][0-9]*\\)  *worker .*/\\1/p' | while read -r worker; do
    echo "worker $worker"
    printf '%s\\n' "@!$worker show servers state;@!$worker show stat -1 4 -1" | ask || :
  done | awk -v backend="${backendOf("$2")}" '
    $1 == "worker" && NF == 2 { pid = $2; table = ""; next }
    /^# be_id / { for (i = 2; i <= NF; i++) at[$i] = i - 1; table = "state"; next }
    /^# pxname,/ { n = split(substr($0, 3), head, ","); for (i = 1; i <= n; i++) at[head[i]] = i; table = "stat"; next }
    table == "state" && NF > 10 && $at["be_name"] == backend {
      # of the administrative states: in maintenance, drained, without an address
      admin = $at["srv_admin_state"]
      serves = $at["srv_op_state"] >= 2 && admin % 4 == 0 && int(admin / 8) % 8 == 0
      place[++count] = pid " " $at["srv_name"]
      what[count] = $at["srv_fqdn"] " " $at["srv_addr"] " " serves
    }
    table == "stat" {
      split($0, v, ",")
      if (v[at["pxname"]] == backend) open[pid " " v[at["svname"]]] = v[at["scur"]] + v[at["qcur"]]
    }
    END { for (i = 1; i <= count; i++) print place[i], what[i], open[place[i]] + 0 }
  '
}
# beside FOLDER SERVICE ID: its place, where another one serves, too
beside() {
  places "$1" "$2" | awk -v id="$(printf %.12s "$3")" '
    NR == 1 { current = $1 }
    $1 != current { next }
    $3 == id { place = $2; next }
    $5 { others = 1 }
    END { if (others && place != "") print place; exit !others }
  '
}
# aside SERVICE ID: no new requests for a container, in every route that it is behind and another one is, too. Says where before
# it is done: SERVICE FOLDER PLACE
aside() {
  for route in ${PROXIES}/*/conf/"50-$1.cfg"; do
    grep -q "$(printf %.12s "$2")" "$route" 2>/dev/null || continue
    (
      folder=\${route%/conf/*}
      # who goes aside at the same time must not take this one for one that serves
      exec 8>>"$folder/lock" && flock -w ${LOCK_SECONDS} 8 || exit 0
      place=$(beside "$folder" "$1" "$2")
      [ -n "$place" ] || exit 0
      echo "$1 $folder $place"
      echo "@1 set server ${backendOf("$1")}/$place state drain" | ask >/dev/null
    )
  done
}
# drained FOLDER SERVICE ID SECONDS: what it has open may end, in every process. One that says nothing has not said that it did
drained() {
  read -r began _ </proc/uptime
  while open=$(places "$1" "$2" | awk -v id="$(printf %.12s "$3")" '$3 == id { n += $6 } END { if (NR) print n + 0 }'); [ "$open" != 0 ]; do
    read -r up _ </proc/uptime
    [ $((\${up%.*} - \${began%.*})) -lt "$4" ] || return 0
    sleep 0.2 2>/dev/null || sleep 1
  done
}
# all_drained ID SECONDS: of each line that aside has said; side by side, so that all of them take no longer than one may
all_drained() {
  while read -r service folder place; do drained "$folder" "$service" "$1" "$2" & done
  wait
}
# back SERVICE FOLDER PLACE ID: it gets requests again, as soon as the proxy knows where it is now; not where a deployment has
# taken it out of the route, or given its place to another one
back() {
  short=$(printf %.12s "$4")
  addresses=" $(timeout 30 docker inspect --type container --format '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}} {{end}}' "$4" 2>/dev/null </dev/null) "
  read -r began _ </proc/uptime
  while at=$(places "$2" "$1" | awk -v id="$short" -v place="$3" 'NR == 1 { c = $1 } $1 == c && $2 == place && $3 == id { print $4 }'); [ -n "$at" ]; do
    case $addresses in *" $at "*) break ;; esac
    read -r up _ </proc/uptime
    [ $((\${up%.*} - \${began%.*})) -lt ${ADDRESS_SECONDS} ] || break
    sleep 0.2 2>/dev/null || sleep 1
  done
  [ -n "$at" ] || return 0
  (
    folder=$2
    exec 8>>"$folder/lock" && flock -w ${LOCK_SECONDS} 8
    grep -q "$short" "$folder/conf/50-$1.cfg" 2>/dev/null || exit 0
    echo "@1 set server ${backendOf("$1")}/$3 state ready" | ask >/dev/null
  )
}
# all_back ID: of each line that aside has said
all_back() { while read -r service folder place; do back "$service" "$folder" "$place" "$1"; done; }
`;

/** Waits for the end of our connection's process, `$1` and when it started `$2`; then `$3` is back in the places `$4`. */
const KEEP = `${ALIVE}${ASIDE}
trap '' HUP
while alive "$1" "$2"; do sleep 0.5 2>/dev/null || sleep 1; done
printf '%s\\n' "$4" | all_back "$3"
`;

/**
 * Takes a container aside, and waits until what it has open has ended. `$1` service, `$2` id, `$3` seconds for that, `$4` and `$5`
 * our connection's process. Says `aside SERVICE FOLDER PLACE`, and `kept PID START` of the process that ends it when our
 * connection is gone.
 */
export const ASIDE_SCRIPT = `${ASIDE}
id=$2 seconds=$3
# nobody would end it
[ -n "$5" ] || exit 0
places=$(aside "$1" "$2")
[ -n "$places" ] || exit 0
command -v setsid >/dev/null && apart=setsid || apart=
$apart /bin/sh -c '${KEEP.replaceAll("'", `'\\''`)}' slipway-aside "$4" "$5" "$2" "$places" </dev/null >/dev/null 2>&1 &
kept=$!
{ read -r stat <"/proc/$kept/stat"; } && set -- \${stat##*) } && echo "kept $kept \${20}"
printf '%s\\n' "$places" | sed 's/^/aside /'
printf '%s\\n' "$places" | all_drained "$id" "$seconds"
`;

/** Ends that. `$1` id, `$2` the places, a line each, `$3` and `$4` the process that keeps it. */
export const BACK_SCRIPT = `${ALIVE}${ASIDE}
printf '%s\\n' "$2" | all_back "$1"
! alive "$3" "$4" || kill -9 "$3"
exit 0
`;
