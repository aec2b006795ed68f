import { SlipwayError } from "../../errors";
import type { HostFacts } from "../../host/facts";
import type { HostSession } from "../../host/session";
import type { EngineSource } from "./source";
import type { Offer } from "./version";
import { APK_KEY_FOLDER, APK_KEY_LINE, APK_SOURCE_PATH, apkPeek, parsePolicy } from "./apk-text";
import type { RepositoryFile, RunOptions } from "./package-family";
import { readRsaKeys } from "./rsa-key";
import { type KeyKind, refuseOtherKeyAhead, trustedKey } from "./trusted-key";

/** What apk trusts. */
const RSA: KeyKind = { title: "RSA", fingerprints: readRsaKeys };

/** Of what a preview may wait for altogether. */
const PEEK_S = 3;

const MIRROR = "https://dl-cdn.alpinelinux.org/alpine";
/** apk looks for the key by the name that the repository's index gives, which is this file's. */
const KEY_FILE = /\/([A-Za-z0-9@._-]+\.rsa\.pub)$/;

/**
 * The repository behind a source: Alpine's community, which a fresh Alpine does not read, or one of the user's own.
 * @throws SlipwayError invalid-input when the key is no address of an apk key
 */
export function apkRepository(source: EngineSource, facts: HostFacts): RepositoryFile | undefined {
  if (source.kind === "docker" || source.kind === "files") return undefined;
  const url = source.kind === "distro" ? `${MIRROR}/${branchOf(facts)}/community` : source.url;
  const key = source.kind === "custom" ? source.key : undefined;
  const line = key === undefined ? "" : `${APK_KEY_LINE}${apkKeyPath(key)}\n`;
  const content = `# Written by Slipway for the Docker packages; changes here are overwritten.\n${line}${url}\n`;
  const base = source.kind === "custom" ? source : { url, components: [], packages: [] };
  return { ...base, content };
}

/** The files that adding it writes, the source's own first. */
export function apkFiles({ key }: RepositoryFile): readonly string[] {
  return key === undefined ? [APK_SOURCE_PATH] : [APK_SOURCE_PATH, apkKeyPath(key)];
}

/**
 * Trusts the repository's key, once its fingerprint is right, and adds the repository to apk's.
 * @throws SlipwayError engine-install-failed
 */
export async function addApkRepository(
  session: HostSession,
  repository: RepositoryFile,
  { signal }: RunOptions,
): Promise<void> {
  const key = await trustedKey(session, repository, RSA, signal);
  if (key !== undefined) {
    const path = apkKeyPath(repository.key ?? "");
    await session.writeFile(path, key, { mode: 0o644, sudo: true });
  }
  await session.run(["mkdir", "-p", "--", "/etc/apk/repositories.d"], { sudo: true, signal });
  await session.writeFile(APK_SOURCE_PATH, repository.content, { mode: 0o644, sudo: true });
}

/**
 * What the repository offers, without adding it to the machine, by its own apk as whoever we are; empty where that cannot be had in
 * time.
 * @throws SlipwayError engine-install-failed, of a key that will not be trusted
 */
export async function peekAtApks(
  session: HostSession,
  repository: RepositoryFile,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly Offer[]> {
  const [outcome] = await Promise.all([
    session.exec(apkPeek(repository.url, names, PEEK_S), { signal }),
    refuseOtherKeyAhead(session, repository, RSA, PEEK_S, signal),
  ]);
  if (outcome.kind !== "exited") return [];
  return parsePolicy(outcome.stdout).filter(({ repositories }) => repositories.includes(repository.url));
}

function apkKeyPath(address: string): string {
  const name = KEY_FILE.exec(address)?.[1];
  if (name !== undefined) return `${APK_KEY_FOLDER}/${name}`;
  throw new SlipwayError({
    code: "invalid-input",
    what: "reading source.key",
    why: "an apk repository's key has to be the address of a file NAME.rsa.pub, for apk finds it by that name",
    next: "Give its address, and as keyFingerprint the SHA-256 of its DER form",
  });
}

/** `3.20.3` is the branch v3.20; what is no release is edge. */
function branchOf({ os }: HostFacts): string {
  const release = /^(\d+\.\d+)(?:\.\d+)?$/.exec(os.versionId)?.[1];
  return release === undefined ? "edge" : `v${release}`;
}
