import { keptImage } from "./kept-image";
import type { LabHost } from "./lab-host";
import { until } from "./until";

const BASE = "slipway-lab:trixie";
/** Podman without its docker command, and the files of Debian's engine in a user's home. */
const TEXT = `FROM ${BASE}
RUN apt-get update -qq \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends podman rootlesskit uidmap \\
 && mkdir -p /srv/debs /srv/engine && cd /srv/debs && apt-get download -qq podman-docker docker.io containerd runc \\
 && for file in docker.io_* containerd_* runc_*; do dpkg-deb -x "$file" /srv/engine && rm "$file"; done \\
 && install -d -o plain -g plain /home/plain/bin /home/plain/run \\
 && cp /srv/engine/usr/sbin/dockerd /srv/engine/usr/bin/containerd* /srv/engine/usr/sbin/runc \\
    /srv/engine/usr/share/docker.io/contrib/dockerd-rootless.sh /home/plain/bin/ \\
 && rm -rf /srv/engine /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
`;
const ROOTLESS = `
export HOME=/home/plain XDG_RUNTIME_DIR=/home/plain/run PATH=/home/plain/bin:$PATH
export DOCKERD_ROOTLESS_ROOTLESSKIT_NET=host DOCKERD_ROOTLESS_ROOTLESSKIT_PORT_DRIVER=none
exec dockerd-rootless.sh --iptables=false --bridge=none --storage-driver=vfs
`;

/** A Debian 13 machine on which engines can come another way; none is there yet. */
export function foreignEnginesImage(): Promise<string> {
  return keptImage("slipway-lab-foreign", BASE, TEXT);
}

/** Podman's command that is called docker. */
export async function installPodmanDocker(host: LabHost): Promise<void> {
  await host.must(["sh", "-c", "dpkg -i /srv/debs/podman-docker_*.deb"]);
}

/** The user `plain` runs an engine of their own, with a socket of their own; it answers. */
export async function startRootlessEngine(host: LabHost): Promise<void> {
  const start = `exec setsid su plain -c "$1" >/home/plain/log 2>&1 </dev/null &`;
  await host.must(["sh", "-c", start, "start", ROOTLESS]);
  await until("the rootless engine", async () => (await rootlessVersion(host)) !== "");
}

/** Version of that engine; empty text where it does not answer. */
export async function rootlessVersion(host: LabHost): Promise<string> {
  const ask = ["curl", "-si", "--unix-socket", "/home/plain/run/docker.sock", "http://docker/_ping"];
  const { stdout } = await host.exec(ask);
  return /^Server: Docker\/(\d+\.\d+\.\d+)/m.exec(stdout)?.[1] ?? "";
}
