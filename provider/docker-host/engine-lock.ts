import { type FileLock, type FileLockOptions, withFileLock } from "../host/machine/file-lock";
import type { HostSession } from "../host/session";

const ENGINE_LOCK: FileLock = {
  path: "/run/slipway/engine.lock",
  code: "engine-locked",
  guarded: "the Docker engine",
  deed: "changes Docker",
};

/**
 * Runs `use` while this process is the only one that changes the engine of this machine.
 * @throws SlipwayError engine-locked, naming the holder; sudo-unavailable
 */
export function withEngineLock<T>(
  session: HostSession,
  options: FileLockOptions,
  use: () => Promise<T>,
): Promise<T> {
  return withFileLock(session, ENGINE_LOCK, options, use);
}
