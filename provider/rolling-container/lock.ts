import type { Clock } from "../clock";
import { engineStatus } from "../container/engine-status";
import { lockId, observeLock, observeStaleness } from "../container/held-lock";
import { LABEL } from "../container/labels";
import { type LockRecord, lockLabels } from "../container/lock-record";
import { lockName } from "../container/names";
import { ownSessionProcess } from "../container/session-process";
import { formatDuration } from "../duration";
import { SlipwayError } from "../errors";
import type { HostAccess } from "./host-access";

/** The image that locks are created from: nothing at all, made on the host. */
export const EMPTY_IMAGE = "slipway/empty:1";
const EMPTY_TAR = Buffer.alloc(1_024);
const POLL_MS = 500;
/**
 * So long a look at a lock holds. Who takes a lock over has to find it stale first: its holder's connection gone, which ends us
 * too, or the whole rollout's time run out.
 */
export const SEEN_FOR_MS = 5_000;
const AGAIN_MS = 50;
const LOOK_EVERY_MS = 1_000;

export interface LockOptions {
  readonly service: string;
  readonly holder: string;
  /** Of this provider process, random. */
  readonly operation: string;
  /** The longest that what it guards may take. */
  readonly ttlMs: number;
  readonly waitMs: number;
}

/** A lock that we hold. */
export interface Lock {
  readonly id: string;
  release(): Promise<void>;
  /**
   * Looks whether it is still ours, unless it was seen to be within `seenWithinMs`.
   * @default SEEN_FOR_MS
   * @throws SlipwayError service-locked when it is not
   */
  assertHeld(seenWithinMs?: number): Promise<void>;
}

/**
 * Takes the service's lock on one host: a container that is created and never started, since the engine gives a name once.
 * One whose holder is gone is taken over by its id.
 * @throws SlipwayError service-locked, with the holder, when it is not free within `waitMs`
 */
export async function acquireLock(host: HostAccess, options: LockOptions): Promise<Lock> {
  const { clock, docker, log, session, signal } = host;
  const own = await ownSessionProcess(session, signal);
  const record: LockRecord = { ...options, session: own };
  const endsAtMs = clock.now() + options.waitMs;
  let removed: string | undefined;
  for (let told = false; ; ) {
    const id = await tryCreate(host, options.service, record);
    if (id !== undefined) return held(host, options.service, id);
    const lock = await observeLock(docker, options.service);
    if (lock === undefined || lock.id === removed) {
      // just released; or its removal hangs in the engine, which gives the name to nobody
      if (clock.now() >= endsAtMs)
        throw lockedBy(host, options, "somebody whose lock the engine is removing");
      await clock.sleep(AGAIN_MS, signal);
      continue;
    }
    const stale = await observeStaleness(session, lock, signal);
    if (stale !== undefined) {
      log.keep(
        `${session.target}: took over the lock of "${options.service}" from ${lock.record.holder}: ${stale}`,
      );
      await removeById(host, lock.id);
      removed = lock.id;
      continue;
    }
    if (clock.now() >= endsAtMs) throw lockedBy(host, options, lock.record.holder);
    if (!told) log.progress(`waiting for ${lock.record.holder}, who is changing "${options.service}"`);
    told = true;
    await clock.sleep(POLL_MS, signal);
  }
}

/**
 * Looks at locks again and again until the signal ends it, so that after a wait nobody has to wait for a look at them as well.
 * It never rejects: what it finds out, or cannot, whoever asks next hears.
 */
export async function keepInSight(locks: readonly Lock[], clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    for (;;) {
      await clock.sleep(LOOK_EVERY_MS, signal);
      await Promise.all(locks.map((lock) => lock.assertHeld(SEEN_FOR_MS / 2)));
    }
  } catch {
    // over, or not seen: `assertHeld` looks by itself then
  }
}

/** Removes the image that locks are made from, when nobody needs it. */
export async function removeEmptyImage({ docker }: HostAccess): Promise<void> {
  try {
    await docker.getImage(EMPTY_IMAGE).remove();
  } catch (error) {
    // 409: somebody's lock needs it
    if (![404, 409].includes(engineStatus(error) ?? 0)) throw error;
  }
}

function held(host: HostAccess, service: string, id: string): Lock {
  const { docker, clock, session } = host;
  let seenAtMs = clock.now();
  return {
    id,
    release: () => removeById(host, id),
    async assertHeld(seenWithinMs = SEEN_FOR_MS) {
      const nowMs = clock.now();
      if (nowMs - seenAtMs < seenWithinMs) return;
      if ((await lockId(docker, service)) === id) {
        seenAtMs = nowMs;
        return;
      }
      // whoever asks next must not go by an earlier look
      seenAtMs = Number.NEGATIVE_INFINITY;
      const lock = await observeLock(docker, service);
      throw new SlipwayError({
        code: "service-locked",
        what: `changing "${service}"`,
        host: session.target,
        why:
          lock === undefined
            ? "its lock was removed by somebody"
            : `${lock.record.holder} took over its lock`,
        next: "Look who else deploys it, then run pulumi up again",
      });
    },
  };
}

/** The id of the new lock; undefined when the name is taken. */
async function tryCreate(host: HostAccess, service: string, record: LockRecord): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      const container = await host.docker.createContainer({
        name: lockName(service),
        Image: EMPTY_IMAGE,
        Cmd: ["never-started"],
        // clean-up jobs are told to spare this label; by its name it is no container of the service
        Labels: { [LABEL.service]: service, ...lockLabels(record) },
        HostConfig: { NetworkMode: "none" },
      });
      return container.id;
    } catch (error) {
      if (engineStatus(error) === 409) return undefined;
      if (engineStatus(error) !== 404 || attempt > 3) throw error;
      await importEmptyImage(host);
    }
  }
}

async function importEmptyImage({ docker }: HostAccess): Promise<void> {
  const colon = EMPTY_IMAGE.indexOf(":");
  const options = { repo: EMPTY_IMAGE.slice(0, colon), tag: EMPTY_IMAGE.slice(colon + 1) };
  const answer = await docker.importImage(EMPTY_TAR as unknown as NodeJS.ReadableStream, options);
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(answer, (error) => (error ? reject(error) : resolve()));
  });
}

async function removeById({ docker }: HostAccess, id: string): Promise<void> {
  try {
    await docker.getContainer(id).remove({ force: true });
  } catch (error) {
    // 409: its removal is under way
    if (![404, 409].includes(engineStatus(error) ?? 0)) throw error;
  }
}

function lockedBy(host: HostAccess, options: LockOptions, holder: string): SlipwayError {
  return new SlipwayError({
    code: "service-locked",
    what: `changing "${options.service}"`,
    host: host.session.target,
    why: `${holder} is changing it`,
    after: `waited ${formatDuration(options.waitMs)}, lockWait`,
    left: "Nothing was touched",
    next: "Wait until they are done, then run pulumi up again",
  });
}
