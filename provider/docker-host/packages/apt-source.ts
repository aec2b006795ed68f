import type { HostSession } from "../../host/session";
import type { RepositoryFile, RunOptions } from "./package-family";
import { readSigningKeys } from "./signing-key";
import { trustedKey } from "./trusted-key";

/** Our own files on the host. */
export const APT_SOURCE_PATH = "/etc/apt/sources.list.d/slipway-docker.sources";
export const APT_KEY_PATH = "/etc/apt/keyrings/slipway-docker.asc";

/**
 * Trusts the repository's key, once its fingerprint is right, and adds the repository to apt's sources.
 * @throws SlipwayError engine-install-failed
 */
export async function addAptRepository(
  session: HostSession,
  repository: RepositoryFile,
  { signal }: RunOptions,
): Promise<void> {
  const kind = { title: "OpenPGP", fingerprints: readSigningKeys };
  const key = await trustedKey(session, repository, kind, signal);
  if (key !== undefined) {
    await session.run(["mkdir", "-p", "-m", "0755", "--", "/etc/apt/keyrings"], { sudo: true, signal });
    await session.writeFile(APT_KEY_PATH, key, { mode: 0o644, sudo: true });
  }
  await session.writeFile(APT_SOURCE_PATH, repository.content, { mode: 0o644, sudo: true });
}
