import path from "node:path";
import type { Connection } from "../host/connection";
import { readHosts } from "../host/connection-fields";
import { Fields } from "../values";
import type { Properties } from "../handler";
import { isRemoteContext } from "./context";
import { isImageName, parseReference, tagReference } from "./reference";
import type { RegistryLogin } from "../container/registry-login";
import { readBuildRegistry } from "./registry-auth";

/** How long a build may take when `timeout` does not say. */
export const DEFAULT_TIMEOUT_MS = 30 * 60_000;
const DEFAULT_TAGS = ["latest"] as const;
const BUILDERS = ["auto", "buildkit", "classic"] as const;
/** Outputs that check or a build adds; they may stand among the inputs. */
const COMPUTED = [
  ..."ref targets hostKeys imageId repoDigest size createdAt architecture layers contextHash contextBytes".split(
    " ",
  ),
  "commit",
];

/** What is to be built, as the arguments say it; undefined where nothing was said. */
export interface ImageSpec {
  readonly hosts: readonly Connection[];
  readonly name: string | undefined;
  /** Whole references, besides the ref. */
  readonly tags: readonly string[];
  readonly context: string | undefined;
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
  readonly network: string | undefined;
  readonly extraHosts: readonly string[];
  readonly triggers: readonly unknown[];
  /** Id to value. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly builder: (typeof BUILDERS)[number];
  readonly registries: readonly RegistryLogin[];
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
    context: readContext(fields),
    ...readDockerfile(fields),
    buildArgs: readMap(fields, "buildArgs", /^[A-Za-z_][A-Za-z0-9_]*$/, "a name of letters, digits and _"),
    labels: readLabels(fields),
    target: readWord(fields, "target", /^[A-Za-z0-9][A-Za-z0-9._-]*$/),
    platform: readWord(fields, "platform", /^[a-z0-9_]+(\/[a-z0-9_]+){0,2}$/),
    pull: fields.boolean("pull") ?? false,
    noCache: fields.boolean("noCache") ?? false,
    cacheFrom: readReferences(fields, "cacheFrom"),
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
    timeoutMs: fields.duration("timeout") ?? DEFAULT_TIMEOUT_MS,
    keepOnDelete: fields.boolean("keepOnDelete") ?? false,
    abandonUnreachable: fields.boolean("abandonUnreachable") ?? false,
  };
  if (fields.boolean("push") === true)
    fields.fail("push", "is not supported yet: the image stays on its hosts");
  refuseCombinations(spec, fields);
  fields.rejectOthers(COMPUTED);
  return spec;
}

/**
 * Environment names that would change what the docker command itself does: such a build argument cannot be handed to it
 * without showing its value in a command line.
 */
export function isCommandVariable(name: string): boolean {
  const own = ["PATH", "HOME", "IFS", "ENV", "PWD", "TMPDIR", "BUILDKIT_HOST", "BUILDKIT_PROGRESS"];
  return (
    own.includes(name) || /^(?:DOCKER_|BUILDX_|LD_|XDG_|SLIPWAY_|GODEBUG$|GO[A-Z]+$|LC_|OTEL_)/.test(name)
  );
}

function refuseCombinations(spec: ImageSpec, fields: Fields): void {
  const secret = Object.keys(spec.secrets).length > 0;
  if (secret && spec.builder === "classic") fields.fail("secrets", "needs BuildKit, and builder is classic");
  if (spec.registries.length > 0 && spec.builder === "buildkit") {
    fields.fail("registries", "is not supported with builder buildkit yet");
  } else if (spec.registries.length > 0 && secret) {
    fields.fail("registries", "is not supported together with secrets yet");
  }
  for (const name of Object.keys(spec.buildArgs).filter(isCommandVariable)) {
    if (spec.builder === "buildkit" || secret) {
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

function readContext(fields: Fields): string | undefined {
  const context = fields.requiredString("context");
  if (context === undefined || !isRemoteContext(context)) return context;
  return fields.fail(
    "context",
    "is a URL, which is not supported yet: check it out and give the local folder",
  );
}

function readDockerfile(fields: Fields): Pick<ImageSpec, "dockerfile" | "dockerfileInline"> {
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

function readWord(fields: Fields, key: string, allowed: RegExp): string | undefined {
  const value = fields.string(key);
  if (value === undefined || allowed.test(value)) return value;
  return fields.fail(key, "holds characters that are not allowed there");
}

function readReferences(fields: Fields, key: string): readonly string[] {
  const read = fields.list(key, (value, fail) =>
    typeof value === "string" && parseReference(value) !== undefined
      ? value
      : fail("must be an image reference"),
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
