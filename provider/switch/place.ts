/** Root's own folder of one service's switch: order, rules, program, events. A reboot clears it. */
export function switchFolder(service: string): string {
  return `${SWITCH_ROOT}/${service}`;
}

export const SWITCH_ROOT = "/run/slipway";

/** The transient unit that runs the program where there is systemd. */
export function switchUnit(service: string): string {
  return `slipway-switch-${service}`;
}

/** `running FOLDER` is true while the program of that folder lives: its number alone may name another process by now. */
export const RUNNING = `
running() {
  pid= start=
  { read -r pid start <"$1/pid"; } 2>/dev/null || return 1
  { read -r stat <"/proc/$pid/stat"; } 2>/dev/null || return 1
  set -f; set -- \${stat##*) }
  [ "\${20:-}" = "$start" ] && [ "$1" != Z ]
}
`;
