import type * as pulumi from "@pulumi/pulumi";
import type { HostArgument } from "../docker-host/resource";
import { SlipwayResource } from "../resource";

/** A login of an image registry. */
export interface RegistryArgs {
  /** Host name and port of the registry, as in an image reference. */
  readonly address: pulumi.Input<string>;
  readonly username: pulumi.Input<string>;
  /** Secret. */
  readonly password: pulumi.Input<string>;
}

/** How a private repository is read. Secret as a whole. It goes to the context's own server, and to no other that a submodule names. */
export interface GitAuthArgs {
  /** For an https URL: a token that may read the repository. */
  readonly token?: pulumi.Input<string | undefined>;
  /** Whose token it is, where the server wants to know. @default "x-access-token", which GitHub, GitLab and Gitea take */
  readonly username?: pulumi.Input<string | undefined>;
  /** For an ssh URL: a deploy key's text (OpenSSH or PEM). Without any key the ssh-agent's are tried. */
  readonly privateKey?: pulumi.Input<string | undefined>;
  readonly privateKeyPassword?: pulumi.Input<string | undefined>;
  /** A key file on the machine that runs Pulumi; read when used, never stored. */
  readonly privateKeyPath?: pulumi.Input<string | undefined>;
  /** @default the environment's SSH_AUTH_SOCK */
  readonly agentSocketPath?: pulumi.Input<string | undefined>;
  /** The server's key (`ssh-ed25519 AAAA…`) or its `SHA256:` fingerprint, or several. @default what known_hosts says */
  readonly hostKey?: pulumi.Input<string | string[] | undefined>;
  /** Path of a known_hosts file. @default the user's and the system's */
  readonly knownHosts?: pulumi.Input<string | undefined>;
  /** Look the host up in the user's ssh_config. @default false */
  readonly sshConfig?: pulumi.Input<boolean | undefined>;
}

export interface RemoteImageArgs {
  /** Where it is built: a DockerHost, or a connection. Either `host` or `hosts` is needed. */
  readonly host?: HostArgument | undefined;
  /** Where it is built, on each of several. */
  readonly hosts?: pulumi.Input<HostArgument[] | undefined>;
  /** Name of the image, without a tag. @default the resource's name */
  readonly name?: pulumi.Input<string | undefined>;
  /** Further tags, besides the one in `ref`: "1.4.0", or with a name of their own: "web:1.4.0". @default ["latest"] */
  readonly tags?: pulumi.Input<pulumi.Input<string>[] | undefined>;
  /**
   * The local folder that is built, as seen from the program's folder; `<Dockerfile>.dockerignore`, else `.dockerignore` is
   * heeded. Its files keep their permission bits in the image, so another one is another `ref`; times and owners are no part of it.
   *
   * Or a repository, "https://host/org/repo.git#ref:folder" or "git@host:org/repo.git#ref:folder", with its submodules. The ref (a
   * branch, a tag, a whole commit id; the server's HEAD without one) is resolved at every preview and up, by this machine, which
   * also fetches the files: the host never sees the repository. Git LFS files stay the pointers that they are in git.
   */
  readonly context: pulumi.Input<string>;
  /** The login of a private repository. Secret. */
  readonly gitAuth?: pulumi.Input<GitAuthArgs | undefined>;
  /** Path of the Dockerfile, as seen from the context; it may lie outside. @default "Dockerfile" */
  readonly dockerfile?: pulumi.Input<string | undefined>;
  /** Text of a Dockerfile, in place of a file in the context. */
  readonly dockerfileInline?: pulumi.Input<string | undefined>;
  /** Build arguments. They can be read from the image's history: secrets belong in `secrets`. */
  readonly buildArgs?: pulumi.Input<Record<string, pulumi.Input<string>> | undefined>;
  readonly labels?: pulumi.Input<Record<string, pulumi.Input<string>> | undefined>;
  /** The stage to build. @default the last one */
  readonly target?: pulumi.Input<string | undefined>;
  /** "linux/arm64" and the like. @default the host's own */
  readonly platform?: pulumi.Input<string | undefined>;
  /** Ask the registry for newer base images. @default false */
  readonly pull?: pulumi.Input<boolean | undefined>;
  /** Build every step anew. @default false */
  readonly noCache?: pulumi.Input<boolean | undefined>;
  /** Images whose layers may serve as cache. */
  readonly cacheFrom?: pulumi.Input<pulumi.Input<string>[] | undefined>;
  /**
   * Where the cache goes: "inline" puts it into the image, for a `cacheFrom` that names the pushed image; a reference takes all
   * stages to a registry, for which the engine needs containerd's image store. BuildKit only.
   */
  readonly cacheTo?: pulumi.Input<pulumi.Input<string>[] | undefined>;
  /** Network of the build's steps. */
  readonly network?: pulumi.Input<string | undefined>;
  /** Further names in the steps' /etc/hosts, as "name:address". */
  readonly extraHosts?: pulumi.Input<pulumi.Input<string>[] | undefined>;
  /** Any values; a change builds again (a base image that moved). @default [] */
  readonly triggers?: pulumi.Input<unknown[] | undefined>;
  /**
   * Id to value: BuildKit secret mounts. Never in arguments, history, hashes or files that outlive the build. Secret.
   */
  readonly secrets?: pulumi.Input<Record<string, pulumi.Input<string>> | undefined>;
  /** "buildkit", "classic", or "auto": BuildKit where the host has it, else classic. @default "auto" */
  readonly builder?: pulumi.Input<"auto" | "buildkit" | "classic" | undefined>;
  /**
   * Push the ref, and the tags that have a registry's name, from the first of the hosts. `name` has to begin with the
   * registry's address, or with the account's name at Docker Hub. @default false
   */
  readonly push?: pulumi.Input<boolean | undefined>;
  /**
   * How several hosts get the image: each builds it ("build"), or one does and the others get the layers that they have not,
   * through the program's machine ("copy") or from where it was pushed ("registry", needs `push`). @default "build"
   */
  readonly distribute?: pulumi.Input<"build" | "copy" | "registry" | undefined>;
  /** How many earlier images of this resource stay on a host, besides those that containers were made from. @default 0 */
  readonly keepImages?: pulumi.Input<number | undefined>;
  /**
   * What the engine's build cache may hold after a build: "10g". The oldest of it goes, whoever made it. Without it the cache is
   * left alone.
   */
  readonly pruneBuildCache?: pulumi.Input<string | number | undefined>;
  /**
   * Logins for base images and for the push: used for the call that needs them, and written into no file of the host. Secret. Mirrors
   * are the engine's own: `registry-mirrors` in `daemonConfig` of a DockerHost.
   */
  readonly registries?: pulumi.Input<pulumi.Input<RegistryArgs>[] | undefined>;
  /** The longest a build may take. @default "30m" */
  readonly timeout?: pulumi.Input<string | undefined>;
  /** Leave the image on the host when the resource is deleted. @default false */
  readonly keepOnDelete?: pulumi.Input<boolean | undefined>;
  /** Let delete finish when the host does not answer any more. @default false */
  readonly abandonUnreachable?: pulumi.Input<boolean | undefined>;
}

