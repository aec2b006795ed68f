import { RUN_FOLDER } from "./ground";

/**
 * What puts the agent on a host, shows it, and takes it away, as root: one call each. No value of the user's is in these texts:
 * they go in as arguments, and contents by standard input.
 */

/** A line that begins a part of what SHOW prints. */
export const MARK = "@slipway ";

/** Exit codes of ours; others are the commands' own. */
export const EXIT = { busy: 75, without: 78 } as const;

/** How long a turn of the agent is waited for. One that restarts something with a long stopTimeout takes longer. */
export const TURN_SECONDS = 120;
const LOG_LINES = 200;

const PLACES = `folder=$1 unit=slipway-health-\${1##*/} run=${RUN_FOLDER}/health.\${1##*/}
umask 077
# ahead SECONDS: how far this machine's clock is before that of the up, which says what time it is; a second or two are the way
ahead() { AHEAD=$(($(date +%s) - $1)); [ "$AHEAD" -lt -2 ] || [ "$AHEAD" -gt 2 ] || AHEAD=0; }
# shifted SECONDS: the times of a budget, by another clock
shifted() { awk -v by="$1" '{ printf "%s %.0f\\n", $1, $2 + by }'; }
`;

/** Which kind of timer there is, and whether it runs. */
const TIMER = `
# a daemon in a container is not this machine's
cron_runs() {
  for process in /proc/[0-9]*; do
    { read -r name <"$process/comm"; } 2>/dev/null || continue
    case $name in
      cron | crond) ;;
      *) continue ;;
    esac
    [ ! "$process/ns/pid" -ef /proc/self/ns/pid ] || return 0
  done
  return 1
}
# a folder of cron's says nothing of whether there is a cron, and busybox's does not read it
has_cron() {
  [ -d /etc/cron.d ] || return 1
  for daemon in cron crond; do
    daemon=$(command -v "$daemon") && case $(readlink -f "$daemon") in *busybox*) ;; *) return 0 ;; esac
  done
  cron_runs
}
kind() {
  if [ -d /run/systemd/system ]; then echo systemd
  elif [ -d /run/openrc ] && command -v rc-service >/dev/null; then echo openrc
  elif has_cron; then echo cron
  else echo without; fi
}
runs() {
  case $(kind) in
    systemd) systemctl --quiet is-active "$unit.timer" ;;
    openrc) rc-service "$unit" status >/dev/null 2>&1 ;;
    cron) [ -f "/etc/cron.d/$unit" ] && cron_runs ;;
    *) return 1 ;;
  esac
}
`;

/**
 * Shows version, budget and log. `$1` folder, `$2` what time it is for us, by which the budget is told, `$3` who holds the agent
 * from now on, as boot id, pid and start of the process of a connection: its turns do nothing as long as that lives. Empty: nobody.
 */
export const SHOW_AGENT = `${PLACES}${TIMER}
cd -- "$folder" 2>/dev/null && [ -f agent ] || { echo '${MARK}absent'; exit 0; }
if [ -n "$3" ]; then
  mkdir -p "$run" && exec 9>>"$run/lock" || exit 1
  flock -w ${TURN_SECONDS} 9 || exit ${EXIT.busy}
  printf '%s\\n' "$3" >hold
fi
echo "${MARK}version $(sed -n "2s/.*agent, //p" agent)"
runs && echo '${MARK}runs'
echo '${MARK}ledger'
ahead "$2"
[ ! -f ledger ] || shifted "$((-AHEAD))" <ledger
echo '${MARK}log'
tail -n ${LOG_LINES} log 2>/dev/null
exit 0
`;

/**
 * Installs or renews the agent, and lets it go on. `$1` folder, `$2` seconds between its turns, `$3` to `$6` lengths of
 * program, policy, budget and address for messages, which come by standard input one after another, `$7` what time it is for us, by
 * which the budget is told. Its log begins anew: what
 * was in it has been shown.
 */
