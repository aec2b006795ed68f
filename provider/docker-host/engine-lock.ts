import { PassThrough } from "node:stream";
import { formatDuration } from "../duration";
import { SlipwayError } from "../errors";
import type { CommandOutcome, HostSession } from "../host/session";
import type { Log } from "../log";
import { tail } from "../secret";

/** Root's, gone with a reboot, as the lock itself is. */
const ENGINE_LOCK_PATH = "/run/slipway/engine.lock";

const WAIT_MS = 120_000;
/** Longer than any installation; the lock goes with its process, and that with our channel. */
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

export interface EngineLockOptions {
  /** Who we are, for those who wait: stack, user and machine. */
  readonly holder: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** How long another holder is waited for, in milliseconds. @default 2 minutes */
  readonly waitMs?: number;
}

/**
 * Runs `use` while this process is the only one that changes the engine of this machine. The signal that `use` gets is
 * aborted when the lock is lost.
 * @throws SlipwayError engine-locked, naming the holder; sudo-unavailable
 */
export async function withEngineLock<T>(
  session: HostSession,
  options: EngineLockOptions,
  use: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const input = new PassThrough();
  const lost = new AbortController();
  const holding = takeLock(session, options, input);
  holding.ended.then(
    () => lost.abort(lockLost(session)),
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

function takeLock(session: HostSession, options: EngineLockOptions, input: PassThrough): Holding {
  const { holder, log, signal, waitMs = WAIT_MS } = options;
  const seconds = String(Math.ceil(waitMs / 1_000));
  const argv = [
    "/bin/sh",
    "-c",
    HOLD,
    "engine-lock",
    ENGINE_LOCK_PATH,
    seconds,
    holder.replaceAll("\n", " "),
  ];
  let other = "";
  let locked: (() => void) | undefined;
  const isLocked = new Promise<void>((resolve) => {
    locked = resolve;
  });
  const onLine = (line: string): void => {
    if (line === "locked") locked?.();
    if (!line.startsWith("held by ")) return;
    other = line.slice("held by ".length);
    log.progress(`waiting for ${other}, who changes Docker on ${session.target}`);
  };
  const ended = session.exec(argv, { sudo: true, stdin: input, onLine, timeoutMs: HOLD_MS, signal });
  const refused = ended.then((outcome) => {
    throw refusal(session, outcome, other, waitMs);
  });
  return { taken: Promise.race([isLocked, refused]), ended };
}

function refusal(session: HostSession, outcome: CommandOutcome, other: string, waitMs: number): SlipwayError {
  const what = "taking the lock of the Docker engine";
  if (outcome.kind === "exited" && outcome.code === TAKEN) {
    return new SlipwayError({
      code: "engine-locked",
      what,
      host: session.target,
      why: `${other || "somebody else"} is changing Docker there`,
      after: `after ${formatDuration(waitMs)}`,
      left: "Nothing was changed on the host",
      next: "Run pulumi up again when the other run has ended",
    });
  }
  if (outcome.kind !== "exited") return lockLost(session);
  return new SlipwayError({
    code: "command-failed",
    what,
    host: session.target,
    why: `the command ended with exit code ${outcome.code}`,
    left: "Nothing was changed on the host",
    evidence: tail(outcome.stderr),
  });
}

function lockLost(session: HostSession): SlipwayError {
  return new SlipwayError({
    code: "connection-lost",
    what: "holding the lock of the Docker engine",
    host: session.target,
    why: "the process that held it ended",
    next: "Run pulumi up again: it looks at the host anew",
  });
}
