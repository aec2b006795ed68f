import type Docker from "dockerode";
import type { HostSession } from "../host/session";
import { isObject } from "../values";
import { engineStatus } from "./engine-status";
import { type HeldLock, parseLockLabels, staleReason } from "./lock-record";
import { lockName } from "./names";
import { lookAtSessionProcess } from "./session-process";

/** The lock of a service on one host, whoever holds it; undefined when there is none. */
export async function observeLock(
  docker: Docker,
  service: string,
  abortSignal?: AbortSignal,
): Promise<HeldLock | undefined> {
  try {
    const [inspect, info] = await Promise.all([
      docker.getContainer(lockName(service)).inspect(abortSignal ? { abortSignal } : {}),
      docker.info() as Promise<unknown>,
    ]);
    const record = parseLockLabels(inspect.Config.Labels);
    const now = Date.parse(isObject(info) && typeof info.SystemTime === "string" ? info.SystemTime : "");
    const ageMs = now - Date.parse(inspect.Created);
    // a container of that name without our labels is nobody's lock, but it is in the way
    const unknown = {
      holder: `a container "${lockName(service)}" that is no lock of ours`,
      operation: "",
      ttlMs: Infinity,
    };
    return { id: inspect.Id, record: record ?? { ...unknown, session: undefined }, ageMs };
  } catch (error) {
    if (engineStatus(error) === 404) return undefined;
    throw error;
  }
}

/** The id of what stands under the name of a service's lock; undefined when there is none. */
export async function lockId(
  docker: Docker,
  service: string,
  abortSignal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await docker.getContainer(lockName(service)).inspect({ abortSignal })).Id;
  } catch (error) {
    if (engineStatus(error) === 404) return undefined;
    throw error;
  }
}

/** Why a lock holds no more, in words, the holder's process on the host asked; undefined while it does. */
export async function observeStaleness(
  session: HostSession,
  lock: HeldLock,
  signal: AbortSignal,
): Promise<string | undefined> {
  const holder = lock.record.session;
  return staleReason(
    lock,
    holder === undefined ? "unknown" : await lookAtSessionProcess(session, holder, signal),
  );
}

/** True while somebody holds the service's lock on one host. */
export async function isLocked(
  session: HostSession,
  docker: Docker,
  service: string,
  signal: AbortSignal,
): Promise<boolean> {
  const lock = await observeLock(docker, service, signal);
  return lock !== undefined && (await observeStaleness(session, lock, signal)) === undefined;
}
