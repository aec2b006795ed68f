import { posix } from "node:path";
import { SlipwayError } from "../../errors";
import type { HostSession } from "../../host/session";
import { stripControl, tail } from "../../secret";
import { isKeyText } from "../source";
import type { RepositoryFile } from "./package-family";
import { readSigningKeys } from "./signing-key";

const FETCH_MS = 90_000;

/** `$1` address. Fetched by the host: what it can reach is what its package manager can reach. Busybox's wget does, too. */
const FETCH = `
case $1 in file:*) exec cat -- "/\${1#file:*/}" ;; esac
if command -v curl >/dev/null; then exec curl -fsSL --connect-timeout 20 --max-time 60 -- "$1"; fi
exec wget -q -O - -T 20 -- "$1"
`;

/** What a kind of key is called, and how its fingerprints are read: of every key in a file, none when it is not understood. */
export interface KeyKind {
  readonly title: string;
  readonly fingerprints: (text: string) => readonly string[];
}

/**
 * The text of the repository's key, once its fingerprint is right; undefined where the repository has none of its own.
 * @throws SlipwayError engine-install-failed
 */
export async function trustedKey(
  session: HostSession,
  repository: RepositoryFile,
  kind: KeyKind,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { key } = repository;
  if (key === undefined) return undefined;
  const text = isKeyText(key) ? key : await fetchKey(session, key, signal);
  refuseOtherKey(session, repository, text, kind);
  return text;
}

/**
 * Puts the repository's OpenPGP key at `path`, once its fingerprint is right; nothing where the repository has none of its own.
 * @throws SlipwayError engine-install-failed
 */
export async function placeSigningKey(
  session: HostSession,
  repository: RepositoryFile,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const kind = { title: "OpenPGP", fingerprints: readSigningKeys };
  const key = await trustedKey(session, repository, kind, signal);
  if (key === undefined) return;
  await session.run(["mkdir", "-p", "-m", "0755", "--", posix.dirname(path)], { sudo: true, signal });
  await session.writeFile(path, key, { mode: 0o644, sudo: true });
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
function refuseOtherKey(
  session: HostSession,
  { url, keyFingerprint }: RepositoryFile,
  text: string,
  { title, fingerprints }: KeyKind,
): void {
  const found = fingerprints(text);
  const isRight =
    found.length > 0 && (keyFingerprint === undefined || found.every((each) => each === keyFingerprint));
  if (isRight) return;
  throw new SlipwayError({
    code: "engine-install-failed",
    what: `trusting the package source ${url}`,
    host: session.target,
    why:
      found.length === 0
        ? `its key is not a readable ${title} key`
        : `its key has the fingerprint ${found.join(", ")}, not ${keyFingerprint ?? ""}`,
    left: "Nothing was trusted or installed",
    next: "Find out who answers at that address before you go on",
  });
}
