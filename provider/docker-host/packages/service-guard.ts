import { GUARD_FILE, GUARD_FOLDER } from "../init/systemd";

const POLICY_MARK = "slipway: docker is left alone";

/**
 * sh functions: `guard` has the units in `$services` left alone by the scripts of packages, so that a daemon is started or
 * restarted once, by us, with its configuration: systemd refuses to start or stop them on demand, and supervises them as ever;
 * without systemd invoke-rc.d asks a policy, which refuses while this program lives. `unguard` ends that; `unguard_after PROCESS`
 * does so once this shell and that process are gone, in `$watch`. Whoever names services changes packages: `alone` runs such a
 * command where the signal that ends a run does not reach it, as a package manager that is ended in the middle leaves a machine
 * half done. The next run waits for it.
 */
export const SERVICE_GUARD = `
units=${GUARD_FOLDER} policy=/usr/sbin/policy-rc.d
guard() {
  [ -n "$services" ] || return 0
  if [ ! -d "$units" ]; then deny; return; fi
  for unit in $services; do
    mkdir -p "$units/$unit.d"
    printf '[Unit]\\nRefuseManualStart=yes\\nRefuseManualStop=yes\\n' >"$units/$unit.d/${GUARD_FILE}"
  done
  systemctl daemon-reload
}
unguard() {
  [ -n "$services" ] || return 0
  if [ ! -d "$units" ]; then allow; return; fi
  for unit in $services; do rm -f "$units/$unit.d/${GUARD_FILE}"; rmdir "$units/$unit.d" 2>/dev/null; done
  systemctl daemon-reload
}
alone() { if [ -n "$services" ] && command -v setsid >/dev/null; then exec setsid "$@"; else exec "$@"; fi; }
unguard_after() {
  ( trap '' HUP INT TERM; while [ -d "/proc/$$" ] || [ -d "/proc/$1" ]; do sleep 1; done; unguard ) >/dev/null 2>&1 </dev/null &
  watch=$!
}
allow() { if grep -qs "^# ${POLICY_MARK}" "$policy"; then rm -f "$policy"; fi; }
# a policy of somebody else's stays; one of ours that is left over says nothing any more
deny() {
  allow
  [ ! -e "$policy" ] || return 0
  {
    echo '#!/bin/sh'
    echo '# ${POLICY_MARK} while packages change'
    echo "[ ! -d /proc/$$ ] || case \\$1 in"
    for unit in $services; do echo "\${unit%.*}) exit 101 ;;"; done
    echo 'esac'
    echo 'exit 0'
  } >"$policy"
  chmod 0755 "$policy"
}
`;
