import type { HostSession } from "../../host/session";
import type { Repository } from "./source";
import { DNF_KEY_PATH, DNF_REPO_ID, DNF_SOURCE_PATH } from "./dnf-text";
import type { RepositoryFile, RunOptions } from "./package-family";
import { placeSigningKey } from "./trusted-key";

/**
 * The text of our .repo file. A source that cannot be read is an error, whatever dnf.conf says; packages that are not signed
 * with the key are refused, and the key is asked for once by dnf itself, which imports it from our file.
 */
export function dnfSourceFile({ url, key }: Repository): string {
  const lines = [
    "# Written by Slipway for the Docker packages; changes here are overwritten.",
    `[${DNF_REPO_ID}]`,
    "name=Docker packages (Slipway)",
    `baseurl=${url}`,
    "enabled=1",
    "skip_if_unavailable=0",
    "gpgcheck=1",
  ];
  if (key !== undefined) lines.push(`gpgkey=file://${DNF_KEY_PATH}`);
  return `${lines.join("\n")}\n`;
}

/**
 * Puts the repository's key in place, once its fingerprint is right, and adds the repository to dnf's.
 * @throws SlipwayError engine-install-failed
 */
export async function addDnfRepository(
  session: HostSession,
  repository: RepositoryFile,
  { signal }: RunOptions,
): Promise<void> {
  await placeSigningKey(session, repository, DNF_KEY_PATH, signal);
  await session.run(["mkdir", "-p", "--", "/etc/yum.repos.d"], { sudo: true, signal });
  await session.writeFile(DNF_SOURCE_PATH, repository.content, { mode: 0o644, sudo: true });
}
