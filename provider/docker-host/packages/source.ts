import { type Fields, isObject } from "../../values";
import { type PackageFile, readPackageFiles } from "./package-file";
import { readSigningKeys } from "./signing-key";

/** Where the packages of the engine come from. */
export type EngineSource =
  | { readonly kind: "distro" }
  | { readonly kind: "docker" }
  | (Repository & { readonly kind: "custom" })
  /** Sent over the connection; the one that carries the version first. */
  | { readonly kind: "files"; readonly files: readonly PackageFile[] };

/** A package repository beside the distribution's own. */
export interface Repository {
  readonly url: string;
  /** @default the distribution's codename */
  readonly suite?: string | undefined;
  readonly components: readonly string[];
  /** The signing key: armored text, or the address to fetch it from. Without one the host must trust it already. */
  readonly key?: string | undefined;
  /** 40 hexadecimal digits, or 64 of an apk key; no key with another fingerprint is trusted. */
  readonly keyFingerprint?: string | undefined;
  /** The one that carries the version first. */
  readonly packages: readonly string[];
}

/** Docker's own release keys: one for Debian and Ubuntu, one for everybody with rpm. */
const DOCKER_KEY_FINGERPRINTS = {
  deb: "9DC858229FC7DD38854AE2D88D81803C0EBFCD88",
  rpm: "060A61C51B558A7F742B77AAC52FEB6B621E9F35",
} as const;
const DOCKER_DOWNLOADS = "https://download.docker.com/linux";
export const DOCKER_PACKAGES: readonly string[] = [
  "docker-ce",
  "docker-ce-cli",
  "containerd.io",
  "docker-buildx-plugin",
  "docker-compose-plugin",
];

const WITH_DOCKER_CE: readonly string[] = ["docker-ce-cli", "containerd.io", "docker-ce-rootless-extras"];

/** What may come along with these packages, or be there beside them, and is not among them. */
export function followersOf(names: readonly string[]): readonly string[] {
  return names[0] === "docker-ce" ? WITH_DOCKER_CE.filter((name) => !names.includes(name)) : [];
}

/** Docker's own repository: what lies at `path`, with the key of a distribution's folder. */
export function dockerRepository(
  format: keyof typeof DOCKER_KEY_FINGERPRINTS,
  folder: string,
  path: string = folder,
): Repository {
  return {
    url: `${DOCKER_DOWNLOADS}/${path}`,
    components: ["stable"],
    key: `${DOCKER_DOWNLOADS}/${folder}/gpg`,
    keyFingerprint: DOCKER_KEY_FINGERPRINTS[format],
    packages: DOCKER_PACKAGES,
  };
}

/** The start of a repository's address, before anything is known of the machine; undefined for the distribution's own. */
export function repositoryAddress(source: EngineSource): string | undefined {
  if (source.kind === "docker") return DOCKER_DOWNLOADS;
  return source.kind === "custom" ? source.url : undefined;
}

const URL_TEXT = /^(https?:\/\/|file:\/)[A-Za-z0-9._~:/%@+=-]+$/;
const WORD = /^[A-Za-z0-9][A-Za-z0-9._/+-]*$/;
const PACKAGE = /^[a-z0-9][a-z0-9.+-]+$/;
/** Of an OpenPGP key, or the SHA-256 of an RSA key for apk. */
const FINGERPRINT = /^(?:[0-9A-F]{40}|[0-9A-F]{64})$/;

const REPOSITORY_FIELDS: readonly string[] = [
  "url",
  "suite",
  "components",
  "key",
  "keyFingerprint",
  "packages",
];

/** True when the text is a key itself and not where to fetch it. */
export function isKeyText(key: string): boolean {
  return key.trimStart().startsWith("-----BEGIN PGP");
}

/** Reads the argument `source`. @default the source "docker" */
export function readSource(fields: Fields): EngineSource | undefined {
  const value = fields.raw("source");
  if (value === undefined) return fields.has("source") ? undefined : { kind: "docker" };
  if (value === "docker" || value === "distro") return { kind: value };
  if (!isObject(value)) {
    return fields.fail("source", 'must be "docker", "distro" or an object with a url or files');
  }
  const nested = fields.object("source");
  if (nested === undefined) return undefined;
  return nested.has("files") ? readUploaded(nested) : readCustom(nested);
}

function readUploaded(fields: Fields): EngineSource | undefined {
  const before = fields.failures.length;
  if (fields.has("url")) fields.fail("files", "cannot be given together with url");
  const files = readPackageFiles(fields);
  // what belongs to a url is told once, by that
  fields.rejectOthers(fields.has("url") ? REPOSITORY_FIELDS : []);
  if (files === undefined || fields.failures.length > before) return undefined;
  return { kind: "files", files };
}

function readCustom(fields: Fields): EngineSource | undefined {
  const before = fields.failures.length;
  const url = matching(fields, "url", URL_TEXT, "must be an http, https or file address");
  if (!fields.has("url")) fields.fail("url", "is required, or files");
  const suite = matching(fields, "suite", WORD, "must be one word");
  const components = words(fields, "components", WORD) ?? ["stable"];
  const packages = words(fields, "packages", PACKAGE) ?? DOCKER_PACKAGES;
  if (packages.length === 0) fields.fail("packages", "needs the engine's package");
  const keyFingerprint = fields.string("keyFingerprint")?.replaceAll(/[\s:]/g, "").toUpperCase();
  if (keyFingerprint !== undefined && !FINGERPRINT.test(keyFingerprint)) {
    fields.fail("keyFingerprint", "must have 40 hexadecimal digits (64 for an apk key)");
  }
  const key = fields.string("key");
  checkKey(fields, key, keyFingerprint);
  fields.rejectOthers();
  if (url === undefined || fields.failures.length > before) return undefined;
  return { kind: "custom", url, suite, components, key, keyFingerprint, packages };
}

function checkKey(fields: Fields, key: string | undefined, fingerprint: string | undefined): void {
  if (key === undefined) return;
  if (!isKeyText(key)) {
    if (!URL_TEXT.test(key)) fields.fail("key", "must be an armored key or the address of one");
    else if (!fields.has("keyFingerprint")) {
      fields.fail("keyFingerprint", "is required when the key is fetched from an address");
    }
    return;
  }
  const found = readSigningKeys(key);
  if (found.length === 0) fields.fail("key", "is not a readable OpenPGP key");
  else if (fingerprint !== undefined && found.some((each) => each !== fingerprint)) {
    fields.fail("key", `has the fingerprint ${found.join(", ")}, not ${fingerprint}`);
  }
}

function matching(fields: Fields, key: string, pattern: RegExp, reason: string): string | undefined {
  const text = fields.string(key);
  return text === undefined || pattern.test(text) ? text : fields.fail(key, reason);
}

function words(fields: Fields, key: string, pattern: RegExp): readonly string[] | undefined {
  return fields.list(key, (value, fail) =>
    typeof value === "string" && pattern.test(value) ? value : fail("must be one word"),
  );
}
