/**
 * What `purge` removes: the usual folders, and in the root directory that somebody chose (two levels deep at least: `/data` may
 * hold anything) what Docker itself made there, for that may be a disk with other files on it.
 */
export function purgeFolders(rootDirectory: string | undefined): readonly string[] {
  const isUsual = rootDirectory === undefined || FOLDERS.includes(rootDirectory);
  if (isUsual || !/^(\/[A-Za-z0-9_][A-Za-z0-9._-]*){2,}$/.test(rootDirectory)) return FOLDERS;
  return [...FOLDERS, ...PARTS.map((part) => `${rootDirectory}/${part}`)];
}

/** Where engines of Linux packages keep images, containers and volumes. */
const FOLDERS: readonly string[] = ["/var/lib/docker", "/var/lib/containerd"];

/** What every Docker makes in its root directory, of any storage driver. */
const PARTS: readonly string[] = [
  ...["buildkit", "builder", "containerd", "containers", "image", "network", "nuke", "plugins", "rootfs"],
  ...["runtimes", "swarm", "tmp", "trust", "volumes"],
  ...["aufs", "btrfs", "devicemapper", "fuse-overlayfs", "overlay", "overlay2", "vfs", "zfs"],
];
