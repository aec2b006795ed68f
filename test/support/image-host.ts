import { type LabHost, type LabUser, startLabHost } from "../lab/lab-host";

/** A machine that images are built on. */
export interface ImageHostKind {
  /** Debian's own: of 12, of 13, and of sid. */
  readonly engine: "20.10.24" | "26.1.5" | "28.5.2";
  readonly user: LabUser;
  /** So many megabytes is all that its engine has, at {@link SMALL_ROOT}. */
  readonly diskMb?: number;
}

/** Where the engine's files are on a machine with a small disk. */
export const SMALL_ROOT = "/var/lib/small";

const PRIVATE_NETWORKS = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/** A file system of its own: in a file, or in memory where the machine gives its containers no loop devices. */
const smallDisk = (mb: number): string => `
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends e2fsprogs
truncate -s ${mb}M /small.img
mkfs.ext4 -q /small.img
mkdir -p ${SMALL_ROOT}
mount -o loop /small.img ${SMALL_ROOT} || mount -t tmpfs -o size=${mb}m small ${SMALL_ROOT}`;

/** Starts one whose engine speaks to registries of the lab without TLS. */
export async function startImageHost({ engine, diskMb }: ImageHostKind): Promise<LabHost> {
  const root = diskMb === undefined ? {} : { "data-root": SMALL_ROOT };
  const daemonConfig = { "insecure-registries": PRIVATE_NETWORKS, ...root };
  const host = await startLabHost({ suite: engine === "20.10.24" ? "bookworm" : "trixie" });
  if (diskMb !== undefined) await host.must(["sh", "-ec", smallDisk(diskMb)]);
  const write = "mkdir -p /etc/docker && cat >/etc/docker/daemon.json";
  await host.must(["sh", "-c", write], { input: JSON.stringify(daemonConfig) });
  const sid =
    "sed -n 's/ trixie main/ sid main/p' /etc/apt/sources.list >/etc/apt/sources.list.d/sid.list && ";
  const packages = engine === "28.5.2" ? "-t sid docker.io docker-cli docker-buildx" : "docker.io";
  const get = `apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq ${packages}`;
  const install = `${engine === "28.5.2" ? sid : ""}${get}`;
  await host.must(["sh", "-c", install]);
  return host;
}
