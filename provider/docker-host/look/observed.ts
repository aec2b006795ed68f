import type { HostFacts } from "../../host/facts";
import type { DaemonConfig } from "../daemon/config";
import type { DaemonSettings } from "../daemon/settings";

/** One look at a machine's Docker, before anything is decided. */
export interface ObservedEngine {
  readonly target: string;
  readonly facts: HostFacts;
  readonly packages: PackageState;
  /** daemon.json as parsed; undefined when it is not a JSON object. */
  readonly daemonConfig: DaemonConfig | undefined;
  /** daemon.json as it is; empty where there is none. */
  readonly daemonConfigText: string;
  /** What the running daemon says; undefined when none runs, or it is not heard. */
  readonly daemon: RunningDaemon | undefined;
  /** Its service is active, and its API is not there: another socket, or none any more. */
  readonly unheard: boolean;
  /** Ids of containers that go on without a daemon that answers. */
  readonly outlived: readonly string[];
  /** Whether the service starts at boot. */
  readonly enabled: boolean;
  /** Services of Docker that somebody forbade to start. */
  readonly masked: readonly string[];
  /** Whether rules for published ports stand that a restart of ours left, killed with its watcher. */
  readonly restartRules: boolean;
  /** Engines that came another way than the wished source. */
  readonly foreign: readonly ForeignEngine[];
  /** The wished members of the docker group (and the former ones), as they stand. */
  readonly users: Readonly<Record<string, "member" | "not a member" | "missing">>;
  /** Bytes. */
  readonly memory: number;
  /** Bytes of the file system that holds Docker's root directory. */
  readonly disk: number;
}

/** What the package manager has of Docker. */
export interface PackageState {
  /** Docker packages that are installed, name to whole version. */
  readonly installed: Readonly<Record<string, string>>;
  readonly held: readonly string[];
  /** Those that are neither installed nor gone. */
  readonly half: readonly string[];
  /** Whether an earlier run of the package manager was cut off, and whose: ours left its mark (`CHANGE_MARK`). */
  readonly interrupted: "no" | "by us" | "by somebody";
  /** The mark of a change whose end we did not hear, and which left nothing half done. */
  readonly hasStaleMark: boolean;
  /** What a package source needs that is not there: `curl`, `ca-certificates`. */
  readonly missingTools: readonly string[];
  /** The content of our own source file and the fingerprints of its key; undefined where there is none. */
  readonly sourceFile: string | undefined;
  readonly keyFingerprints: readonly string[];
  /** Files of others that name the wished repository already. */
  readonly otherSourceFiles: readonly string[];
}

export interface RunningDaemon {
  readonly version: string;
  readonly apiVersion: string;
  /** Ids of the containers that run now. */
  readonly running: readonly string[];
  /** Ids of those that do not run at this moment, and are not stopped: paused, or restarting. */
  readonly halted: readonly string[];
  /** Those of `running` that are healthy by their own HEALTHCHECK. */
  readonly healthy: readonly string[];
  /** How many there are, stopped ones too. */
  readonly containers: number;
  readonly images: number;
  /** Where images and containers' files are kept; each of the two shows only its own. */
  readonly imageStore: "graph driver" | "containerd";
  readonly swarm: boolean;
  /** Log drivers that it has, its plugins where those were asked for; empty where it does not tell. */
  readonly logDrivers: readonly string[];
  readonly summary: EngineSummaryValues;
  readonly settings: DaemonSettings;
}

/** Ids of all that a restart of this daemon may end: paused ones and those that it starts anew have processes, or soon will. */
export function goingOn({ running, halted }: RunningDaemon): readonly string[] {
  return [...running, ...halted];
}

/** The telling part of `docker info`; nothing in it changes by itself. */
export interface EngineSummaryValues {
  readonly storageDriver: string;
  readonly cgroupVersion: string;
  readonly rootDirectory: string;
  readonly liveRestore: boolean;
  readonly firewall: string;
  readonly runtimes: readonly string[];
  readonly registryMirrors: readonly string[];
  readonly warnings: readonly string[];
}

/** Not there (any more), on the same file system with the place free, with the place taken, or on another file system. */
export type SnapStore = "none" | "movable" | "taken" | "apart";

/** An engine that came another way: a snap, packages of another source, files that no package owns, a user's own. */
export type ForeignEngine =
  /** `store`: whether its images, containers and volumes can be moved to where packages keep theirs. */
  | { readonly kind: "snap"; readonly store: SnapStore }
  | { readonly kind: "packages"; readonly names: readonly string[] }
  | { readonly kind: "unpackaged"; readonly path: string }
  | { readonly kind: "rootless"; readonly users: readonly string[] };
