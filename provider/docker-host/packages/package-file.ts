import type { Fields } from "../../values";
import type { Offer } from "./version";

/** A package that the program gives, for a machine without network. */
export interface PackageFile {
  /** Where the program runs; relative to its folder. */
  readonly path: string;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
  readonly format: PackageFormat;
  /** As the file's own name says; the machine's package manager has to say the same. */
  readonly name: string;
  /** Without an epoch, which no file name has for certain. */
  readonly version: string;
  /** As the format names it (`amd64`, `x86_64`); empty where the name does not say. */
  readonly architecture: string;
}

export type PackageFormat = "deb" | "rpm" | "apk";

/** The one of the files that carries the version, by preference: Alpine's `docker` brings nothing itself. */
const ENGINES: readonly string[] = ["docker-ce", "docker.io", "moby-engine", "docker-engine", "docker"];

const SHA256 = /^[0-9a-f]{64}$/;
const NAMES: Readonly<Record<PackageFormat, RegExp>> = {
  deb: /^(?<name>[a-z0-9][a-z0-9+.-]+)_(?<version>[A-Za-z0-9.+~:-]+)_(?<architecture>[a-z0-9-]+)\.deb$/,
  rpm: /^(?<name>[A-Za-z0-9][A-Za-z0-9+._-]*)-(?<version>[A-Za-z0-9.+~^_]+-[A-Za-z0-9.+~^_]+)\.(?<architecture>[a-z0-9_]+)\.rpm$/,
  apk: /^(?<name>[a-z0-9][a-z0-9+._-]*)-(?<version>\d[a-z0-9._]*-r\d+)(?<architecture>)\.apk$/,
};
const FORMS: Readonly<Record<PackageFormat, string>> = {
  deb: "NAME_VERSION_ARCHITECTURE.deb",
  rpm: "NAME-VERSION-RELEASE.ARCHITECTURE.rpm",
  apk: "NAME-VERSION-rN.apk",
};

/** What a file's name says of its package; undefined when it is not named as a package manager names it. */
export function parsePackageName(
  path: string,
): Pick<PackageFile, "format" | "name" | "version" | "architecture"> | undefined {
  const format = formatOf(path);
  // apt writes what a file system may not like as %3a
  const file = (path.split(/[/\\]/).at(-1) ?? "").replaceAll(/%([0-9a-f]{2})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
  const found = format === undefined ? undefined : NAMES[format].exec(file)?.groups;
  if (format === undefined || found === undefined) return undefined;
  const { name = "", version = "", architecture = "" } = found;
  return { format, name, version: withoutEpoch(version), architecture };
}

/** `5:28.5.2-1` is `28.5.2-1`. */
export function withoutEpoch(version: string): string {
  return version.replace(/^\d+:/, "");
}

/** The names of those files that are parts of an engine, which are `parts` of a package manager; the engine's first. */
export function namesAmong(parts: readonly string[], files: readonly PackageFile[]): readonly string[] {
  return files.map(({ name }) => name).filter((name) => parts.includes(name));
}

/** The files as offers, the engine's first. */
export function offersOf(files: readonly PackageFile[]): readonly Offer[] {
  return files.map(({ name, version }) => ({ name, version }));
}

/** Reads `files` of a source; undefined when something is wrong or not known yet. */
export function readPackageFiles(fields: Fields): readonly PackageFile[] | undefined {
  const before = fields.failures.length;
  const given = fields.raw("files");
  const files = fields.objects("files", readFile);
  if (files === undefined || !Array.isArray(given)) return undefined;
  if (given.length === 0) return fields.fail("files", "needs the engine's package");
  if (fields.failures.length > before || files.length < given.length) return undefined;
  files.forEach(({ format, name }, index) => {
    const first = files[0]?.format ?? format;
    if (format !== first)
      fields.fail(`files[${index}].path`, `is a .${format}, and the first one a .${first}`);
    if (files.findIndex((other) => other.name === name) !== index) {
      fields.fail(`files[${index}].path`, `is a second ${name}`);
    }
  });
  const engine = ENGINES.map((name) => files.find((file) => file.name === name)).find(isThere);
  if (engine === undefined)
    return fields.fail("files", `needs the engine's package: ${ENGINES.join(" or ")}`);
  if (fields.failures.length > before) return undefined;
  return [engine, ...files.filter((file) => file !== engine)];
}

function readFile(fields: Fields): PackageFile | undefined {
  const path = fields.requiredString("path");
  const sha256 = fields.requiredString("sha256")?.toLowerCase();
  fields.rejectOthers();
  if (sha256 !== undefined && !SHA256.test(sha256)) fields.fail("sha256", "must have 64 hexadecimal digits");
  if (path === undefined) return undefined;
  const format = formatOf(path);
  if (format === undefined) return fields.fail("path", "must be a .deb, .rpm or .apk");
  const named = parsePackageName(path);
  if (named === undefined) {
    return fields.fail("path", `must be named as its package manager names it: ${FORMS[format]}`);
  }
  return sha256 === undefined ? undefined : { path, sha256, ...named };
}

function formatOf(path: string): PackageFormat | undefined {
  const [, end] = /\.(deb|rpm|apk)$/.exec(path) ?? [];
  return end === "deb" || end === "rpm" || end === "apk" ? end : undefined;
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}
