import path from "node:path";
import type { Connection } from "../host/connection";
import { readHosts } from "../host/connection-fields";
import { Fields } from "../values";
import type { Properties } from "../handler";
import { type GitAuth, readGitAuth, refuseUseless } from "./git/git-auth";
import { type GitContext, isRemoteContext, parseGitContext } from "./git/git-context";
import { isImageName, parseReference, tagReference } from "./reference";
import { parseByteSize } from "../container/byte-size";
import type { RegistryLogin } from "../container/registry-login";
import { readBuildRegistry } from "./registry-auth";

/** How long a build may take when `timeout` does not say. */
export const DEFAULT_TIMEOUT_MS = 30 * 60_000;
/** A timer of Node's that is set for more fires at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
const DEFAULT_TAGS = ["latest"] as const;
const BUILDERS = ["auto", "buildkit", "classic"] as const;
/** The word of `cacheTo` for a cache that is in the image itself. */
export const INLINE_CACHE = "inline";
/** Outputs that check or a build adds; they may stand among the inputs. */
const COMPUTED = [
  ..."ref targets hostKeys imageId repoDigest size createdAt architecture layers contextHash contextBytes".split(
    " ",
  ),
  "commit",
];

const WAYS = ["build", "copy", "registry"] as const;
const CLASSIC = "needs BuildKit, and builder is classic";

/** What is to be built, as the arguments say it; undefined where nothing was said. */
export interface ImageSpec {
  readonly hosts: readonly Connection[];
  readonly name: string | undefined;
  /** Whole references, besides the ref. */
  readonly tags: readonly string[];
  readonly context: string | undefined;
  /** Where the context lies in a repository. */
  readonly git: GitContext | undefined;
  readonly gitAuth: GitAuth | undefined;
  /** Relative to the context, with slashes, and may lead out of it; undefined when `dockerfileInline` is given. */
  readonly dockerfile: string | undefined;
  readonly dockerfileInline: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: string | undefined;
  readonly platform: string | undefined;
  readonly pull: boolean;
  readonly noCache: boolean;
  readonly cacheFrom: readonly string[];
  /** References, or {@link INLINE_CACHE}. */
  readonly cacheTo: readonly string[];
  readonly network: string | undefined;
  readonly extraHosts: readonly string[];
  readonly triggers: readonly unknown[];
  /** Id to value. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly builder: (typeof BUILDERS)[number];
  readonly registries: readonly RegistryLogin[];
  readonly push: boolean;
  /** How hosts beside the first get the image. */
  readonly distribute: (typeof WAYS)[number];
  /** How many earlier images stay besides those that containers need. */
  readonly keepImages: number;
  /** What the build cache may hold after a build; undefined where it is left alone. */
  readonly cacheBytes: number | undefined;
  readonly timeoutMs: number;
  readonly keepOnDelete: boolean;
  readonly abandonUnreachable: boolean;
}

/** Reads the arguments; every mistake becomes a failure of `fields`. */
export function readSpec(inputs: Properties, fields: Fields = new Fields(inputs)): ImageSpec {
  const hosts = readHosts(fields, { required: true });
  const name = readName(fields);
  const spec: ImageSpec = {
    hosts,
    name,
    tags: readTags(fields, name ?? "unnamed"),
    ...readContext(fields),
    ...readDockerfile(fields),
    buildArgs: readMap(fields, "buildArgs", /^[A-Za-z_][A-Za-z0-9_]*$/, "a name of letters, digits and _"),
    labels: readLabels(fields),
    target: readWord(fields, "target", /^[A-Za-z0-9][A-Za-z0-9._-]*$/),
    platform: readWord(fields, "platform", /^[a-z0-9_]+(\/[a-z0-9_]+){0,2}$/),
    pull: fields.boolean("pull") ?? false,
    noCache: fields.boolean("noCache") ?? false,
    cacheFrom: readReferences(fields, "cacheFrom"),
    cacheTo: readReferences(fields, "cacheTo", [INLINE_CACHE]),
    network: readWord(fields, "network", /^[A-Za-z0-9][A-Za-z0-9_.:-]*$/),
    extraHosts: readExtraHosts(fields),
    triggers: fields.list("triggers", (value) => value ?? null) ?? [],
    secrets: readMap(
      fields,
      "secrets",
      /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/,
      "an id of letters, digits, _ . and -",
    ),
    builder: fields.oneOf("builder", BUILDERS) ?? "auto",
    registries: fields.objects("registries", readBuildRegistry) ?? [],
    push: fields.boolean("push") ?? false,
    distribute: fields.oneOf("distribute", WAYS) ?? "build",
    keepImages: fields.integer("keepImages", { min: 0, max: 1_000 }) ?? 0,
    cacheBytes: readSize(fields, "pruneBuildCache"),
    timeoutMs: readTimeout(fields) ?? DEFAULT_TIMEOUT_MS,
    keepOnDelete: fields.boolean("keepOnDelete") ?? false,
    abandonUnreachable: fields.boolean("abandonUnreachable") ?? false,
  };
  refuseCombinations(spec, fields);
  fields.rejectOthers(COMPUTED);
  return spec;
}

