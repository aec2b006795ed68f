import { SlipwayError } from "../../errors";
import type { HostSession } from "../../host/session";
import { stripControl, tail } from "../../secret";
import { isKeyText } from "../source";
import type { RepositoryFile, RunOptions } from "./package-family";
import { readSigningKeys } from "./signing-key";

/** Our own files on the host. */
export const APT_SOURCE_PATH = "/etc/apt/sources.list.d/slipway-docker.sources";
export const APT_KEY_PATH = "/etc/apt/keyrings/slipway-docker.asc";

const FETCH_MS = 90_000;

/** `$1` address. Fetched by the host: what it can reach is what apt can reach. */
const FETCH = `
case $1 in file:*) exec cat -- "/\${1#file:*/}" ;; esac
if command -v curl >/dev/null; then exec curl -fsSL --connect-timeout 20 --max-time 60 -- "$1"; fi
exec wget -qO- --timeout=20 --tries=2 -- "$1"
`;

/**
 * Trusts the repository's key, once its fingerprint is right, and adds the repository to apt's sources.
 * @throws SlipwayError engine-install-failed
 */
export async function addAptRepository(
  session: HostSession,
  repository: RepositoryFile,
  { signal }: RunOptions,
): Promise<void> {
  const { key } = repository;
  if (key !== undefined) {
    const text = isKeyText(key) ? key : await fetchKey(session, key, signal);
    refuseOtherKey(session, repository, text);
    await session.run(["mkdir", "-p", "-m", "0755", "--", "/etc/apt/keyrings"], { sudo: true, signal });
    await session.writeFile(APT_KEY_PATH, text, { mode: 0o644, sudo: true });
  }
  await session.writeFile(APT_SOURCE_PATH, repository.content, { mode: 0o644, sudo: true });
}

async function fetchKey(session: HostSession, address: string, signal: AbortSignal): Promise<string> {
  const outcome = await session.script(FETCH, [address], { timeoutMs: FETCH_MS, signal });
  if (outcome.kind === "exited" && outcome.code === 0) return outcome.stdout;
  throw new SlipwayError({
    code: "engine-install-failed",
    what: "fetching the key of the package source",
    host: session.target,
    why:
      outcome.kind === "exited"
        ? `${address} could not be read (exit code ${outcome.code})`
        : "the connection was lost, or the command was ended",
    left: "Nothing was trusted or installed",
    next: 'Let the host reach that address, or set source to "distro" or to a mirror with its key',
    evidence: session.redact(stripControl(tail(outcome.stderr))),
  });
}

/** Every key in the file would be trusted, so every one has to be the right one. */
function refuseOtherKey(session: HostSession, { url, keyFingerprint }: RepositoryFile, text: string): void {
  const found = readSigningKeys(text);
  const isRight =
    found.length > 0 && (keyFingerprint === undefined || found.every((each) => each === keyFingerprint));
  if (isRight) return;
  throw new SlipwayError({
    code: "engine-install-failed",
    what: `trusting the package source ${url}`,
    host: session.target,
    why:
      found.length === 0
        ? "its key is not a readable OpenPGP key"
        : `its key has the fingerprint ${found.join(", ")}, not ${keyFingerprint ?? ""}`,
    left: "Nothing was trusted or installed",
    next: "Find out who answers at that address before you go on",
  });
}
