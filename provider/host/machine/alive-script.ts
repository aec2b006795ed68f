/**
 * Shell: `alive PID START` is true while that process lives; a pid alone may be somebody else's by now. Fields of /proc/PID/stat
 * are counted after the last `)`, since a name may hold anything.
 */
export const ALIVE = `
alive() {
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  process_start=$2
  set -- \${stat##*) }
  [ "\${20}" = "$process_start" ]
}
`;
