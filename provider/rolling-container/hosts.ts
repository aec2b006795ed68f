import type { HandlerContext, Properties } from "../handler";
import { oneErrorOf } from "../all-ended";
import { type Connection, targetOf } from "../host/connection";
import { machineIdOf, type MachineIds, machineIdsFrom } from "../host/machine/machine-id";
import { withHost } from "../host/pool";
import { recordedHostKeyOf } from "../host/machine/recorded-host-key";
import { isUnreachable, withAbandonHint } from "../host/machine/unreachable";
import { isObject } from "../values";
import type { HostAccess } from "./host-access";
import { inTime, LOOK_MS, UNTOUCHED } from "../container/in-time";

/** The outputs' `hostKeys`: target to fingerprint. */
export function recordedHostKeys(outputs: Properties): Readonly<Record<string, string>> {
  const keys = isObject(outputs.hostKeys) ? outputs.hostKeys : {};
  return Object.fromEntries(
    Object.entries(keys).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

/** The `hostKeys` of open hosts. */
export function hostKeysOf(hosts: readonly HostAccess[]): Readonly<Record<string, string>> {
  return Object.fromEntries(hosts.map(({ session }) => [session.target, session.hostKey]));
}

/** The `machineIds` of open hosts. */
export function machineIdsOf(hosts: readonly HostAccess[]): MachineIds {
  return machineIdsFrom(hosts.map(({ session, machineId }) => [session.target, machineId]));
}

/** How hosts are opened. */
export interface OpenOptions {
  readonly context: HandlerContext;
  readonly hostKeys: Readonly<Record<string, string>>;
  /** For hosts that are given up: whether one that does not answer is left out. */
  readonly abandonUnreachable?: boolean;
}

/** Opens all hosts at once and gives them, in their order, to `use`. When one cannot be reached nothing is begun. */
export async function withHosts<T>(
  connections: readonly Connection[],
  options: OpenOptions,
  use: (hosts: readonly HostAccess[]) => Promise<T>,
): Promise<T> {
  const closing = deferred();
  const openings = connections.map((connection) => open(connection, options, closing.promise));
  try {
    const opened = await Promise.allSettled(openings.map(({ ready }) => ready));
    const hosts = reachable(connections, opened, options);
    return await use(hosts);
  } finally {
    closing.resolve();
    // a session that broke while it was open has already failed the work on it
    await Promise.allSettled(openings.map(({ closed }) => closed));
  }
}

interface Opening {
  readonly ready: Promise<HostAccess>;
  readonly closed: Promise<void>;
}

/** `withHost` gives a session for the time of a function; this holds that function open until `until`. */
function open(connection: Connection, { context, hostKeys }: OpenOptions, until: Promise<void>): Opening {
  const { log, clock, random, signal } = context;
  const recordedHostKey = recordedHostKeyOf({ hostKeys }, connection);
  // a run that is stopped takes back what it began, and follows a switch until it has gone back: over the same session
  const lasting = new AbortController();
  const stop = (): void => lasting.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  let closed: Promise<void> = Promise.resolve();
  const ready = new Promise<HostAccess>((resolve, reject) => {
    const options = { log, clock, random, signal: lasting.signal, recordedHostKey };
    closed = withHost(connection, options, async (session) => {
      const [docker, facts] = await inTime(
        { session, clock, signal },
        "reaching the Docker Engine",
        LOOK_MS,
        (limited) => Promise.all([session.docker(limited), session.facts({ signal: limited })]),
        UNTOUCHED,
      );
      signal.removeEventListener("abort", stop);
      resolve({ session, docker, clock, random, log, signal, machineId: machineIdOf(facts) });
      await until;
    });
    closed.catch(reject).finally(() => signal.removeEventListener("abort", stop));
  });
  return { ready, closed };
}

function reachable(
  connections: readonly Connection[],
  opened: readonly PromiseSettledResult<HostAccess>[],
  { context, abandonUnreachable }: OpenOptions,
): readonly HostAccess[] {
  const hosts: HostAccess[] = [];
  const failures: unknown[] = [];
  opened.forEach((each, index) => {
    const connection = connections[index];
    if (each.status === "fulfilled") hosts.push(each.value);
    else if (connection === undefined || abandonUnreachable === undefined) failures.push(each.reason);
    else if (!abandonUnreachable || !isUnreachable(each.reason)) failures.push(withAbandonHint(each.reason));
    else
      context.log.warn(
        `${targetOf(connection)} does not answer; what is there was left (abandonUnreachable)`,
      );
  });
  if (failures.length > 0) throw oneErrorOf(failures);
  return hosts;
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
