import { quote } from "../../host/command/command";
import { CLEAR_RESTART, DROP_RULES } from "./restart-rules";

/** What takes the rules off when this program was killed, a file of root's beside the engine's lock. */
const WATCHER = "/run/slipway/restart-watcher";
const UNIT = "slipway-restart-watcher";

/**
 * Restarts the daemon by a command (its arguments) while published ports go on leading to their containers. With live restore
 * the containers live on, yet a daemon that starts takes its firewall rules away, and brings each back when it comes to that
 * container: new connections were refused for a second or more. So its rules for published ports stand twice meanwhile: in
 * chains of ours, which it leaves alone. They are looked at right behind Docker's own, so that whoever has rules before those
 * (in nat, or for DOCKER-USER) is asked first as ever. They go when the command has ended. When this program was killed a
 * watcher takes them off within a second, which its unit starts anew when it is killed itself (without systemd, a loop in a
 * session of its own); the next look sees what both left. A reboot clears all. Ports of 127.0.0.1 are served by the daemon's
 * own children: they have the gap.
 */
export const RESTART = `${DROP_RULES}
watcher=${WATCHER} unit=${UNIT}
# where ours goes in CHAIN of TABLE. A daemon that starts puts its jump anew, at the end in nat and first in filter: not where
# it was, so that those of others which come behind it are looked at after ours all the time
place() {
  "$tables-save" -t "$1" | awk -v chain="$2" '
    $1 == "-A" && $2 == chain { at++; if (/ -j DOCKER/) last = at }
    END { print last ? "-I " chain " " last + 1 : "-A " chain }'
}
# nothing is led to where the filter does not let it in: so that goes first
rules() {
  echo "*filter"
  echo ":$chain - [0:0]"
  echo "-A $chain -j DOCKER-USER"
  echo "-A $chain -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
  echo "$filter"
  echo "$(place filter FORWARD) -j $chain"
  echo COMMIT
  echo "*nat"
  echo ":$chain - [0:0]"
  echo "$nat"
  echo "$(place nat PREROUTING) -m addrtype --dst-type LOCAL -j $chain"
  echo "$(place nat OUTPUT) ! -d $1 -m addrtype --dst-type LOCAL -j $chain"
  echo COMMIT
}
keep() {
  for each in iptables:127.0.0.0/8 ip6tables:::1/128; do
    tables=\${each%%:*}
    command -v "$tables-restore" >/dev/null || continue
    nat=$("$tables-save" -t nat 2>/dev/null | sed -n "s/^-A DOCKER \\(.*-j DNAT .*\\)/-A $chain \\1/p")
    [ -n "$nat" ] || continue
    filter=$("$tables-save" -t filter | sed -n "s/^-A DOCKER \\(.*-j ACCEPT\\)$/-A $chain \\1/p")
    rules "\${each#*:}" | "$tables-restore" -w 10 --noflush
  done
}
watch() {
  mkdir -p -m 0700 /run/slipway
  printf %s ${quote(CLEAR_RESTART)} >"$watcher"
  if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
    # one of an earlier restart may not have seen its end yet
    systemctl stop "$unit.service" 2>/dev/null; systemctl reset-failed "$unit.service" 2>/dev/null
    systemd-run --quiet --collect --unit "$unit" --description 'Slipway: watching a restart of Docker' \\
      --property Restart=on-failure --property RestartSec=1s --property StartLimitIntervalSec=0 \\
      /bin/sh "$watcher" && return
  fi
  command -v setsid >/dev/null && session=setsid || session=
  $session /bin/sh -c 'trap "" HUP; until /bin/sh "$0"; do sleep 1; done' "$watcher" &
}
main() {
  drop
  ( umask 022; echo "$$ $(start_of "$$")" >"$mark" )
  watch >/dev/null 2>&1 </dev/null
  keep
  "$@" </dev/null; code=$?
  drop && rm -f -- "$mark"
  exit "$code"
}
main "$@"
`;
