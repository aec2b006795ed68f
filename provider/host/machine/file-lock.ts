import { formatDuration } from "../../duration";
import { SlipwayError, type ErrorCode } from "../../errors";
import type { Log } from "../../log";
import { stripControl, tail } from "../../secret";
import type { CommandOutcome, HostSession } from "../session";
import { SESSION_PROCESS } from "./facts-script";

const WAIT_MS = 120_000;
/** For the command itself, beside the wait. */
const SLACK_MS = 60_000;
const SOMEBODY = "somebody else";
const TAKEN = 75;
const GONE = 76;

/**
 * Holds what is open as 9 for as long as the server's process of our connection lives: the lock is free within a second of the
 * client's death. Its file names nobody then. `$1` that process, `$2` when it started, `$3` the file.
 */
const KEEP = `
trap '' HUP
while { read -r stat <"/proc/$1/stat"; } 2>/dev/null && set -- "$1" "$2" "$3" \${stat##*) } && [ "\${23}" = "$2" ]; do
  sleep 0.5 9>&- 2>/dev/null || sleep 1 9>&-
done
: >"$3"
`;

/**
 * Takes the lock for a process that stands apart and needs no channel of ours, so that a server with a single one will do.
 * `$1` lock file, `$2` seconds to wait, `$3` holder, `$4` KEEP, `$5` and `$6` our connection's process, where it is known.
 * Its words: `held by …` (waiting), `kept by …` (waited in vain), `locked PID START`. Who shares the lock gives no name.
 */
const TAKE = `
[ -n "$5" ] || set -- "$1" "$2" "$3" "$4" $(${SESSION_PROCESS})
[ -n "$6" ] || exit 1
umask 077; mkdir -p -- "\${1%/*}" && exec 9>>"$1" || exit 1
if ! flock -n 9; then
  echo "held by $(cat -- "$1")"
  flock -w "$2" 9 || { echo "kept by $(cat -- "$1")"; exit ${TAKEN}; }
fi
printf '%s\\n' "$3" >"$1" || exit 1
command -v setsid >/dev/null && apart=setsid || apart=
$apart /bin/sh -c "$4" slipway-lock "$5" "$6" "$1" </dev/null >/dev/null 2>&1 &
pid=$!
{ read -r stat <"/proc/$pid/stat"; } && set -- \${stat##*) } && echo "locked $pid \${20}"
`;

/** `$1` and `$2` what holds it, `$3` the file, which names nobody from then on. Exit code ${GONE}: it was not there any more. */
const FREE = `
{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || exit ${GONE}
pid=$1 start=$2 file=$3
set -- \${stat##*) }
[ "\${20}" = "$start" ] || exit ${GONE}
: >"$file"
kill -9 "$pid" || exit ${GONE}
`;

/** A lock that is a file of root's on a machine, and how errors speak of it. */
export interface FileLock {
  /** Root's, in a folder that a reboot clears, as it clears the lock itself. */
  readonly path: string;
  /** Of the error when somebody else keeps it. */
  readonly code: ErrorCode;
  /** What it guards: "the Docker engine". */
  readonly guarded: string;
  /** What its holder does: "changes Docker". */
  readonly deed: string;
}

export interface FileLockOptions {
  /** Who we are, for those who wait: stack, user and machine. */
  readonly holder: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** How long another holder is waited for, in milliseconds. @default 2 minutes */
  readonly waitMs?: number;
}

/**
 * Runs `use` while this process holds the lock on this machine: to its end, or to that of the connection.
 * @throws SlipwayError the lock's own code, naming the holder; sudo-unavailable
 */
export async function withFileLock<T>(
  session: HostSession,
  lock: FileLock,
  options: FileLockOptions,
  use: () => Promise<T>,
): Promise<T> {
  const held = await takeLock(session, lock, options);
  try {
    return await use();
  } finally {
    await freeLock(session, lock, held, options.log);
  }
}

/** The process on the host that holds it: pid and start. */
type Held = readonly [string, string];

async function takeLock(session: HostSession, lock: FileLock, options: FileLockOptions): Promise<Held> {
  const { holder, log, signal, waitMs = WAIT_MS } = options;
  const { sessionProcess } = await session.facts({ signal });
  const seconds = String(Math.ceil(waitMs / 1_000));
  const [pid = "", start = ""] = sessionProcess.split(" ");
  const args = [lock.path, seconds, holder.replaceAll("\n", " "), KEEP, pid, start];
  let other = SOMEBODY;
  let held: Held | undefined;
  const onLine = (line: string): void => {
    const [, ...locked] = /^locked (\d+) (\d+)$/.exec(line) ?? [];
    if (locked[0] !== undefined && locked[1] !== undefined) held = [locked[0], locked[1]];
    const [, word, name = ""] = /^(held|kept) by (.*)$/.exec(line) ?? [];
    if (word === undefined) return;
    other = session.redact(stripControl(name)).trim() || SOMEBODY;
    if (word === "held") log.progress(`waiting for ${other}, who ${lock.deed} on ${session.target}`);
  };
  const how = { sudo: true, onLine, timeoutMs: waitMs + SLACK_MS, signal };
  const outcome = await session.exec(["/bin/sh", "-c", TAKE, "slipway-lock", ...args], how);
  if (held === undefined) throw refusal(session, lock, outcome, other, waitMs);
  return held;
}

/** One that cannot be freed now goes with the connection. */
async function freeLock(
  session: HostSession,
  { guarded, path }: FileLock,
  held: Held,
  log: Log,
): Promise<void> {
  try {
    const argv = ["/bin/sh", "-c", FREE, "slipway-unlock", ...held, path];
    const outcome = await session.exec(argv, { sudo: true });
    if (outcome.kind === "exited" && outcome.code === GONE)
      log.warn(`${session.target}: the process that held the lock of ${guarded} was ended by somebody`);
  } catch (error) {
    log.debug(`the lock of ${guarded} on ${session.target} goes with the connection: ${String(error)}`);
  }
}

function refusal(
  session: HostSession,
  lock: FileLock,
  outcome: CommandOutcome,
  other: string,
  waitMs: number,
): SlipwayError {
  const parts = {
    what: `taking the lock of ${lock.guarded}`,
    host: session.target,
    left: "Nothing was changed on the host",
  };
  if (outcome.kind === "exited" && outcome.code === TAKEN) {
    return new SlipwayError({
      ...parts,
      code: lock.code,
      why: `${other} ${lock.deed} there`,
      after: `after ${formatDuration(waitMs)}`,
      next: "Run pulumi up again when the other run has ended",
    });
  }
  if (outcome.kind !== "exited") {
    return new SlipwayError({
      ...parts,
      code: "connection-lost",
      why: "the command broke off",
      next: "Run pulumi up again: it looks at the host anew",
    });
  }
  return new SlipwayError({
    ...parts,
    code: "command-failed",
    why: `the command ended with exit code ${outcome.code}`,
    evidence: tail(session.redact(stripControl(outcome.stderr))),
  });
}
