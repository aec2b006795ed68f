import { keptImage } from "./kept-image";
import { type LabHost, startLabHost } from "./lab-host";

/** What is process 1 instead of systemd: `sysv` is sysvinit with the init scripts' links, `openrc` sysvinit that runs OpenRC. */
export type LabInit = "sysv" | "openrc";

const BASE = "slipway-lab:trixie";
const PACKAGES = { sysv: "sysvinit-core sysv-rc", openrc: "sysvinit-core openrc" } as const;
/** Without what mounts disks and asks at terminals: a container has none of its own. */
const INITTAB = {
  sysv: ["id:2:initdefault:", "l2:2:wait:/etc/init.d/rc 2"],
  openrc: ["id:2:initdefault:", "si::sysinit:/sbin/openrc sysinit", "l2:2:wait:/sbin/openrc default"],
} as const;

/** A bare Debian 13 machine without systemd. The first time makes its image, about a minute; then that is kept in the lab's Docker. */
export async function startInitHost(init: LabInit): Promise<LabHost> {
  return startLabHost({ suite: "trixie", image: await ensureImage(init), hasSystemd: false });
}

function ensureImage(init: LabInit): Promise<string> {
  const text = `FROM ${BASE}
RUN apt-get update -qq \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --allow-remove-essential \\
    ${PACKAGES[init]} systemd-sysv- libpam-systemd- \\
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
# Debian's script mounts control groups where fstab names none, and raises limits, both of which a container may not
RUN echo 'cgroup /sys/fs/cgroup cgroup defaults 0 0' >>/etc/fstab && echo 'ulimit() { :; }' >/etc/default/docker
RUN printf '%s\\n' ${INITTAB[init].map((line) => `'${line}'`).join(" ")} >/etc/inittab
`;
  return keptImage(`slipway-lab-${init}-host`, BASE, text);
}
