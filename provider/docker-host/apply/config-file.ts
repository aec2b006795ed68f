import { assertOutcomeKnown } from "../../host/known-outcome";
import type { HostSession } from "../../host/session";
import { carriesPassword, DAEMON_CONFIG_PATH, formatDaemonConfig } from "../daemon/config";
import type { ExecuteContext } from "./execute-context";
import type { Operation } from "../plan/operation";
import { refuseInvalidConfig } from "../look/config-verdict";

/** What stood in daemon.json before the last run that changed it. */
const BACKUP_PATH = `${DAEMON_CONFIG_PATH}.slipway-backup`;
/** `$1` file, `$2` its copy. At no moment is what the file holds open to more people than the file itself. */
export const BACKUP = `[ ! -e "$1" ] || { rm -f -- "$2.new" && cp -p -- "$1" "$2.new" && mv -f -- "$2.new" "$2"; }`;
/** Of a new file; one that is there keeps its own. */
const MODE = 0o644;
const MODE_WITH_PASSWORD = 0o600;
const READ_BY_OTHERS = 0o004;

type FileContext = Pick<ExecuteContext, "session" | "signal">;

/**
 * Puts a new daemon.json in place, after the engine itself (where its version can) has judged it.
 * @throws SlipwayError daemon-config-invalid: the old file is still there
 */
export async function applyDaemonConfig(
  { config, again = false }: Pick<Extract<Operation, { kind: "write-config" }>, "config" | "again">,
  { session, signal, log }: FileContext & Pick<ExecuteContext, "log">,
): Promise<void> {
  const text = formatDaemonConfig(config);
  await session.run(["mkdir", "-p", "--", "/etc/docker"], { sudo: true, signal });
  await refuseInvalidConfig(config, session, "The former file is still in place", signal);
  if (!again) await keepBackup(session, signal);
  const isSecret = carriesPassword(config);
  const mode = await replaceConfig(text, session, signal, isSecret ? MODE_WITH_PASSWORD : MODE);
  if (isSecret && (mode & READ_BY_OTHERS) !== 0)
    log.warn(
      `${DAEMON_CONFIG_PATH} on ${session.target} has a password in it, and everybody there can read it`,
    );
}

/** The file as it was before this run, mode and owner with it. */
async function keepBackup(session: HostSession, signal: AbortSignal): Promise<void> {
  const argv = ["/bin/sh", "-c", BACKUP, "slipway-backup", DAEMON_CONFIG_PATH, BACKUP_PATH];
  await session.run(argv, { sudo: true, signal });
}

/** The text that was there before; empty text where there was no file. */
export async function putConfigBack(text: string, { session, signal }: FileContext): Promise<void> {
  if (text === "") await session.run(["rm", "-f", "--", DAEMON_CONFIG_PATH], { sudo: true, signal });
  else await replaceConfig(text, session, signal, MODE_WITH_PASSWORD);
}

/**
 * Whoever closed the file to others (it may hold a proxy's password) finds it closed afterwards, and whoever keeps it elsewhere
 * finds the link as it was.
 */
async function replaceConfig(
  text: string,
  session: HostSession,
  signal: AbortSignal,
  modeOfNew: number,
): Promise<number> {
  const path = (
    await session.run(["readlink", "-f", "--", DAEMON_CONFIG_PATH], { sudo: true, signal })
  ).trim();
  const outcome = await session.exec(["stat", "-c", "%a", "--", path], { sudo: true, signal });
  assertOutcomeKnown(outcome, session.target, `reading the mode of ${DAEMON_CONFIG_PATH}`);
  const isThere = outcome.kind === "exited" && outcome.code === 0;
  const mode = isThere ? Number.parseInt(outcome.stdout.trim(), 8) : modeOfNew;
  await session.writeFile(path, text, { mode, sudo: true });
  return mode;
}
