import type { HandlerContext } from "../handler";
import { type FileLock, withFileLock } from "../host/machine/file-lock";
import type { HostSession } from "../host/session";
import { lockOf } from "../proxy/ref";

/**
 * Runs `use` while this process is the only one that changes the proxy itself; routes are not changed meanwhile either.
 * @throws SlipwayError proxy-busy, naming the holder; sudo-unavailable
 */
export function withProxyLock<T>(
  session: HostSession,
  name: string,
  options: Pick<HandlerContext, "holder" | "log" | "signal">,
  use: () => Promise<T>,
): Promise<T> {
  const lock: FileLock = {
    path: lockOf(name),
    code: "proxy-busy",
    guarded: `the proxy "${name}"`,
    deed: "changes the proxy, or one of its routes,",
  };
  return withFileLock(session, lock, options, use);
}
