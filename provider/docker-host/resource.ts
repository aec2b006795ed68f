import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../host/connection";
import { SlipwayResource, STANDS_FOR } from "../resource";
import { waitsFor } from "./fleet/rollout";

/**
 * How a machine is reached. The field names are those of `@pulumi/command`'s remote connection, and what both know works
 * in both. Credentials are made secret, whether the caller did so or not.
 */
export interface ConnectionArgs {
  /** Address or name; with `sshConfig` the alias. */
  readonly host: pulumi.Input<string>;
  /**
   * Looks `host` up in the ssh_config of the user who runs Pulumi (`~/.ssh/config`, then `/etc/ssh/ssh_config`) when the
   * connection is used: HostName, User, Port, IdentityFile, IdentitiesOnly, IdentityAgent, ProxyJump, UserKnownHostsFile
   * and HostKeyAlias, with Include, Host and Match. What is given here goes before the file. Nothing of it is stored, and
   * a preview needs no file; outputs name the machine by its alias. No command is run: ProxyCommand and `Match exec` are
   * refused. @default false
   */
  readonly sshConfig?: pulumi.Input<boolean | undefined>;
  /** @default 22 */
  readonly port?: pulumi.Input<number | undefined>;
  /** @default "root"; with `sshConfig` the file's, else the local user, as for ssh */
  readonly user?: pulumi.Input<string | undefined>;
  /** Text of a private key (OpenSSH or PEM). Secret. */
  readonly privateKey?: pulumi.Input<string | undefined>;
  /** Passphrase of the private key. Secret. */
  readonly privateKeyPassword?: pulumi.Input<string | undefined>;
  /**
   * Path of a key file on the machine that runs Pulumi, `~` for the home folder. Read when it is used and never stored;
   * a preview runs without it. The public half (`….pub`) chooses that key of the agent.
   */
  readonly privateKeyPath?: pulumi.Input<string | undefined>;
  /** Password of the user. Secret. */
  readonly password?: pulumi.Input<string | undefined>;
  /** Password that sudo asks for, when it asks. Secret. */
  readonly sudoPassword?: pulumi.Input<string | undefined>;
  /** Socket of an SSH agent. @default the environment's SSH_AUTH_SOCK */
  readonly agentSocketPath?: pulumi.Input<string | undefined>;
  /**
   * The machine's key: a key line (`ssh-ed25519 AAAA…`) or a `SHA256:` fingerprint, or several for a rotation.
   * `@pulumi/command` takes one key line and nothing else, of an ed25519 or ECDSA key: of an RSA key it would accept the
   * old SHA-1 signatures only, which sshd does not give any more. Without one it does not look at the machine's key.
   */
  readonly hostKey?: pulumi.Input<string | pulumi.Input<string>[] | undefined>;
  /** Path of a known_hosts file. @default the user's and the system's */
  readonly knownHosts?: pulumi.Input<string | undefined>;
  /**
   * "strict": a key that nobody vouched for is refused. "accept-new": the first key seen is learned, kept in the output
   * `hostKeys` and enforced from then on; not for bastions.
   * @default "strict"
   */
  readonly hostKeyPolicy?: pulumi.Input<"strict" | "accept-new" | undefined>;
  /** The bastion, reached first: a connection of its own, which may have one too (not so for `@pulumi/command`). */
  readonly proxy?: pulumi.Input<ConnectionArgs | undefined>;
  /** Dial attempts; -1 for no limit. @default 10 */
  readonly dialErrorLimit?: pulumi.Input<number | undefined>;
  /** Seconds for one dial. @default 15 */
  readonly perDialTimeout?: pulumi.Input<number | undefined>;
}

/** A machine as an argument: a DockerHost, or the connection to one that is managed elsewhere. */
export type HostArgument = pulumi.Input<DockerHost | ConnectionArgs>;

