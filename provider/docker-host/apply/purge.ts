import type { ExecuteContext } from "./execute-context";

const PURGE_MS = 600_000;

/** Removes images, containers and volumes: all that is in these folders. As often as wanted. */
export async function purge(
  folders: readonly string[],
  { session, log, signal }: Pick<ExecuteContext, "session" | "log" | "signal">,
): Promise<void> {
  log.keep(`images, containers and volumes on ${session.target} are removed`);
  const argv = ["/bin/sh", "-c", PURGE, "slipway-purge", ...folders];
  await session.run(argv, { sudo: true, timeoutMs: PURGE_MS, signal });
}

/**
 * Ends what outlived its engine, lets go of its mounts and removes the folders (`$1`, …); one that is a mount itself is
 * emptied.
 */
const PURGE = `
for process in /proc/[0-9]*; do
  { read -r name <"$process/comm"; } 2>/dev/null && [ "$name" = containerd-shim ] || continue
  grep -qa -- "-namespace.moby" "$process/cmdline" 2>/dev/null || continue
  # a user's rootless engine has a data root of its own
  [ "$(stat -c %u "$process")" = 0 ] || continue
  shim=\${process#/proc/}
  kill -9 $(cat "/proc/$shim/task/$shim/children" 2>/dev/null) "$shim" 2>/dev/null
done
for folder; do
  while read -r device mount rest; do
    case $mount in "$folder"/*) umount -l -- "$mount" ;; esac
  done </proc/mounts
  [ -d "$folder" ] && [ ! -L "$folder" ] || continue
  # a volume may be somebody's network share: nothing is removed through a mount
  while read -r device mount rest; do
    case $mount in "$folder"/*) echo "still mounted: $mount" >&2; exit 1 ;; esac
  done </proc/mounts
  if mountpoint -q "$folder"; then find "$folder" -xdev -mindepth 1 -delete
  else rm -rf -- "$folder"; fi || exit 1
done
`;
