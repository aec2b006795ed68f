import { SlipwayError } from "../errors";
import { assertOutcomeKnown } from "../host/known-outcome";
import type { HostSession } from "../host/session";
import { stripControl, tail } from "../secret";
import { type DaemonConfig, DAEMON_CONFIG_PATH, formatDaemonConfig } from "./daemon-config";
import type { ExecuteContext } from "./execute-context";
import { compareVersions } from "./version";

const CANDIDATE_PATH = `${DAEMON_CONFIG_PATH}.slipway-new`;
/** What stood in daemon.json before our last change. */
const BACKUP_PATH = `${DAEMON_CONFIG_PATH}.slipway-backup`;
/** `$1` file, `$2` its copy. */
const BACKUP = `[ ! -e "$1" ] || cp -p -- "$1" "$2"`;
/** The first engine that can judge a daemon.json without starting. */
const VALIDATES_SINCE = "23.0.0";

type FileContext = Pick<ExecuteContext, "session" | "signal">;

/**
 * Puts a new daemon.json in place, after the engine itself (where its version can) has judged it.
 * @throws SlipwayError daemon-config-invalid: the old file is still there
 */
export async function applyDaemonConfig(
  config: DaemonConfig,
  { session, signal }: FileContext,
): Promise<void> {
  const text = formatDaemonConfig(config);
  await session.run(["mkdir", "-p", "--", "/etc/docker"], { sudo: true, signal });
  if (await canValidate(session, signal)) {
    await session.writeFile(CANDIDATE_PATH, text, { mode: 0o600, sudo: true });
    try {
      const argv = ["dockerd", "--validate", "--config-file", CANDIDATE_PATH];
      const outcome = await session.exec(argv, { sudo: true, signal });
      assertOutcomeKnown(outcome, session.target, `checking ${DAEMON_CONFIG_PATH}`);
      if (outcome.kind !== "exited" || outcome.code !== 0) throw refused(session, outcome.stderr);
    } finally {
      await session.exec(["rm", "-f", "--", CANDIDATE_PATH], { sudo: true });
    }
  }
  await keepBackup(session, signal);
  await replaceConfig(text, session, signal);
}

/** The file as it was before the last change of ours, mode and owner with it. */
async function keepBackup(session: HostSession, signal: AbortSignal): Promise<void> {
  const argv = ["/bin/sh", "-c", BACKUP, "slipway-backup", DAEMON_CONFIG_PATH, BACKUP_PATH];
  await session.run(argv, { sudo: true, signal });
}

/** The text that was there before; empty text where there was no file. */
export async function putConfigBack(text: string, { session, signal }: FileContext): Promise<void> {
  if (text === "") await session.run(["rm", "-f", "--", DAEMON_CONFIG_PATH], { sudo: true, signal });
  else await replaceConfig(text, session, signal);
}

/**
 * Whoever closed the file to others (it may hold a proxy's password) finds it closed afterwards, and whoever keeps it elsewhere
 * finds the link as it was.
 */
async function replaceConfig(text: string, session: HostSession, signal: AbortSignal): Promise<void> {
  const path = (
    await session.run(["readlink", "-f", "--", DAEMON_CONFIG_PATH], { sudo: true, signal })
  ).trim();
  const outcome = await session.exec(["stat", "-c", "%a", "--", path], { sudo: true, signal });
  assertOutcomeKnown(outcome, session.target, `reading the mode of ${DAEMON_CONFIG_PATH}`);
  const isThere = outcome.kind === "exited" && outcome.code === 0;
  const mode = isThere ? Number.parseInt(outcome.stdout.trim(), 8) : 0o644;
  await session.writeFile(path, text, { mode, sudo: true });
}

async function canValidate(session: HostSession, signal: AbortSignal): Promise<boolean> {
  const outcome = await session.exec(["dockerd", "--version"], { signal });
  assertOutcomeKnown(outcome, session.target, "asking dockerd for its version");
  const version = /\d+\.\d+\.\d+/.exec(outcome.stdout)?.[0];
  return version !== undefined && compareVersions(version, VALIDATES_SINCE) >= 0;
}

function refused(session: HostSession, words: string): SlipwayError {
  return new SlipwayError({
    code: "daemon-config-invalid",
    what: `checking ${DAEMON_CONFIG_PATH}`,
    host: session.target,
    why: "the engine does not accept it",
    left: "The former file is still in place",
    next: "Put daemonConfig right",
    evidence: session.redact(stripControl(tail(words))),
  });
}
