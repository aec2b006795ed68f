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

/** Where engines of Linux packages keep images, containers and volumes. */
const FOLDERS: readonly string[] = ["/var/lib/docker", "/var/lib/containerd"];

/** What every Docker makes in its root directory, of any storage driver. */
const PARTS: readonly string[] = [
  ...["buildkit", "builder", "containerd", "containers", "image", "network", "nuke", "plugins", "rootfs"],
  ...["runtimes", "swarm", "tmp", "trust", "volumes"],
  ...["aufs", "btrfs", "devicemapper", "fuse-overlayfs", "overlay", "overlay2", "vfs", "zfs"],
];

/**
 * What `purge` removes: the usual folders, and in the root directory that somebody chose (two levels deep at least: `/data` may
 * hold anything) what Docker itself made there, for that may be a disk with other files on it.
 */
export function purgeFolders(rootDirectory: string | undefined): readonly string[] {
  const isUsual = rootDirectory === undefined || FOLDERS.includes(rootDirectory);
  if (isUsual || !/^(\/[A-Za-z0-9_][A-Za-z0-9._-]*){2,}$/.test(rootDirectory)) return FOLDERS;
  return [...FOLDERS, ...PARTS.map((part) => `${rootDirectory}/${part}`)];
}

/**
 * Ends what outlived its engine, lets go of its mounts and removes the folders (`$1`, …); one that is a mount itself is
 * emptied.
 */
const PURGE = `
for process in /proc/[0-9]*; do
  { read -r name <"$process/comm"; } 2>/dev/null && [ "$name" = containerd-shim ] || continue
  grep -qa -- "-namespace.moby" "$process/cmdline" 2>/dev/null || continue
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
