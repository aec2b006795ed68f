import { PassThrough } from "node:stream";
import { formatDuration } from "../../duration";
import { SlipwayError, type ErrorCode } from "../../errors";
import type { Log } from "../../log";
import { tail } from "../../secret";
import type { CommandOutcome, HostSession } from "../session";

const WAIT_MS = 120_000;
/** Longer than anything that is done under a lock; it goes with its process, and that with our channel. */
const HOLD_MS = 7_200_000;
const TAKEN = 75;

/**
 * Holds the lock until standard input ends: when the client dies, sshd closes it and the kernel frees the lock.
 * `$1` lock file, `$2` seconds to wait, `$3` holder. Its words: `held by …` (waiting), `locked`, or exit code 75.
 */
const HOLD = [
  `umask 077; mkdir -p -- "\${1%/*}" && exec 9>>"$1" || exit 1`,
  `if ! flock -n 9; then echo "held by $(cat -- "$1")"; flock -w "$2" 9 || exit ${TAKEN}; fi`,
  `printf '%s\\n' "$3" >"$1" && echo locked && exec cat >/dev/null`,
].join("\n");

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
 * Runs `use` while this process holds the lock on this machine. The signal that `use` gets is aborted when the lock is lost.
 * @throws SlipwayError the lock's own code, naming the holder; sudo-unavailable
 */
export async function withFileLock<T>(
  session: HostSession,
  lock: FileLock,
  options: FileLockOptions,
  use: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const input = new PassThrough();
  const lost = new AbortController();
  const holding = takeLock(session, lock, options, input);
  holding.ended.then(
    () => lost.abort(lockLost(session, lock)),
    (error: unknown) => lost.abort(error),
  );
  try {
    await holding.taken;
    return await use(AbortSignal.any([options.signal, lost.signal]));
  } finally {
    input.end();
    await holding.ended.catch(() => {}); // how the holding process ended says nothing about what was done meanwhile
  }
}

interface Holding {
  /** Resolves when the lock is ours. */
  readonly taken: Promise<void>;
  /** Settles when the holding process is gone. */
  readonly ended: Promise<CommandOutcome>;
}

function takeLock(
  session: HostSession,
  lock: FileLock,
  options: FileLockOptions,
  input: PassThrough,
): Holding {
  const { holder, log, waitMs = WAIT_MS } = options;
  // who has it keeps it to the end of what it guards, which may be taking back what a stopped run did
  const waiting = new AbortController();
  const stop = (): void => waiting.abort(options.signal.reason);
  options.signal.addEventListener("abort", stop, { once: true });
  if (options.signal.aborted) stop();
  const seconds = String(Math.ceil(waitMs / 1_000));
  const argv = ["/bin/sh", "-c", HOLD, "slipway-lock", lock.path, seconds, holder.replaceAll("\n", " ")];
  let other = "";
  let locked: (() => void) | undefined;
  const isLocked = new Promise<void>((resolve) => {
    locked = resolve;
  });
  const onLine = (line: string): void => {
    if (line === "locked") {
      options.signal.removeEventListener("abort", stop);
      locked?.();
    }
    if (!line.startsWith("held by ")) return;
    other = line.slice("held by ".length);
    log.progress(`waiting for ${other}, who ${lock.deed} on ${session.target}`);
  };
  const how = { sudo: true, stdin: input, onLine, timeoutMs: HOLD_MS, signal: waiting.signal };
  const ended = session.exec(argv, how);
  const refused = ended.then((outcome) => {
    throw refusal(session, lock, outcome, other, waitMs);
  });
  return { taken: Promise.race([isLocked, refused]), ended };
}

function refusal(
  session: HostSession,
  lock: FileLock,
  outcome: CommandOutcome,
  other: string,
  waitMs: number,
): SlipwayError {
  const what = `taking the lock of ${lock.guarded}`;
  const left = "Nothing was changed on the host";
  if (outcome.kind === "exited" && outcome.code === TAKEN) {
    return new SlipwayError({
      code: lock.code,
      what,
      host: session.target,
      why: `${other || "somebody else"} ${lock.deed} there`,
      after: `after ${formatDuration(waitMs)}`,
      left,
      next: "Run pulumi up again when the other run has ended",
    });
  }
  if (outcome.kind !== "exited") return lockLost(session, lock);
  return new SlipwayError({
    code: "command-failed",
    what,
    host: session.target,
    why: `the command ended with exit code ${outcome.code}`,
    left,
    evidence: tail(outcome.stderr),
  });
}

function lockLost(session: HostSession, { guarded }: FileLock): SlipwayError {
  return new SlipwayError({
    code: "connection-lost",
    what: `holding the lock of ${guarded}`,
    host: session.target,
    why: "the process that held it ended",
    next: "Run pulumi up again: it looks at the host anew",
  });
}
