import { type FileLock, type FileLockOptions, withFileLock } from "../../host/machine/file-lock";
import type { HostSession } from "../../host/session";

const ENGINE_LOCK: FileLock = {
  path: "/run/slipway/engine.lock",
  code: "engine-locked",
  guarded: "the Docker engine",
  deed: "changes Docker",
};

/** A whole installation over a slow line. */
const WAIT_MS = 600_000;

/**
 * Runs `use` while this process is the only one that changes the engine of this machine.
 * Another one is waited for, ten minutes if need be, and named meanwhile.
 * @throws SlipwayError engine-locked, naming the holder; sudo-unavailable
 */
export function withEngineLock<T>(
  session: HostSession,
  options: FileLockOptions,
  use: () => Promise<T>,
): Promise<T> {
  return withFileLock(session, ENGINE_LOCK, { waitMs: WAIT_MS, ...options }, use);
}