/**
 * Environment names that would change what the docker command itself does: such a build argument cannot be handed to it
 * without showing its value in a command line.
 */
function isCommandVariable(name: string): boolean {
  const own = ["PATH", "HOME", "IFS", "ENV", "PWD", "TMPDIR", "BUILDKIT_HOST", "BUILDKIT_PROGRESS"];
  return (
    own.includes(name) ||
    /^(?:DOCKER_|BUILDX_|LD_|XDG_|SLIPWAY_|GODEBUG$|GO[A-Z]+$|LC_|OTEL_|slipway_)/.test(name)
  );
}

/** What of the wish the classic builder cannot do, as the start of a sentence ("secrets need"); undefined where it can. */
export function needsBuildKit(spec: Pick<ImageSpec, "secrets" | "cacheTo" | "builder">): string | undefined {
  if (Object.keys(spec.secrets).length > 0) return "secrets need";
  if (spec.cacheTo.length > 0) return "cacheTo needs";
  return spec.builder === "buildkit" ? "builder buildkit needs" : undefined;
}

/** Whether the host's docker command can be given all of it: else the Engine API builds, with the classic builder. */
export function fitsCommand({ buildArgs }: Pick<ImageSpec, "buildArgs">): boolean {
  return !Object.keys(buildArgs).some(isCommandVariable);
}

function refuseCombinations(spec: ImageSpec, fields: Fields): void {
  if (spec.builder === "classic") {
    if (Object.keys(spec.secrets).length > 0) fields.fail("secrets", CLASSIC);
    if (spec.cacheTo.length > 0) fields.fail("cacheTo", CLASSIC);
  }
  if (spec.push && spec.name?.includes("/") === false) {
    fields.fail("push", 'needs a name with its registry in it, such as "registry.example:5000/team/web"');
  }
  if (spec.distribute === "registry" && !spec.push) fields.fail("distribute", '"registry" needs push: true');
  for (const name of Object.keys(spec.buildArgs).filter(isCommandVariable)) {
    if (needsBuildKit(spec) !== undefined) {
      fields.fail(
        `buildArgs.${name}`,
        "is a variable of the docker command itself: with BuildKit, use another name",
      );
    }
  }
}

function readName(fields: Fields): string | undefined {
  const name = fields.requiredString("name");
  if (name === undefined || isImageName(name)) return name;
  return fields.fail("name", "must be an image name without a tag: lower-case letters, digits and . _ - /");
}

function readTags(fields: Fields, name: string): readonly string[] {
  const read = fields.list("tags", (value, fail) => {
    const tag = typeof value === "string" ? tagReference(name, value) : undefined;
    return tag ?? fail('must be a tag such as "1.4.0", or a name with one such as "web:1.4.0"');
  });
  return [...new Set(read ?? DEFAULT_TAGS.map((tag) => `${name}:${tag}`))];
}

