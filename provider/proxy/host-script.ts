import { STORE_PATH } from "./acme";
import { ORDER_WAIT_SECONDS, REMOVE_KEEPER_SCRIPT, SAVE, SHOW_CERTIFICATES, STORE } from "./acme-script";
import { ASK, MARK } from "./ask-script";
import { LOCKS } from "./ref";

/**
 * What runs on the host, as root: one call each, so that a change is whole or not begun when the line drops. No value of the
 * user's is in these texts: they go in as arguments, and contents by standard input.
 */

/** Exit codes of ours; others are the commands' own. */
export const EXIT = { locked: 75, twice: 76, refused: 77, reloadFailed: 78, unchecked: 79 } as const;

/** How long each lock is waited for: another change of the same proxy's files, an exchange of the proxy itself. */
export const LOCK_SECONDS = 100;

/** How long `haproxy -c` may take, twice; how long the next process is waited for after a reload. */
const CHECK_SECONDS = 45;
const RELOAD_SECONDS = 30;

/** How often a proxy that runs is asked, one that is busy with a reload for one, before it counts as mute. */
const TRIES = 4;

/** Who changes a route waits while the proxy itself is being changed: by an up, or by the program that one has started. */
const TURN = `
turn() {
  mkdir -p /run/slipway && exec 7>>"${LOCKS}.\${folder##*/}.lock" 8>>"${LOCKS}.\${folder##*/}.exchange" || exit 1
  flock -s -w ${LOCK_SECONDS} 7 || { head -n 1 "${LOCKS}.\${folder##*/}.lock" >&2; exit ${EXIT.locked}; }
  flock -s -w ${LOCK_SECONDS} 8 || { echo 'the exchange of its container' >&2; exit ${EXIT.locked}; }
}
`;

/** Shows the folder's files, and what the processes say: the current one first, former ones after it. */
const SHOW = `${SHOW_CERTIFICATES}
show() {
  cd -- "$folder" 2>/dev/null || { echo '${MARK}absent'; return 0; }
  for file in conf/*.cfg routes.map; do
    [ -f "$file" ] || continue
    echo "${MARK}file $file"
    cat -- "$file"
    echo
  done
  show_certificates
  tries=0
  until processes=$(printf 'show proc\\n' | ask) && [ -n "$processes" ]; do
    [ "$(timeout 10 docker inspect --type container --format '{{.State.Running}}' "\${folder##*/}" 2>/dev/null)" = true ] || { echo '${MARK}silent'; return 0; }
    tries=$((tries + 1))
    [ "$tries" -lt ${TRIES} ] || { echo '${MARK}mute'; return 0; }
    sleep 0.2
  done
  echo '${MARK}processes'
  printf '%s\\n' "$processes"
  for pid in $(printf '%s\\n' "$processes" | sed -n 's/^\\([0-9][0-9]*\\)  *worker .*/\\1/p'); do
    echo "${MARK}worker $pid"
    # one that has just ended, or is busy, says nothing: what was done before counts all the same
    state="@!$pid show servers state;@!$pid show stat -1 4 -1"
    printf '%s\\n' "$state" | ask || printf '%s\\n' "$state" | ask || :
  done
}
`;

/** `$1` the proxy's folder. */
export const SHOW_SCRIPT = `folder=$1${ASK}${SHOW}show`;

/**
 * Changes who is behind a route, without a reload: its file first, then the runtime API, so that a reload in between comes to
 * the same. A file that came in part, as the connection broke, changes nothing. `$1` folder, `$2` file name, `$3` length of the file, which is followed by commands on standard input.
 */
export const SWITCH_SCRIPT = `folder=$1${ASK}${TURN}${SHOW}
umask 077
turn
cd -- "$folder" && exec 9>>lock || exit 1
flock -w ${LOCK_SECONDS} 9 || exit ${EXIT.locked}
dd bs=1 count="$3" of="conf/.$2.new" 2>/dev/null && [ "$(wc -c <"conf/.$2.new")" -eq "$3" ] && mv -f -- "conf/.$2.new" "conf/$2" || exit 1
commands=$(cat)
echo '${MARK}answer'
# what they say is so already does no harm a second time
printf '%s\\n' "$commands" | ask || printf '%s\\n' "$commands" | ask || :
show
`;

/**
 * Whether the HAProxy of a container answers, and listens. `$1` folder, `$2` the folder of its sockets in it, `$3` container,
 * `$4` port, as the kernel's tables write it.
 */
export const ANSWER_SCRIPT = `folder=$1 run=$2${ASK}
pid=$(timeout 10 docker inspect --format '{{.State.Pid}}' "$3" 2>/dev/null) || pid=none
cat "/proc/$pid/net/tcp" "/proc/$pid/net/tcp6" 2>/dev/null |
  awk -v port=":$4" '$4 == "0A" && substr($2, length($2) - 4) == port { f = 1 } END { exit !f }' && echo '${MARK}listens'
echo '${MARK}processes'
printf 'show proc\\n' | ask
exit 0
`;