/** An image built on the host that runs it, from a local folder or a repository; built again when its content changes. */
export class RemoteImage extends SlipwayResource {
  declare readonly name: pulumi.Output<string>;
  /** Name and a tag derived from all build inputs: the same on every host, known in preview. */
  declare readonly ref: pulumi.Output<string>;
  /** The engine's id of the image; an object by target where it is built on several hosts. */
  declare readonly imageId: pulumi.Output<string | Record<string, string>>;
  /** Digest in the registry, when it was pushed. */
  declare readonly repoDigest: pulumi.Output<string | undefined>;
  /** Bytes. */
  declare readonly size: pulumi.Output<number>;
  /** ISO 8601, the host's clock. */
  declare readonly createdAt: pulumi.Output<string>;
  /** "amd64", "arm64". */
  declare readonly architecture: pulumi.Output<string>;
  /** Number of layers. */
  declare readonly layers: pulumi.Output<number>;
  /** Hash of the files that the build can see; known in preview. */
  declare readonly contextHash: pulumi.Output<string>;
  /** Bytes of those files; known in preview. */
  declare readonly contextBytes: pulumi.Output<number>;
  /** The commit that a context in git was read at; known in preview. */
  declare readonly commit: pulumi.Output<string | undefined>;
  /** The builder that was used. */
  declare readonly builder: pulumi.Output<"buildkit" | "classic">;

  constructor(name: string, args: RemoteImageArgs, opts?: pulumi.CustomResourceOptions) {
    super(SHAPE, name, { ...args, name: args.name ?? name }, opts);
  }
}

const SHAPE = {
  kind: "RemoteImage",
  connections: ["host", "hosts"],
  secrets: ["secrets", "registries", "gitAuth"],
  outputs: [
    "ref",
    "imageId",
    "repoDigest",
    "size",
    "createdAt",
    "architecture",
    "layers",
    "contextHash",
    "contextBytes",
    "commit",
    "builder",
  ],
} as const;
