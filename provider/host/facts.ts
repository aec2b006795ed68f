/** What is read about a host in one round trip; all values are the host's own words, parsed. */
export interface HostFacts {
  readonly os: {
    readonly id: string;
    readonly idLike: readonly string[];
    readonly versionId: string;
    readonly codename: string;
    readonly prettyName: string;
    /** The release of Ubuntu, or of Debian, that this is made of; empty where it does not say so. */
    readonly ubuntuCodename: string;
    readonly debianCodename: string;
  };
  /** As the kernel says it: `x86_64`, `aarch64`. */
  readonly architecture: string;
  /** `openrc` where that manages the services, else the name of process 1: `systemd`, `init`, … */
  readonly init: string;
  readonly user: { readonly name: string; readonly uid: number; readonly groups: readonly string[] };
  /** Whether root's rights can be had: is root, sudo without a password, sudo with the given password, or not at all. */
  readonly sudo: "root" | "passwordless" | "password" | "none";
  readonly machineId: string;
  readonly bootId: string;
  /**
   * The server's process of this connection, which lives as long as the connection does: its pid, and when it started in
   * clock ticks since boot. Empty text where the host does not show its processes.
   */
  readonly sessionProcess: string;
  /** The docker command and socket as found; undefined where there is none. */
  readonly dockerCli: string | undefined;
  readonly dockerSocket: boolean;
}