/**
 * Changes files: all are tried together by `haproxy -c` in a container of its own before the first is changed, and the running
 * proxy reads them anew. `$1` folder, `$2` image (empty: the proxy's own), `$3` `reload` or `leave`, `$4` `route`, or `own` for
 * who changes the proxy itself, further ones files to remove; a tar of files by standard input.
 */
export const APPLY_SCRIPT = `folder=$1 image=$2 reload=$3 whose=$4${ASK}${TURN}${SHOW}${SAVE}${STORE}
shift 4
umask 077
[ "$whose" = own ] || turn
mkdir -p -- "$folder/conf" "$folder/certs" "$folder/run" && cd -- "$folder" && exec 9>>lock || exit 1
# a reload ends an order that is at work; one that takes too long goes on in vain, and is made again
if [ -d acme ]; then exec 6>>acme/lock; flock -w ${ORDER_WAIT_SECONDS} 6 || :; fi
flock -w ${LOCK_SECONDS} 9 || exit ${EXIT.locked}
stage=$folder/stage
rm -rf -- "$stage"
trap 'rm -rf -- "$stage"' EXIT
trap 'exit 129' HUP INT TERM
mkdir -p "$stage/new/conf" "$stage/new/certs" && tar -x -f - -C "$stage/new" --no-same-owner || exit 1
if [ -d acme ]; then save; cp -a acme "$stage/" || exit 1; fi
stage_certificates
cp -a conf certs "$stage/" && cp -a "$stage/new/." "$stage/" || exit 1
for file in "$@"; do rm -f -- "$stage/$file"; done
rm -f "$stage"/conf/.*.new
sed -n 's/^# key //p' "$stage"/conf/50-*.cfg 2>/dev/null | sort >"$stage/keys"
twice=$(cut -d ' ' -f 1 "$stage/keys" | uniq -d)
if [ -n "$twice" ]; then printf '%s\\n' "$twice"; exit ${EXIT.twice}; fi
grep -v '^tcp:' "$stage/keys" >"$stage/routes.map"
store
[ -n "$image" ] || image=$(timeout 30 docker inspect --format '{{.Image}}' "\${folder##*/}") || exit 1
check() {
  timeout ${CHECK_SECONDS} docker run --rm --network none --user 0:0 --label slipway.proxy-check=true \\
    --volume "$stage:/slipway:ro" --entrypoint haproxy "$image" -c -f /slipway/conf >"$stage/check" 2>&1
}
check; code=$?
# an engine that hangs once is asked once more
[ "$code" -ne 124 ] || { check; code=$?; }
[ "$code" -ne 124 ] || exit ${EXIT.unchecked}
if [ "$code" -ne 0 ]; then cat "$stage/check" >&2; exit ${EXIT.refused}; fi
[ ! -d "$stage/new/acme" ] || mkdir -p acme
(cd "$stage/new" && find . -type f) | while read -r file; do mv -f -- "$stage/new/$file" "$file" || exit 1; done || exit 1
# what a list names has to be there whenever somebody reads it
if [ -f "$stage/${STORE_PATH}" ]; then mv -f -- "$stage/${STORE_PATH}" "${STORE_PATH}" || exit 1; else rm -f "${STORE_PATH}"; fi
for file in "$@"; do rm -f -- "$file"; done
while read -r file; do rest "$file"; done <"$stage/gone"
[ -n "$id" ] || rm -rf acme/rest
mv -f -- "$stage/routes.map" routes.map || exit 1
rm -rf -- "$stage"
worker() { printf 'show proc\\n' | ask | sed -n '/^# workers/,/^# /s/^\\([0-9][0-9]*\\)  *worker .*/\\1/p'; }
before=$(worker)
if [ "$reload" = reload ] && [ -n "$before" ]; then
  printf 'reload\\n' | ask >/dev/null
  read -r began _ </proc/uptime
  while after=$(worker); [ -z "$after" ] || [ "$after" = "$before" ]; do
    read -r up _ </proc/uptime
    [ $((\${up%.*} - \${began%.*})) -le ${RELOAD_SECONDS} ] || exit ${EXIT.reloadFailed}
    sleep 0.1 2>/dev/null || sleep 1
  done
fi
show
`;

/** Removes a proxy's folder, and those above it that it leaves empty. `$1` folder. */
export const REMOVE_SCRIPT = `${REMOVE_KEEPER_SCRIPT}rm -rf -- "$1" && rmdir -- "\${1%/*}" "\${1%/*/*}" 2>/dev/null
[ ! -e "$1" ]
`;
