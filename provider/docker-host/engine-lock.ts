import { type FileLock, type FileLockOptions, withFileLock } from "../host/machine/file-lock";
import type { HostSession } from "../host/session";

const ENGINE_LOCK: FileLock = {
  path: "/run/slipway/engine.lock",
  code: "engine-locked",
  guarded: "the Docker engine",
  deed: "changes Docker",
};

/**
 * Runs `use` while this process is the only one that changes the engine of this machine. The signal that `use` gets is
 * aborted when the lock is lost.
 * @throws SlipwayError engine-locked, naming the holder; sudo-unavailable
 */
export function withEngineLock<T>(
  session: HostSession,
  options: FileLockOptions,
  use: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return withFileLock(session, ENGINE_LOCK, options, use);
}
