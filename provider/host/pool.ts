import { setMaxListeners } from "node:events";
import { SlipwayError, isSlipwayError } from "../errors";
import { onTheWayTo } from "./transport/bastion";
import type { Connection } from "./connection";
import { dial } from "./transport/dial";
import type { RouteMemory } from "./engine/engine-way";
import { type HostKeyDemand, judgeHostKey } from "./host-key/host-key";
import { demandFor } from "./host-key/host-key-demand";
import { authorityOnlyError, hostKeyError } from "./host-key/host-key-error";
import { LiveConnection } from "./transport/live-connection";
import { openSession } from "./open-session";
import { orAborted } from "../or-aborted";
import {
  PooledConnection,
  leaveConnections,
  leaveForGood,
  pooledConnection,
} from "./transport/pooled-connection";
import { beforeProcessEnds } from "./transport/process-end";
import { type Route, routeOf } from "./ssh-config/route";
import { strictRouteKey, sharedRouteKey } from "./transport/route-key";
import type { HostSession } from "./session";
import type { Transport } from "./transport/transport";
import type { WithHostOptions } from "./with-host-options";

export type { WithHostOptions } from "./with-host-options";

const memories = new Map<string, RouteMemory>();
/** Refused logins, by route and credentials: some machines lock an account that is tried again and again. */
const refusals = new Map<string, unknown>();

/**
 * Says goodbye on every connection that nobody uses now, and on the others as soon as they are given back. Refused logins
 * are forgotten: for a process that goes on after the machine, or the key's file, was mended.
 */
export function closeConnections(): void {
  refusals.clear();
  leaveConnections();
}

/**
 * Gives `use` a session on the machine: the process's one connection to it, dialled when there is none yet.
 * @throws SlipwayError dial-failed, handshake-failed, forwarding-refused, authentication-failed, host-key-unknown,
 * host-key-mismatch, host-key-revoked, connection-lost (right after the login), invalid-input
 */
export async function withHost<T>(
  connection: Connection,
  options: WithHostOptions,
  use: (session: HostSession) => Promise<T>,
): Promise<T> {
  return withLive(connection, options, (live) => use(openSession(live, options)));
}

/** As `withHost`, with the connection itself: for what is no command of a machine of ours. */
export async function withLive<T>(
  connection: Connection,
  options: WithHostOptions,
  use: (live: LiveConnection) => Promise<T>,
): Promise<T> {
  options.signal.throwIfAborted();
  setMaxListeners(0, options.signal); // one signal serves all resources of a run
  const { entry, live } = await borrowConnection(await routeOf(connection), options);
  try {
    return await use(live);
  } finally {
    entry.giveBack();
  }
}

/** A live connection whose key the borrower accepts; it has to be given back. */
async function borrowConnection(
  route: Route,
  options: WithHostOptions,
): Promise<{ readonly entry: PooledConnection; readonly live: LiveConnection }> {
  const demand = await demandFor(route, options.recordedHostKey);
  // accept-new is for a machine that nothing is known of; this one should show a certificate
  if (demand.authority === "only") throw authorityOnlyError(route, demand);
  const strictKey = strictRouteKey(route, demand);
  let key = sharedRouteKey(route, demand);
  for (;;) {
    const shared = pooledConnection(key);
    const entry = shared ?? startDialling({ key, strictKey }, route, demand, options);
    entry.borrow();
    try {
      const live = await orAborted(entry.dialling, options.signal);
      if (live.transport.closed.aborted) {
        entry.giveBack();
        continue; // died while idle: the next turn dials anew
      }
      verify(route, demand, live);
      return { entry, live };
    } catch (error) {
      entry.giveBack();
      if (shared === undefined || !isHostKeyError(error)) throw error;
      if (entry.live === undefined) {
        if (entry.strictKey === strictKey) throw error;
        continue; // somebody else's dial failed over what they demanded of the key; ours is another demand
      }
      // the machine may have the key that we want beside the one that it presented there
      if (!isSlipwayError(error, "host-key-mismatch") || key === strictKey) throw error;
      key = strictKey;
    }
  }
}

function startDialling(
  { key, strictKey }: { readonly key: string; readonly strictKey: string },
  route: Route,
  demand: HostKeyDemand,
  options: WithHostOptions,
): PooledConnection {
  const memory = memories.get(key) ?? { engineWay: undefined };
  memories.set(key, memory);
  beforeProcessEnds(leaveForGood);
  return new PooledConnection(key, strictKey, async (entry, signal) => {
    if (refusals.has(key)) throw refusals.get(key);
    const context = { ...options, signal };
    try {
      const dialled = await dial(route, demand, () => findBastion(entry, route, context), context);
      return { ...dialled, live: new LiveConnection(route, dialled.transport, memory) };
    } catch (error) {
      if (isSlipwayError(error, "authentication-failed")) refusals.set(key, error);
      throw error;
    }
  });
}

/** The connection to the bastion, which all that lies behind it shares; a dead one is dialled anew. */
async function findBastion(
  entry: PooledConnection,
  { proxy, ...inner }: Route,
  options: WithHostOptions,
): Promise<Transport | undefined> {
  if (proxy === undefined) return undefined;
  if (entry.liveBastion !== undefined) return entry.liveBastion.transport;
  try {
    const bastion = await borrowConnection(proxy, { ...options, recordedHostKey: undefined });
    entry.ride(bastion.entry);
    return bastion.live.transport;
  } catch (error) {
    throw error instanceof SlipwayError ? onTheWayTo(inner, error) : error;
  }
}

function verify(route: Route, demand: HostKeyDemand, live: LiveConnection): void {
  const { presentedKey } = live.transport;
  const verdict = judgeHostKey(demand, presentedKey);
  if (verdict.kind !== "accepted") throw hostKeyError(route, demand, verdict, presentedKey);
}

function isHostKeyError(error: unknown): boolean {
  return isSlipwayError(error, "host-key-unknown", "host-key-mismatch", "host-key-revoked");
}
