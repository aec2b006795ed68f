/**
 * Restarts the daemon by a command (its arguments) while published ports go on leading to their containers. With live restore
 * the containers live on, yet a daemon that starts takes its firewall rules away, and brings each back when it comes to that
 * container: new connections were refused for a second or more. So its rules for published ports stand twice meanwhile: in
 * chains of ours, which it leaves alone, behind the user's own (DOCKER-USER). They go when the command has ended, or a second
 * after this program was killed; a reboot clears them. Ports of 127.0.0.1 are served by the daemon's own children: they have
 * the gap.
 */
export const RESTART = `
chain=SLIPWAY-RESTART
families='iptables:127.0.0.0/8 ip6tables:::1/128'
rules() {
  kind=$1 lo=$2
  echo "*nat"
  [ "$kind" = -D ] || { echo ":$chain - [0:0]"; echo "$nat"; }
  echo "$kind PREROUTING -m addrtype --dst-type LOCAL -j $chain"
  echo "$kind OUTPUT ! -d $lo -m addrtype --dst-type LOCAL -j $chain"
  [ "$kind" != -D ] || { echo "-F $chain"; echo "-X $chain"; }
  echo COMMIT
  echo "*filter"
  [ "$kind" = -D ] || {
    echo ":$chain - [0:0]"
    echo "-A $chain -j DOCKER-USER"
    echo "-A $chain -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    echo "$filter"
  }
  echo "$kind FORWARD -j $chain"
  [ "$kind" != -D ] || { echo "-F $chain"; echo "-X $chain"; }
  echo COMMIT
}
keep() {
  for each in $families; do
    tables=\${each%%:*}
    command -v "$tables-restore" >/dev/null || continue
    nat=$("$tables-save" -t nat 2>/dev/null | sed -n "s/^-A DOCKER \\(.*-j DNAT .*\\)/-A $chain \\1/p")
    [ -n "$nat" ] || continue
    filter=$("$tables-save" -t filter | sed -n "s/^-A DOCKER \\(.*-j ACCEPT\\)$/-A $chain \\1/p")
    rules -I "\${each#*:}" | "$tables-restore" -w 10 --noflush
  done
}
drop() {
  for each in $families; do
    tables=\${each%%:*}
    "$tables" -t nat -n -L "$chain" >/dev/null 2>&1 || continue
    rules -D "\${each#*:}" | "$tables-restore" -w 10 --noflush
  done
}
main() {
  drop
  keep
  ( while [ -d "/proc/$$" ]; do sleep 1; done; drop ) >/dev/null 2>&1 </dev/null &
  watch=$!
  "$@" </dev/null; code=$?
  kill "$watch"
  drop
  exit "$code"
}
main "$@"
`;