function readContext(fields: Fields): Pick<ImageSpec, "context" | "git" | "gitAuth"> {
  const context = fields.requiredString("context");
  const auth = fields.object("gitAuth");
  const gitAuth = auth === undefined ? undefined : readGitAuth(auth);
  if (context === undefined) return { context, git: undefined, gitAuth };
  if (!isRemoteContext(context)) {
    if (fields.has("gitAuth"))
      fields.fail("gitAuth", "is for a context in git, and context is a local folder");
    return { context, git: undefined, gitAuth };
  }
  const git = parseGitContext(context);
  if ("refused" in git) {
    fields.fail("context", git.refused);
    return { context: undefined, git: undefined, gitAuth };
  }
  if (gitAuth !== undefined) refuseUseless(gitAuth, git.remote, fields);
  return { context, git, gitAuth };
}

/** Reads `dockerfile` and `dockerfileInline`. */
export function readDockerfile(fields: Fields): Pick<ImageSpec, "dockerfile" | "dockerfileInline"> {
  const dockerfileInline = fields.string("dockerfileInline");
  const given = fields.string("dockerfile");
  if (fields.has("dockerfileInline")) {
    if (fields.has("dockerfile")) fields.fail("dockerfileInline", "cannot be given together with dockerfile");
    if (dockerfileInline?.trim() === "") fields.fail("dockerfileInline", "must not be empty");
    return { dockerfile: undefined, dockerfileInline };
  }
  if (given === "") {
    fields.fail("dockerfile", "must be a path, relative to the context");
    return { dockerfile: undefined, dockerfileInline };
  }
  if (isRemoteContext(textOf(fields.raw("context"))) && path.isAbsolute(given ?? "")) {
    fields.fail("dockerfile", "must be a path in the repository, or its text may stand in dockerfileInline");
    return { dockerfile: undefined, dockerfileInline };
  }
  const dockerfile = path.posix.normalize((given ?? "Dockerfile").replaceAll(path.sep, "/"));
  return { dockerfile, dockerfileInline };
}

function readLabels(fields: Fields): Readonly<Record<string, string>> {
  const labels = readMap(fields, "labels", /^[^\s=-][^\s=]*$/, "a label name without blanks and =");
  for (const key of Object.keys(labels).filter((each) => each.startsWith("slipway."))) {
    fields.fail(`labels.${key}`, "is kept for Slipway's own labels");
  }
  return labels;
}

/** A map of texts whose names fit; values cannot hold NUL, and not more than one environment variable can. */
function readMap(fields: Fields, key: string, names: RegExp, rule: string): Readonly<Record<string, string>> {
  const map = fields.stringMap(key) ?? {};
  for (const [name, value] of Object.entries(map)) {
    if (!names.test(name)) fields.fail(`${key}.${name}`, `must be ${rule}`);
    if (value.includes("\0")) fields.fail(`${key}.${name}`, "cannot hold a NUL character");
    if (Buffer.byteLength(value) > 100_000) fields.fail(`${key}.${name}`, "must be below 100,000 bytes");
  }
  return map;
}

function readTimeout(fields: Fields): number | undefined {
  const ms = fields.duration("timeout");
  if (ms === undefined || (ms > 0 && ms <= LONGEST_TIMEOUT_MS)) return ms;
  return fields.fail("timeout", "must be more than 0s, and at most 596h");
}

function readSize(fields: Fields, key: string): number | undefined {
  const value = fields.raw(key);
  if (value === undefined) return undefined;
  return parseByteSize(value) ?? fields.fail(key, 'must be a size such as "10g"');
}

function readWord(fields: Fields, key: string, allowed: RegExp): string | undefined {
  const value = fields.string(key);
  if (value === undefined || allowed.test(value)) return value;
  return fields.fail(key, "holds characters that are not allowed there");
}

function readReferences(fields: Fields, key: string, words: readonly string[] = []): readonly string[] {
  const read = fields.list(key, (value, fail) =>
    typeof value === "string" && (words.includes(value) || parseReference(value) !== undefined)
      ? value
      : fail(`must be an image reference${words.map((word) => ` or "${word}"`).join("")}`),
  );
  return read ?? [];
}

function readExtraHosts(fields: Fields): readonly string[] {
  const read = fields.list("extraHosts", (value, fail) =>
    typeof value === "string" && /^[A-Za-z0-9][A-Za-z0-9._-]*:[A-Za-z0-9.:[\]-]+$/.test(value)
      ? value
      : fail('must be "name:address"'),
  );
  return read ?? [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
