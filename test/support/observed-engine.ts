import type { Desired } from "../../provider/docker-host/wish/desired";
import type { ObservedEngine, RunningDaemon } from "../../provider/docker-host/look/observed";
import type { EngineWish } from "../../provider/docker-host/wish/wish";

/** A bare Debian machine, with what a test says otherwise. */
export function observedEngine(
  over: Partial<ObservedEngine> = {},
  packages: Partial<ObservedEngine["packages"]> = {},
): ObservedEngine {
  const os = {
    id: "debian",
    idLike: [],
    versionId: "13",
    codename: "trixie",
    prettyName: "Debian 13",
    ubuntuCodename: "",
    debianCodename: "",
  };
  return {
    target: "root@h:22",
    facts: {
      os,
      architecture: "x86_64",
      init: "systemd",
      user: { name: "root", uid: 0, groups: ["root"] },
      sudo: "root",
      machineId: "m",
      bootId: "b",
      sessionProcess: "",
      dockerCli: over.daemon === undefined ? undefined : "/usr/bin/docker",
      dockerSocket: over.daemon !== undefined,
    },
    daemonConfig: {},
    daemonConfigText: "",
    daemon: undefined,
    unheard: false,
    outlived: [],
    enabled: over.daemon !== undefined,
    masked: [],
    restartRules: false,
    foreign: [],
    users: {},
    memory: 2 ** 31,
    disk: 2 ** 35,
    ...over,
    packages: {
      installed: {},
      held: [],
      half: [],
      interrupted: "no",
      hasStaleMark: false,
      missingTools: [],
      sourceFile: undefined,
      keyFingerprints: [],
      otherSourceFiles: [],
      ...packages,
    },
  };
}

/** A daemon that runs, with live restore on. */
export function runningDaemon(version: string, running: readonly string[] = []): RunningDaemon {
  const summary = {
    storageDriver: "overlay2",
    cgroupVersion: "2",
    rootDirectory: "/var/lib/docker",
    liveRestore: true,
    firewall: "",
    runtimes: ["runc"],
    registryMirrors: [],
    warnings: [],
  };
  return {
    version,
    apiVersion: "1.45",
    running,
    halted: [],
    healthy: [],
    containers: running.length,
    images: 0,
    imageStore: "graph driver",
    swarm: false,
    logDrivers: ["journald", "json-file", "local"],
    summary,
    settings: {},
  };
}

/** Docker from the distribution at a version. */
export function desiredEngine(
  dockerVersion: string,
  over: Partial<EngineWish> = {},
  former?: Desired["former"],
): Desired {
  const wish: EngineWish = {
    dockerVersion,
    source: { kind: "distro" },
    daemonConfig: { "live-restore": true },
    liveRestoreIsExplicit: false,
    allowDaemonRestart: false,
    allowDowngrade: false,
    allowPackageRepair: false,
    adopt: false,
    hold: true,
    dockerUsers: [],
    uninstallOnDelete: false,
    purge: false,
    abandonUnreachable: false,
    ...over,
  };
  const dependencies = ["containerd", "runc"];
  return {
    wish,
    names: ["docker.io", "docker-cli"],
    dependencies,
    followers: [],
    repository: undefined,
    former,
  };
}
