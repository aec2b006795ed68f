import type { HostSession } from "../../host/session";
import type { RepositoryFile, RunOptions } from "./package-family";
import { placeSigningKey } from "./trusted-key";

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
  await placeSigningKey(session, repository, APT_KEY_PATH, signal);
  await session.writeFile(APT_SOURCE_PATH, repository.content, { mode: 0o644, sudo: true });
}
