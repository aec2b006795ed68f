/**
 * A script that ends the process group of the sudo whose arguments hold the marker. The marker comes by standard input, and
 * goes to grep the same way, so that no other process has it among its arguments.
 */
export function endUnderSudoScript(marker: string): string {
  return `
for found in $(printf %s '${marker}' | grep -lFf - /proc/[0-9]*/cmdline 2>/dev/null); do
  stat=$(cat "\${found%/*}/stat" 2>/dev/null) || continue
  set -- \${stat##*) }
  kill -TERM "-$3" 2>/dev/null
done
exit 0
`;
}
