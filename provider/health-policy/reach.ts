import type Docker from "dockerode";
import type { HandlerContext } from "../handler";
import { type Connection, targetOf } from "../host/connection";
import { withHost } from "../host/pool";
import { recordedHostKeyOf } from "../host/machine/recorded-host-key";
import type { HostSession } from "../host/session";

/** What is needed to reach hosts. */
export type ReachContext = Pick<HandlerContext, "log" | "clock" | "random" | "signal">;

/** The hosts of a policy, each reached over the process's one connection to it. */
export interface Reach {
  readonly targets: readonly string[];
  on<T>(target: string, use: (session: HostSession, docker: Docker) => Promise<T>): Promise<T>;
}

/** As `Reach`, and for work that needs no engine: one that is stopped or gone must not keep an agent on its host. */
export interface Logins extends Reach {
  login<T>(target: string, use: (session: HostSession) => Promise<T>): Promise<T>;
}

/** `hostKeys`: what earlier runs recorded, enforced where the connection would learn a key. */
export function reachOf(
  connections: readonly Connection[],
  hostKeys: Readonly<Record<string, string>>,
  { log, clock, random, signal }: ReachContext,
): Logins {
  const byTarget = new Map(connections.map((connection) => [targetOf(connection), connection]));
  const login = async <T>(target: string, use: (session: HostSession) => Promise<T>): Promise<T> => {
    const connection = byTarget.get(target);
    if (connection === undefined) throw new Error(`${target} is no host of this policy`);
    const recordedHostKey = recordedHostKeyOf({ hostKeys }, connection);
    return withHost(connection, { log, clock, random, signal, recordedHostKey }, use);
  };
  return {
    targets: [...byTarget.keys()],
    login,
    on: (target, use) => login(target, async (session) => use(session, await session.docker(signal))),
  };
}
