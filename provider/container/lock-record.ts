import { formatDuration } from "../duration";

/** The process on the host that lives exactly as long as the holder's connection. */
export interface SessionProcess {
  readonly bootId: string;
  readonly pid: number;
  /** In clock ticks since boot: a pid alone may be somebody else's by now. */
  readonly startTicks: string;
}

/** What the lock of a service says of its holder; kept in the labels of a container that never runs. */
export interface LockRecord {
  /** Stack, user and machine. */
  readonly holder: string;
  /** One of the provider process, random. */
  readonly operation: string;
  readonly session: SessionProcess | undefined;
  readonly ttlMs: number;
}

/** A lock as it stands on the host. */
export interface HeldLock {
  readonly id: string;
  readonly record: LockRecord;
  /** By the daemon's own clock. */
  readonly ageMs: number;
}

const LABELS = {
  holder: "slipway.lock.holder",
  operation: "slipway.lock.operation",
  session: "slipway.lock.session",
  ttl: "slipway.lock.ttl-ms",
} as const;

export function lockLabels(record: LockRecord): Record<string, string> {
  const { session } = record;
  return {
    [LABELS.holder]: record.holder,
    [LABELS.operation]: record.operation,
    [LABELS.ttl]: String(record.ttlMs),
    ...(session === undefined
      ? {}
      : { [LABELS.session]: `${session.bootId} ${session.pid} ${session.startTicks}` }),
  };
}

/** Reads the labels; undefined when the container is no lock of ours. */
export function parseLockLabels(labels: Readonly<Record<string, string>>): LockRecord | undefined {
  const operation = labels[LABELS.operation];
  const ttlMs = Number(labels[LABELS.ttl]);
  if (operation === undefined || !(ttlMs > 0)) return undefined;
  return {
    holder: labels[LABELS.holder] ?? "somebody",
    operation,
    ttlMs,
    session: parseSessionProcess(labels[LABELS.session] ?? ""),
  };
}

/** `<boot id> <pid> <start>`, as the label and the script on the host have it. */
export function parseSessionProcess(text: string): SessionProcess | undefined {
  const match = /^([0-9a-f-]{16,}) (\d+) (\d+)$/.exec(text.trim());
  if (!match) return undefined;
  return { bootId: match[1] ?? "", pid: Number(match[2]), startTicks: match[3] ?? "" };
}

/**
 * Why a lock holds no more, in words; undefined while it does. `session` is what the host says of the holder's process;
 * `unknown` keeps the lock until it is too old.
 */
export function staleReason(lock: HeldLock, session: "alive" | "gone" | "unknown"): string | undefined {
  if (session === "gone") return "its deployer's connection is gone";
  if (lock.ageMs > lock.record.ttlMs) {
    return `it is ${formatDuration(lock.ageMs)} old, longer than a rollout may take`;
  }
  return undefined;
}