/** A package source of the user's own. */
export interface PackageSourceArgs {
  /** Address of the repository: http, https or file. */
  readonly url: pulumi.Input<string>;
  /** @default the distribution's codename */
  readonly suite?: pulumi.Input<string | undefined>;
  /** @default ["stable"] */
  readonly components?: pulumi.Input<pulumi.Input<string>[] | undefined>;
  /** The signing key: armored text, or the address to fetch it from. Without one the machine must trust it already. */
  readonly key?: pulumi.Input<string | undefined>;
  /**
   * 40 hexadecimal digits, of an apk key 64; no key with another fingerprint is trusted. Needed where the key is fetched from an
   * address.
   */
  readonly keyFingerprint?: pulumi.Input<string | undefined>;
  /** The packages of the engine, the one that carries the version first. @default those of docker-ce */
  readonly packages?: pulumi.Input<pulumi.Input<string>[] | undefined>;
}

/** A package in a file, where the program runs. */
export interface PackageFileArgs {
  /**
   * Path of a `.deb`, `.rpm` or `.apk`, named as its package manager names it (`docker-ce_28.5.2-1~debian.13~trixie_amd64.deb`).
   * It has to be there in every preview and up, and for neither refresh nor destroy.
   */
  readonly path: pulumi.Input<string>;
  /** 64 hexadecimal digits; compared where the program runs, and on the machine before anything is installed. */
  readonly sha256: pulumi.Input<string>;
}

/** Packages that are sent to the machine, for one without network. */
export interface UploadedPackagesArgs {
  /**
   * The engine's package, and all that it needs and the machine does not have. Parts of the engine are held; any other package
   * that is installed already stays as it is.
   */
  readonly files: pulumi.Input<pulumi.Input<PackageFileArgs>[]>;
}

/** One machine of a fleet, which is changed after others of it. */
export interface HostRolloutArgs {
  /** The hosts before this one, in the fleet's order: create and update of this one begin when theirs ended well. */
  readonly after: readonly pulumi.Input<DockerHost>[];
  /**
   * How many of the fleet may be in change at a time: the last `parallelism - 1` of `after` are not waited for. The same on
   * every host of a fleet, each of which names all hosts before it. @default 1
   */
  readonly parallelism?: number | undefined;
}

export interface DockerHostArgs {
  /** How the machine is reached. */
  readonly connection: pulumi.Input<ConnectionArgs>;
  /**
   * "28.5.2", or a semver range: "28.x", "~28.5". A range that the running version satisfies is no change, ever;
   * otherwise it is resolved against what the host's package source offers, highest first.
   */
  readonly dockerVersion: pulumi.Input<string>;
  /**
   * Where the packages come from. "docker": Docker's own (docker-ce). "distro": the distribution's (engine and CLI). Or
   * a source of your own. Or files, which are sent there.
   * @default "docker"
   */
  readonly source?: pulumi.Input<"docker" | "distro" | PackageSourceArgs | UploadedPackagesArgs | undefined>;
  /**
   * Merged into daemon.json; keys that others wrote stay. Validated before the daemon sees it. `hosts` cannot be set.
   * @default \{\}
   */
  readonly daemonConfig?: pulumi.Input<Record<string, unknown> | undefined>;
  /** Containers go on running while the daemon restarts. @default true */
  readonly liveRestore?: pulumi.Input<boolean | undefined>;
  /** Consent to restart a running daemon, which an upgrade or a change of its configuration needs. @default false */
  readonly allowDaemonRestart?: pulumi.Input<boolean | undefined>;
  /** Consent to go back to an older version. @default false */
  readonly allowDowngrade?: pulumi.Input<boolean | undefined>;
  /**
   * Consent to finish what somebody else's package manager left half done, where packages have to change: their packages are
   * configured, too. What a run of Slipway left is finished without asking. @default false
   */
  readonly allowPackageRepair?: pulumi.Input<boolean | undefined>;
  /**
   * Take over an engine that came another way: packages of another source (docker.io where docker-ce is asked, or the other
   * way round) and the docker snap keep their images, containers and volumes; those of podman and of a user's rootless engine
   * stay where they are. @default false
   */
  readonly adopt?: pulumi.Input<boolean | undefined>;
  /** The package manager's hold on every Docker package. @default true */
  readonly hold?: pulumi.Input<boolean | undefined>;
  /**
   * One after another: this host is touched when the ones before it run what was asked for, verified, with their containers.
   * The first that fails ends the run, and the ones behind it stay as they are. It is an order and nothing else: no diff
   * comes of it, and destroy goes the other way round. @default all at the same time
   */
  readonly rollout?: HostRolloutArgs | undefined;
  /** Members of the docker group, which is as good as root. @default [] */
  readonly dockerUsers?: pulumi.Input<pulumi.Input<string>[] | undefined>;
  /**
   * Remove Docker from the machine when the resource is deleted; otherwise it stays as it is. Another address is then a
   * replacement, and Docker stays where the new address leads to the same machine. `daemon.json` with its backup, the docker
   * group and its members, and until the next boot the bridge docker0 are left. @default false
   */
  readonly uninstallOnDelete?: pulumi.Input<boolean | undefined>;
  /**
   * With `uninstallOnDelete`: images, containers and volumes go, too. All of them, whoever made them. @default false
   */
  readonly purge?: pulumi.Input<boolean | undefined>;
  /**
   * Let delete finish when the machine does not answer any more (a refused login or another host key is an answer).
   * @default false
   */
  readonly abandonUnreachable?: pulumi.Input<boolean | undefined>;
}

