import { posix } from "node:path";
import { SlipwayError } from "../../errors";
import type { HostSession } from "../../host/session";
import { stripControl, tail } from "../../secret";
import { isKeyText } from "./source";
import type { RepositoryFile } from "./package-family";
import { readSigningKeys } from "./signing-key";

const FETCH_MS = 90_000;

/** How long the host itself waits, in seconds: for an answer, and altogether. */
const PATIENCE = { connect: 20, all: 60 };

/**
 * `$1` address, `$2` and `$3` seconds for an answer and altogether. Fetched by the host: what it can reach is what its package
 * manager can reach. Busybox's wget does, too.
 */
const FETCH = `
case $1 in file:*) exec cat -- "/\${1#file:*/}" ;; esac
if command -v curl >/dev/null; then exec curl -fsSL --connect-timeout "$2" --max-time "$3" -- "$1"; fi
exec wget -q -O - -T "$2" -- "$1"
`;

/** What a kind of key is called, and how its fingerprints are read: of every key in a file, none when it is not understood. */
export interface KeyKind {
  readonly title: string;
  readonly fingerprints: (text: string) => readonly string[];
}

/** What apt and dnf trust. */
export const OPEN_PGP: KeyKind = { title: "OpenPGP", fingerprints: readSigningKeys };

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
 * For a preview: refuses a repository whose key will not be trusted, where that can be had within `patienceS` seconds.
 * @throws SlipwayError engine-install-failed
 */
export async function refuseOtherKeyAhead(
  session: HostSession,
  repository: RepositoryFile,
  kind: KeyKind,
  patienceS: number,
  signal: AbortSignal,
): Promise<void> {
  const { key } = repository;
  if (key === undefined) return;
  if (isKeyText(key)) return refuseOtherKey(session, repository, key, kind);
  const patience = [String(patienceS), String(patienceS)];
  const outcome = await session.script(FETCH, [key, ...patience], { timeoutMs: FETCH_MS, signal });
  if (outcome.kind === "exited" && outcome.code === 0) {
    refuseOtherKey(session, repository, outcome.stdout, kind);
  }
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
  const key = await trustedKey(session, repository, OPEN_PGP, signal);
  if (key === undefined) return;
  await session.run(["mkdir", "-p", "-m", "0755", "--", posix.dirname(path)], { sudo: true, signal });
  await session.writeFile(path, key, { mode: 0o644, sudo: true });
}

async function fetchKey(session: HostSession, address: string, signal: AbortSignal): Promise<string> {
  const patience = [String(PATIENCE.connect), String(PATIENCE.all)];
  const outcome = await session.script(FETCH, [address, ...patience], { timeoutMs: FETCH_MS, signal });
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
    next:
      found.length === 0 || keyFingerprint === undefined
        ? "Find out who answers at that address before you go on"
        : "Where keyFingerprint is not what the owner of the source has published, put it right; else find out who answers at that address before you go on",
  });
}