export const INSTALL_AGENT = `${PLACES}${TIMER}
interval=$2
kind=$(kind)
[ "$kind" != without ] || exit ${EXIT.without}
mkdir -p -- "$folder" "$run" && cd -- "$folder" && exec 9>>"$run/lock" || exit 1
flock -w ${TURN_SECONDS} 9 || exit ${EXIT.busy}
part() { dd bs=1 count="$2" of="$1.new" 2>/dev/null && [ "$(wc -c <"$1.new")" -eq "$2" ]; }
# a text that came in part, as the connection broke, changes nothing
part agent "$3" && part policy "$4" && part ledger "$5" && part notify "$6" || { rm -f ./*.new; exit 1; }
ahead "$7"
shifted "$AHEAD" <ledger.new >ledger.here && mv -f ledger.here ledger.new || { rm -f ./*.new ledger.here; exit 1; }
for file in agent policy ledger notify; do mv -f -- "$file.new" "$file" || exit 1; done
[ -s notify ] || rm -f notify
: >log
changed=
put() {
  cat >"$1.slipway-new" && chmod "$2" "$1.slipway-new" || exit 1
  if cmp -s "$1.slipway-new" "$1"; then rm -f "$1.slipway-new"; else changed=yes; mv -f "$1.slipway-new" "$1" || exit 1; fi
}
case $kind in
  systemd)
    put "/etc/systemd/system/$unit.service" 644 <<END
[Unit]
Description=Slipway: health of containers (\${folder##*/})
After=docker.service

[Service]
Type=oneshot
ExecStart=/bin/sh $folder/agent $folder
SyslogIdentifier=$unit
SyslogLevel=notice
LogLevelMax=notice
TimeoutStartSec=20min
Nice=5
END
    put "/etc/systemd/system/$unit.timer" 644 <<END
[Unit]
Description=Slipway: health of containers (\${folder##*/})

[Timer]
OnActiveSec=1s
OnUnitInactiveSec=\${interval}s
AccuracySec=1s

[Install]
WantedBy=timers.target
END
    [ -z "$changed" ] || systemctl daemon-reload
    systemctl --quiet enable "$unit.timer" || exit 1
    # its turn would find the lock held, and the next one comes a whole interval later
    flock -u 9
    rm -f hold
    if [ -n "$changed" ] || ! runs; then systemctl restart "$unit.timer" || exit 1; fi
    ;;
  openrc)
    put "$folder/loop" 700 <<END
while :; do /bin/sh $folder/agent $folder >/dev/null; sleep $interval; done
END
    put "/etc/init.d/$unit" 755 <<END
#!/sbin/openrc-run
description="Slipway: health of containers (\${folder##*/})"
supervisor=supervise-daemon
command=/bin/sh
command_args="$folder/loop"
respawn_delay=$interval
respawn_max=0
depend() { after docker; }
END
    flock -u 9
    rm -f hold
    rc-update add "$unit" default >/dev/null || exit 1
    # what it starts must not hold our lock
    if [ -n "$changed" ] || ! runs; then rc-service "$unit" restart >/dev/null 2>&1 9>&- || exit 1; fi
    ;;
  cron)
    put "$folder/minute" 700 <<END
read -r began _ </proc/uptime
while [ -f $folder/agent ] && /bin/sh $folder/agent $folder >/dev/null; do
  read -r up _ </proc/uptime
  # the next turn is the next minute's
  [ \\$((\\\${up%.*} - \\\${began%.*} + $interval)) -lt 60 ] || exit 0
  sleep $interval
done
END
    minutes=$(((interval + 30) / 60)) when='*'
    [ "$minutes" -le 1 ] || when="*/$minutes"
    [ "$minutes" -lt 60 ] || when=0
    put "/etc/cron.d/$unit" 644 <<END
$when * * * * root /bin/sh $folder/minute
END
    rm -f hold
    ;;
esac
echo "$kind"
`;

/** Notes that a container is restarted now. `$1` folder, `$2` its id. */
export const NOTE_RESTART = `[ ! -f "$1/agent" ] || echo "$2 $(date +%s)" >>"$1/ledger"
`;

/** Takes the agent away: units, files, what it keeps, folders that it leaves empty. `$1` folder. */
export const REMOVE_AGENT = `${PLACES}
if [ -d /run/systemd/system ]; then
  if [ -e "/etc/systemd/system/$unit.timer" ] || [ -e "/etc/systemd/system/$unit.service" ]; then
    systemctl --quiet disable --now "$unit.timer" 2>/dev/null
    systemctl --quiet stop "$unit.service" 2>/dev/null
    rm -f "/etc/systemd/system/$unit.timer" "/etc/systemd/system/$unit.service"
    systemctl daemon-reload
    systemctl --quiet reset-failed "$unit.service" 2>/dev/null
  fi
elif [ -e "/etc/init.d/$unit" ]; then
  rc-service "$unit" stop >/dev/null 2>&1
  rc-update del "$unit" default >/dev/null 2>&1
fi
rm -f "/etc/init.d/$unit" "/etc/cron.d/$unit"
# systemd has ended a turn that had begun, in the middle of whatever it did: whom it took aside is put back below, too. Any other
# comes to its end first
if [ -e "$run/lock" ]; then exec 9>>"$run/lock"; flock -w ${TURN_SECONDS} 9; fi
[ ! -f "$folder/agent" ] || /bin/sh "$folder/agent" "$folder" back >/dev/null 2>&1
rm -rf -- "$folder" "$run"
rmdir -- "\${folder%/*}" "\${folder%/*/*}" 2>/dev/null
for left in "$folder" "/etc/systemd/system/$unit.timer" "/etc/systemd/system/$unit.service" "/etc/init.d/$unit" "/etc/cron.d/$unit"; do
  [ ! -e "$left" ] || exit 1
done
`;