/** The operating system of a machine, from its os-release. */
export interface OperatingSystem {
  readonly id: string;
  readonly versionId: string;
  readonly codename: string;
  readonly prettyName: string;
}

/** The telling part of `docker info`. */
export interface EngineSummary {
  readonly storageDriver: string;
  readonly cgroupVersion: string;
  readonly rootDirectory: string;
  readonly liveRestore: boolean;
  /** How the engine sets up its firewall rules; empty where it does not say. */
  readonly firewall: string;
  readonly runtimes: string[];
  readonly registryMirrors: string[];
  readonly warnings: string[];
}

/** A machine with Docker at a pinned version: installed, configured, held and verified to be what runs. */
export class DockerHost extends SlipwayResource {
  /** How the machine is reached; its credentials are secret. */
  declare readonly connection: pulumi.Output<Connection>;
  /** Version of the running daemon. */
  declare readonly version: pulumi.Output<string>;
  /** Version of the Engine API. */
  declare readonly apiVersion: pulumi.Output<string>;
  /** Docker packages and their versions. */
  declare readonly packages: pulumi.Output<Record<string, string>>;
  declare readonly os: pulumi.Output<OperatingSystem>;
  /** As the machine names it: "x86_64", "aarch64". */
  declare readonly architecture: pulumi.Output<string>;
  declare readonly machineId: pulumi.Output<string>;
  /** Bytes of memory. */
  declare readonly memory: pulumi.Output<number>;
  /** Bytes of the file system that holds Docker's root directory. */
  declare readonly disk: pulumi.Output<number>;
  declare readonly engine: pulumi.Output<EngineSummary>;
  /** What has to be done to bring the machine back, as the last look at it found; empty when it is as it should be. */
  declare readonly drift: pulumi.Output<string[]>;
  /** The part of daemon.json that the program set. */
  declare readonly daemonConfig: pulumi.Output<Record<string, unknown> | undefined>;

  constructor(name: string, args: DockerHostArgs, opts?: pulumi.CustomResourceOptions) {
    const { rollout, ...own } = args;
    super(SHAPE, name, own, rollout === undefined ? opts : behind(rollout, opts));
  }

  /**
   * Given as an argument, a host is its connection: known in preview as the connection is.
   * @internal
   */
  [STANDS_FOR](): pulumi.Output<Connection> {
    return this.connection;
  }
}

/** Pulumi's own order is the one that holds for every operation, and that ends at the first failure. */
function behind(
  { after, parallelism }: HostRolloutArgs,
  opts: pulumi.CustomResourceOptions = {},
): pulumi.CustomResourceOptions {
  return pulumi.mergeOptions(opts, { dependsOn: [...waitsFor(after, parallelism)] });
}

const SHAPE = {
  kind: "DockerHost",
  connections: ["connection"],
  secrets: [],
  outputs: [
    "version",
    "apiVersion",
    "packages",
    "os",
    "architecture",
    "machineId",
    "memory",
    "disk",
    "engine",
    "daemonConfig",
    "drift",
  ],
} as const;
