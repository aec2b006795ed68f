import { allEnded } from "../all-ended";
import { machineOfTarget } from "../host/connection";
import type { HandlerContext } from "../handler";
import { messageOf } from "../errors";
import type { HostAccess } from "./host-access";
import { acquireLock, type Lock, removeEmptyImage } from "./lock";

export interface LockDemand {
  /** The service's name, and the one it had before. */
  readonly services: readonly string[];
  readonly waitMs: number;
  readonly ttlMs: number;
  /** Nothing of ours is to stay on the hosts. */
  readonly forgetImage?: boolean;
}

/** Holds the services' locks on all hosts while `use` runs; always taken in the same order, so that no two wait for each other. */
export async function withLocks<T>(
  hosts: readonly HostAccess[],
  demand: LockDemand,
  context: HandlerContext,
  use: (locksOf: (host: HostAccess) => readonly Lock[]) => Promise<T>,
): Promise<T> {
  const held = new Map<HostAccess, Lock[]>();
  const inOrder = [...hosts].sort((a, b) => inLockOrder(a.session.target, b.session.target));
  const operation = operationId(context.random);
  const { holder } = context;
  const { waitMs, ttlMs } = demand;
  try {
    for (const host of inOrder) {
      for (const service of [...demand.services].sort()) {
        const lock = await acquireLock(host, { service, holder, operation, ttlMs, waitMs });
        held.set(host, [...(held.get(host) ?? []), lock]);
      }
    }
    return await use((host) => held.get(host) ?? []);
  } finally {
    const all = [...held].map(([host, locks]) => release(host, locks, demand.forgetImage === true));
    await Promise.all(all);
  }
}

/** By the machine's address and port: two deployers may log in as different users. */
export function inLockOrder(a: string, b: string): number {
  return machineOfTarget(a) < machineOfTarget(b) ? -1 : 1;
}

async function release(host: HostAccess, locks: readonly Lock[], forgetImage: boolean): Promise<void> {
  try {
    await allEnded(locks.map((lock) => lock.release()));
    if (forgetImage) await removeEmptyImage(host);
  } catch (error) {
    // what was done under the lock stands; a lock that stays is seen as stale by whoever comes next
    host.log.warn(`${host.session.target}: the lock could not be released: ${messageOf(error)}`);
  }
}

function operationId(random: () => number): string {
  return Array.from({ length: 16 }, () => Math.floor(random() * 16).toString(16)).join("");
}
