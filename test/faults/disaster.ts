import type { DeployProcess } from "./deploy-process";
import type { Site } from "./site";

/** What befalls a swap while the deployer stands still at a point of it. */
export interface Disaster {
  readonly name: string;
  readonly did: string;
  readonly restarted?: true;
  readonly pruned?: true;
  readonly powerLost?: true;
  readonly liveRestore?: true;
  /** Why nobody gets through the proxy until a `pulumi up --refresh`. */
  readonly proxyAway?: string;
  /** The deployer is dead afterwards, or has been let go on. */
  strike(site: Site, deployer: DeployProcess, service: string): Promise<void>;
}

const goesOn =
  (act: (site: Site) => Promise<void>): Disaster["strike"] =>
  async (site, deployer) => {
    await act(site);
    deployer.resume();
  };

export const KILL: Disaster = {
  name: "deployer killed",
  did: "SIGKILL of the deployer",
  strike: (_site, deployer) => deployer.kill(),
};

export const LINE: Disaster = {
  name: "line cut",
  did: "sshd's child on the host killed, the deployer goes on",
  strike: goesOn((site) => site.cutConnections()),
};

export const ENGINE: Disaster = {
  name: "dockerd restarted",
  did: "dockerd restarted without live-restore, the deployer goes on",
  restarted: true,
  strike: goesOn((site) => site.restartEngine()),
};

export const ENGINE_LIVE: Disaster = {
  name: "dockerd restarted, live-restore",
  did: "dockerd restarted with live-restore, the deployer goes on",
  liveRestore: true,
  strike: goesOn((site) => site.restartEngine()),
};

export const POWER: Disaster = {
  name: "power lost",
  did: "the host loses its power and comes up again, the deployer goes on",
  restarted: true,
  powerLost: true,
  strike: goesOn((site) => site.powerCycle()),
};

export const PRUNE: Disaster = {
  name: "pruned",
  did: "`docker container prune -f` and `docker system prune -af`, the deployer goes on",
  pruned: true,
  strike: goesOn((site) => site.prune()),
};

export const KILL_PRUNE: Disaster = {
  name: "deployer killed, then pruned",
  did: "SIGKILL of the deployer, then `docker container prune -f` and `docker system prune -af`",
  pruned: true,
  strike: async (site, deployer) => {
    await deployer.kill();
    await site.prune();
  },
};

export const KILL_ENGINE: Disaster = {
  name: "deployer killed, dockerd restarted",
  did: "SIGKILL of the deployer, then dockerd restarted without live-restore",
  restarted: true,
  strike: async (site, deployer) => {
    await deployer.kill();
    await site.restartEngine();
  },
};

export const KILL_REBOOT: Disaster = {
  name: "deployer killed, host rebooted",
  did: "SIGKILL of the deployer, then a shutdown and start of the host",
  restarted: true,
  strike: async (site, deployer) => {
    await deployer.kill();
    await site.reboot();
  },
};

export const PROGRAM: Disaster = {
  name: "switch program killed",
  did: "SIGKILL of the program on the host that exchanges the containers, the deployer goes on",
  strike: async (site, deployer, service) => {
    await site.signalProgram(service, "KILL");
    deployer.resume();
  },
};

export const PROGRAM_TOO: Disaster = {
  name: "deployer and switch program killed",
  did: "SIGKILL of the deployer and of the program on the host that exchanges the containers",
  strike: async (site, deployer, service) => {
    await deployer.kill();
    await site.signalProgram(service, "KILL");
  },
};

export const ORPHANED: Disaster = {
  name: "rules orphaned, dockerd restarted",
  did: "SIGKILL of the deployer, the switch program stands still, dockerd restarted without live-restore; then the program goes on",
  restarted: true,
  strike: async (site, deployer, service) => {
    await site.signalProgram(service, "STOP");
    await deployer.kill();
    await site.restartEngine();
    await site.signalProgram(service, "CONT");
  },
};

export const PROXY_CRASHED: Disaster = {
  name: "proxy's process killed",
  did: "SIGKILL of HAProxy's process on the host, which its restart policy starts again; the deployer goes on",
  strike: goesOn((site) => site.edge.crash()),
};

export const PROXY_KILLED: Disaster = {
  name: "proxy killed by hand",
  did: "`docker kill` of the EdgeProxy's container, the deployer goes on; then `pulumi up --refresh`",
  proxyAway: "the proxy was killed by hand",
  strike: goesOn((site) => site.edge.kill()),
};

export const PROXY_REMOVED: Disaster = {
  name: "proxy removed by hand",
  did: "`docker rm -f` of the EdgeProxy's container, the deployer goes on; then `pulumi up --refresh`",
  proxyAway: "the proxy was removed by hand",
  strike: goesOn((site) => site.edge.remove()),
};

export const PROXY_FROZEN: Disaster = {
  name: "proxy frozen for a moment",
  did: "`docker pause` of the EdgeProxy's container, the deployer goes on; it goes on itself after three seconds",
  strike: async (site, deployer) => {
    await site.edge.pause();
    deployer.resume();
    await site.edge.resume(3);
  },
};

export const PROXY_MUTE: Disaster = {
  name: "proxy frozen for long",
  did: "`docker pause` of the EdgeProxy's container, the deployer goes on; it goes on itself when the deployer has ended",
  strike: async (site, deployer) => {
    await site.edge.pause();
    deployer.resume();
    await deployer.ended;
    await site.edge.resume(0);
  },
};

/** What can befall the proxy while the deployer talks to it. */
export const PROXY_DISASTERS: readonly Disaster[] = [
  PROXY_CRASHED,
  PROXY_KILLED,
  PROXY_REMOVED,
  PROXY_FROZEN,
  PROXY_MUTE,
];

/** What can befall a switch while the program on the host runs. */
export const SWITCH_DISASTERS: readonly Disaster[] = [PROGRAM, PROGRAM_TOO, ORPHANED];

export const DISASTERS: readonly Disaster[] = [
  KILL,
  LINE,
  PRUNE,
  KILL_PRUNE,
  ENGINE,
  KILL_ENGINE,
  ENGINE_LIVE,
  POWER,
  KILL_REBOOT,
];
