import type { Clock } from "../clock";
import { createContainer } from "../container/create";
import { followProgress } from "../container/engine-progress";
import { allowing, engineStatus } from "../container/engine-status";
import { lockId, observeLock, observeStaleness } from "../container/held-lock";
import { LABEL } from "../container/labels";
import { type HeldLock, type LockRecord, lockLabels } from "../container/lock-record";
import { lockName } from "../container/names";
import { ownSessionProcess } from "../container/session-process";
import { formatDuration } from "../duration";
import { SlipwayError } from "../errors";
import type { HostAccess } from "./host-access";
import { inTime, LOOK_MS, UNTOUCHED } from "../container/in-time";

/** The image that locks are created from: nothing at all, made on the host. */
export const EMPTY_IMAGE = "slipway/empty:1";
const EMPTY_TAR = Buffer.alloc(1_024);
const POLL_MS = 500;
/**
 * So long a look at a lock holds for what can be taken back, or comes after what cannot. Another deployer finds a lock free
 * when its holder's connection is gone, which ends us too, when the rollout's whole time is over, or when somebody removed it:
 * against that nothing helps but looking.
 */
const SEEN_FOR_MS = 5_000;
/** And so long for what must not be done by two: as fresh as a look beside a wait keeps it. */
export const JUST_SEEN_MS = 1_500;
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
   * Looks whether it is still ours, unless it was seen to be within `seenWithinMs`, by the clock that counts longer: this
   * machine may have slept, while nobody else did.
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
  const { clock, docker, log, session } = host;
  const inLimit = <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    inTime(host, `taking the lock of "${options.service}"`, LOOK_MS, work, UNTOUCHED);
  const own = await inLimit((signal) => ownSessionProcess(session, signal));
  const record: LockRecord = { ...options, session: own };
  const endsAtMs = clock.now() + options.waitMs;
  let removed: string | undefined;
  for (let told = false; ; ) {
    const id = await inLimit((signal) => tryCreate({ ...host, signal }, options.service, record));
    if (id !== undefined) return held(host, options.service, id);
    const lock = await inLimit((signal) => observeLock(docker, options.service, signal));
    if (lock === undefined || lock.id === removed) {
      // just released; or its removal hangs in the engine, which gives the name to nobody
      if (clock.now() >= endsAtMs)
        throw lockedBy(host, options, "somebody whose lock the engine is removing");
      await clock.sleep(AGAIN_MS, host.signal);
      continue;
    }
    const stale = await inLimit((signal) => observeStaleness(session, lock, signal));
    if (stale !== undefined) {
      log.keep(
        `${session.target}: took over the lock of "${options.service}" from ${lock.record.holder}: ${stale}`,
      );
      await inLimit(() => removeById(host, lock.id));
      removed = lock.id;
      continue;
    }
    if (clock.now() >= endsAtMs) throw lockedBy(host, options, lock.record.holder);
    if (!told) log.progress(`waiting for ${lock.record.holder}, who is changing "${options.service}"`);
    told = true;
    await clock.sleep(POLL_MS, host.signal);
  }
}

/**
 * Looks at locks again and again until the signal ends it, so that after a wait nobody has to wait for a look at them as well.
 * It never rejects: what it finds out, or cannot, whoever asks next hears.
 */
export async function keepInSight(locks: readonly Lock[], clock: Clock, signal: AbortSignal): Promise<void> {
  if (locks.length === 0) return;
  try {
    for (;;) {
      await Promise.all(locks.map((lock) => lock.assertHeld(LOOK_EVERY_MS / 2)));
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  } catch {
    // over, or not seen: `assertHeld` looks by itself then
  }
}

/** Removes the image that locks are made from, when nobody needs it. */
export async function removeEmptyImage({ docker }: HostAccess): Promise<void> {
  // 409: somebody's lock needs it
  await allowing([404, 409], docker.getImage(EMPTY_IMAGE).remove());
}

interface Moment {
  readonly now: number;
  readonly wall: number;
}

function held(host: HostAccess, service: string, id: string): Lock {
  const { clock } = host;
  // a run that is stopped looks, too, before it takes anything back, and gives the lock back
  const calm = { ...host, signal: new AbortController().signal };
  const moment = (): Moment => ({ now: clock.now(), wall: clock.wall() });
  const isWithin = (at: Moment | undefined, ms: number): boolean =>
    at !== undefined && clock.now() - at.now < ms && Math.abs(clock.wall() - at.wall) < ms;
  let seen: Moment | undefined = moment();
  let looking: { readonly began: Moment; readonly end: Promise<void> } | undefined;
  const look = async (began: Moment): Promise<void> => {
    const what = `looking at the lock of "${service}"`;
    try {
      await inTime(calm, what, LOOK_MS, async (signal) => {
        const isOurs = (await lockId(host.docker, service, signal)) === id;
        // whoever asks next must not go by an earlier look
        seen = isOurs ? began : undefined;
        if (!isOurs) throw lostLock(host, service, await observeLock(host.docker, service, signal));
      });
    } finally {
      if (looking?.began === began) looking = undefined;
    }
  };
  return {
    id,
    release: () => inTime(calm, `releasing the lock of "${service}"`, LOOK_MS, () => removeById(host, id)),
    assertHeld(seenWithinMs = SEEN_FOR_MS) {
      if (isWithin(seen, seenWithinMs)) return Promise.resolve();
      // one that is under way is not begun twice
      if (looking === undefined || !isWithin(looking.began, seenWithinMs)) {
        const began = moment();
        looking = { began, end: look(began) };
      }
      return looking.end;
    },
  };
}

function lostLock({ session }: HostAccess, service: string, lock: HeldLock | undefined): SlipwayError {
  return new SlipwayError({
    code: "service-locked",
    what: `changing "${service}"`,
    host: session.target,
    why: lock === undefined ? "its lock was removed by somebody" : `${lock.record.holder} took over its lock`,
    next: "Look who else deploys it, then run pulumi up again",
  });
}

/** The id of the new lock; undefined when the name is taken. */
async function tryCreate(host: HostAccess, service: string, record: LockRecord): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      const request = {
        name: lockName(service),
        Image: EMPTY_IMAGE,
        Cmd: ["never-started"],
        // clean-up jobs are told to spare this label; by its name it is no container of the service
        Labels: { [LABEL.service]: service, ...lockLabels(record) },
        HostConfig: { NetworkMode: "none" },
      };
      return (await createContainer(host.docker, request, host.signal)).id;
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
  await followProgress(docker, answer);
}

async function removeById({ docker }: HostAccess, id: string): Promise<void> {
  // 409: its removal is under way
  await allowing([404, 409], docker.getContainer(id).remove({ force: true }));
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
