import type { DaemonConfig } from "../daemon/config";
import type { PackageFile } from "../packages/package-file";
import type { NeededSource, PackageChoice, RepositoryFile } from "../packages/package-family";
import { upstreamOf } from "../packages/version";

/** Who ran before a daemon was restarted, and who of them was healthy. */
export interface RanBefore {
  readonly containers: readonly string[];
  readonly healthy: readonly string[];
  /** The daemon's end was not theirs (live restore). */
  readonly outlived: boolean;
}

/** For a daemon that does not come up with a daemon.json of ours, or does not take it over. */
export interface Fallback {
  /** The former text of daemon.json, put back then; undefined when it is not new. */
  readonly configBefore?: string | undefined;
  /** Those who are to run again under a daemon that is started with it. */
  readonly ranBefore?: RanBefore;
  /** A log driver that the daemon has to have once it runs, for it takes any name. */
  readonly logDriver?: string;
}

/** One step towards the wished engine. */
export type Step =
  | { readonly kind: "repair-packages" }
  | { readonly kind: "install-tools"; readonly names: readonly string[] }
  | { readonly kind: "write-source"; readonly repository: RepositoryFile }
  | { readonly kind: "remove-source" }
  /** When `needed` does not answer, old lists would be taken for new ones. */
  | { readonly kind: "refresh-lists"; readonly needed: NeededSource }
  | { readonly kind: "move-snap-store" }
  | { readonly kind: "remove-snap" }
  | {
      readonly kind: "install";
      readonly packages: readonly PackageChoice[];
      readonly remove: readonly string[];
      /** The engine goes back, which needs consent. */
      readonly downgrade: boolean;
      /** Any of the packages goes back. */
      readonly lowers: boolean;
      /** Sent there, where they are not the package source's. */
      readonly files?: readonly PackageFile[];
    }
  /** `again`: this run has written it before, and has kept what stood there. */
  | {
      readonly kind: "write-config";
      readonly config: DaemonConfig;
      readonly keys: readonly string[];
      readonly again?: boolean;
    }
  /** `expected`: what is to be in force then. `otherwise`: what brings it where the daemon takes it at its start alone. */
  | ({
      readonly kind: "reload";
      readonly expected: DaemonConfig;
      readonly otherwise?: readonly Operation[];
    } & Fallback)
  | ({ readonly kind: "start" } & Fallback)
  /**
   * `runtime`: the containerd and the socket under it, too, for those were exchanged. `outlived`: containers go on meanwhile, and
   * their published ports are to lead to them.
   */
  | ({ readonly kind: "restart"; readonly runtime?: boolean; readonly outlived?: boolean } & Fallback)
  | { readonly kind: "verify"; readonly wanted: string }
  /** `healthy`: those that have to be healthy again, too. */
  | ({ readonly kind: "revive" } & RanBefore)
  /** `byDaemon`: one answers that can stop them. */
  | {
      readonly kind: "stop-containers";
      readonly containers: readonly string[];
      readonly byDaemon: boolean;
    }
  | { readonly kind: "remove"; readonly packages: readonly string[] }
  /** `folders`: whole ones of Docker's, see `purgeFolders`. */
  | { readonly kind: "purge"; readonly folders: readonly string[] }
  /** Port rules of a restart that was killed. */
  | { readonly kind: "clear-restart-rules" }
  /** The mark of a change of packages whose end nobody heard, and which came to one. */
  | { readonly kind: "forget-change" }
  | { readonly kind: "hold"; readonly packages: readonly string[] }
  | { readonly kind: "unhold"; readonly packages: readonly string[] }
  | { readonly kind: "add-user"; readonly user: string }
  | { readonly kind: "remove-user"; readonly user: string };

/** A step with its reason. */
export type Operation = Step & { readonly cause: string };

/** The plan as text, a line an operation: `install docker.io=26.1.5+dfsg1-9: no engine is installed`. */
export function formatPlan(plan: readonly Operation[]): string {
  return plan.map((operation) => `${formatStep(operation)}: ${operation.cause}`).join("\n");
}

/** A step as a person reads it while it happens: `installing docker.io 26.1.5`. */
export function progressText(step: Step): string {
  switch (step.kind) {
    case "install": {
      const [engine] = step.packages;
      return `installing ${engine?.name ?? "Docker"} ${upstreamOf(engine?.version ?? "") ?? ""}`.trimEnd();
    }
    case "restart":
      return "restarting the daemon";
    case "start":
      return "starting the daemon";
    case "remove":
      return `removing ${step.packages.join(", ")}`;
    default:
      return formatStep(step);
  }
}

/** What a step does, in a few words. */
export function formatStep(step: Step): string {
  switch (step.kind) {
    case "repair-packages":
      return "finish the interrupted package installation";
    case "install-tools":
      return `install ${step.names.join(", ")}`;
    case "write-source":
      return `add the package source ${step.repository.url}`;
    case "remove-source":
      return "remove the package source";
    case "refresh-lists":
      return "refresh the package lists";
    case "move-snap-store":
      return "stop the docker snap and move its images, containers and volumes to /var/lib/docker";
    case "remove-snap":
      return "remove the docker snap";
    case "install": {
      const wanted = step.packages.map(({ name, version }) =>
        version === undefined ? name : `${name}=${version}`,
      );
      const verb = step.downgrade ? "downgrade to" : "install";
      const removed = step.remove.map((name) => `-${name}`);
      const sent = step.files === undefined ? [] : ["from uploaded files"];
      return [`${verb} ${wanted.join(" ")}`, ...removed, ...sent].join(" ");
    }
    case "write-config":
      return formatKeys(step);
    case "reload":
      return step.otherwise === undefined
        ? "reload the daemon"
        : "reload the daemon, or restart it where that is not enough";
    case "start":
      return "start the daemon";
    case "restart":
      return step.runtime === true ? "restart the daemon and its containerd" : "restart the daemon";
    case "verify":
      return `verify that ${step.wanted} runs`;
    case "revive":
      return `verify that ${step.containers.length} containers run again${step.healthy.length === 0 ? "" : `, ${step.healthy.length} of them healthy`}`;
    case "stop-containers":
      return `stop ${step.containers.length} containers`;
    case "remove":
      return `remove ${step.packages.join(", ")}`;
    case "purge":
      return "remove images, containers and volumes";
    case "clear-restart-rules":
      return "take off the port rules of a restart of the daemon";
    case "forget-change":
      return "forget a change of packages that was cut off";
    case "hold":
      return `hold ${step.packages.join(", ")}`;
    case "unhold":
      return `release ${step.packages.join(", ")}`;
    case "add-user":
      return `add ${step.user} to the docker group`;
    case "remove-user":
      return `take ${step.user} out of the docker group`;
  }
}

function formatKeys({ keys, config }: Extract<Step, { kind: "write-config" }>): string {
  const set = keys.filter((key) => key in config).join(", ");
  const gone = keys.filter((key) => !(key in config)).join(", ");
  if (set === "") return `take ${gone} out of daemon.json`;
  return `set ${set} in daemon.json${gone === "" ? "" : ` and take ${gone} out`}`;
}
