import { isSlipwayError } from "../errors";
import type { HandlerContext, Properties } from "../handler";
import { oneErrorOf } from "../host/all-ended";
import { type Connection, machineOf } from "../host/connection";
import { withHost } from "../host/pool";
import { recordedHostKeyOf } from "../host/recorded-host-key";
import { isObject } from "../values";
import type { HostAccess } from "./host-access";

/** Two connections lead to the same machine when address and port are the same, whoever logs in. */
export function sameMachine(a: Connection, b: Connection): boolean {
  return machineOf(a) === machineOf(b);
}

/** The outputs' `hostKeys`: target to fingerprint. */
export function recordedHostKeys(outputs: Properties): Readonly<Record<string, string>> {
  const keys = isObject(outputs.hostKeys) ? outputs.hostKeys : {};
  return Object.fromEntries(
    Object.entries(keys).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

/**
 * Opens all hosts at once and gives them, in their order, to `use`. When one cannot be reached nothing is begun.
 * `optional` ones that do not answer are left out.
 */
export async function withHosts<T>(
  connections: readonly Connection[],
  options: {
    readonly context: HandlerContext;
    readonly hostKeys: Readonly<Record<string, string>>;
    readonly optional?: (connection: Connection) => boolean;
  },
  use: (hosts: readonly HostAccess[]) => Promise<T>,
): Promise<T> {
  const closing = deferred();
  const openings = connections.map((connection) => open(connection, options, closing.promise));
  try {
    const opened = await Promise.allSettled(openings.map(({ ready }) => ready));
    const hosts = reachable(connections, opened, options.optional ?? (() => false));
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
function open(
  connection: Connection,
  {
    context,
    hostKeys,
  }: { readonly context: HandlerContext; readonly hostKeys: Readonly<Record<string, string>> },
  until: Promise<void>,
): Opening {
  const { log, clock, random, signal } = context;
  const recordedHostKey = recordedHostKeyOf({ hostKeys }, connection);
  let closed: Promise<void> = Promise.resolve();
  const ready = new Promise<HostAccess>((resolve, reject) => {
    closed = withHost(connection, { log, clock, random, signal, recordedHostKey }, async (session) => {
      resolve({ session, docker: await session.docker(signal), clock, log, signal });
      await until;
    });
    closed.catch(reject);
  });
  return { ready, closed };
}

function reachable(
  connections: readonly Connection[],
  opened: readonly PromiseSettledResult<HostAccess>[],
  optional: (connection: Connection) => boolean,
): readonly HostAccess[] {
  const hosts: HostAccess[] = [];
  const failures: unknown[] = [];
  opened.forEach((each, index) => {
    const connection = connections[index];
    if (each.status === "fulfilled") hosts.push(each.value);
    else if (connection === undefined || !optional(connection) || !isUnreachable(each.reason)) {
      failures.push(each.reason);
    }
  });
  if (failures.length > 0) throw oneErrorOf(failures);
  return hosts;
}

/** True for what `abandonUnreachable` speaks of: the machine does not answer. */
export function isUnreachable(error: unknown): boolean {
  return isSlipwayError(error, "dial-failed");
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
