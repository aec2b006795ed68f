import { createHash } from "node:crypto";
import { setMaxListeners } from "node:events";
import { isSlipwayError } from "../errors";
import { canonicalJson } from "../values";
import type { Connection } from "./connection";
import { dial } from "./dial";
import { type HostKeyDemand, hostKeyAlgorithms, judgeHostKey } from "./host-key";
import { demandFor } from "./host-key-demand";
import { hostKeyError } from "./host-key-error";
import type { RouteMemory } from "./engine-way";
import { Line } from "./line";
import { openSession } from "./open-session";
import { type Route, routeOf } from "./route";
import type { HostSession } from "./session";
import type { WithHostOptions } from "./with-host-options";

export type { WithHostOptions } from "./with-host-options";

/** How long an unused connection is kept: other resources of the run will want it. */
const IDLE_MS = 60_000;
/** How long a refused login is remembered, so that the other resources of a run do not try it again. */
const REFUSAL_MS = 60_000;

/** One connection of the process, being dialled or live. */
interface Entry {
  readonly key: string;
  readonly dialling: Promise<Line>;
  readonly abandon: AbortController;
  borrowers: number;
  line: Line | undefined;
  idle: NodeJS.Timeout | undefined;
}

const entries = new Map<string, Entry>();
const memories = new Map<string, RouteMemory>();
const refusals = new Map<string, { readonly error: unknown; readonly at: number }>();
let stopping = false;

/**
 * Gives `use` a session on the machine: the process's one connection to it, dialled when there is none yet.
 * @throws SlipwayError dial-failed, authentication-failed, host-key-unknown, host-key-mismatch, host-key-revoked
 */
export async function withHost<T>(
  connection: Connection,
  options: WithHostOptions,
  use: (session: HostSession) => Promise<T>,
): Promise<T> {
  options.signal.throwIfAborted();
  setMaxListeners(0, options.signal); // one signal serves all resources of a run
  const route = await routeOf(connection);
  const demand = await demandFor(route, options.recordedHostKey);
  const key = routeKey(route, demand);
  for (;;) {
    const shared = entries.get(key);
    const entry = shared ?? startDialling(key, route, options);
    borrow(entry);
    try {
      const line = await orAborted(entry.dialling, options.signal);
      if (line.transport.closed.aborted) continue; // died while idle: the next turn dials anew
      verify(route, demand, line);
      return await use(openSession(line, options));
    } catch (error) {
      // somebody else's dial failed over what they demanded of the key; ours may be another demand
      if (shared !== undefined && entry.line === undefined && isHostKeyError(error)) continue;
      throw error;
    } finally {
      giveBack(entry);
    }
  }
}

/** Closes every connection that nobody uses now, and the others as soon as they are given back. */
export function closeConnections(): void {
  for (const entry of entries.values()) if (entry.borrowers === 0) close(entry);
}

function startDialling(key: string, connection: Route, options: WithHostOptions): Entry {
  const abandon = new AbortController();
  const memory = memories.get(key) ?? { engineWay: undefined };
  memories.set(key, memory);
  const entry: Entry = {
    key,
    abandon,
    borrowers: 0,
    line: undefined,
    idle: undefined,
    dialling: dialUnlessRefused(key, connection, { ...options, signal: abandon.signal }).then((transport) => {
      if (abandon.signal.aborted) {
        // the login was done just before: nobody else knows of this connection
        transport.end();
        throw abandon.signal.reason as Error;
      }
      const line = new Line(connection, transport, memory);
      entry.line = line;
      transport.closed.addEventListener("abort", () => forget(entry), { once: true });
      return line;
    }),
  };
  entry.dialling.catch(() => forget(entry));
  entries.set(key, entry);
  listenForSignals();
  return entry;
}

async function dialUnlessRefused(
  key: string,
  connection: Route,
  options: WithHostOptions,
): ReturnType<typeof dial> {
  const refusal = refusals.get(key);
  if (refusal !== undefined && options.clock.now() - refusal.at < REFUSAL_MS) throw refusal.error;
  try {
    return await dial(connection, options.recordedHostKey, options);
  } catch (error) {
    if (isSlipwayError(error, "authentication-failed")) refusals.set(key, { error, at: options.clock.now() });
    throw error;
  }
}

function borrow(entry: Entry): void {
  entry.borrowers++;
  clearTimeout(entry.idle);
  entry.idle = undefined;
}

function giveBack(entry: Entry): void {
  entry.borrowers--;
  if (entry.borrowers > 0) return;
  if (entry.line === undefined) {
    entry.abandon.abort(new Error("nobody waits for this connection any more"));
    forget(entry);
  } else if (stopping) {
    close(entry);
  } else {
    entry.idle = setTimeout(() => close(entry), IDLE_MS).unref();
  }
}

function close(entry: Entry): void {
  forget(entry);
  entry.line?.transport.end();
}

function forget(entry: Entry): void {
  clearTimeout(entry.idle);
  if (entries.get(entry.key) === entry) entries.delete(entry.key);
}

function verify(connection: Route, demand: HostKeyDemand, line: Line): void {
  const { presentedKey } = line.transport;
  const verdict = judgeHostKey(demand, presentedKey);
  if (verdict.kind !== "accepted") throw hostKeyError(connection, demand, verdict, presentedKey);
}

/**
 * The whole route as it was looked up and the credentials, as a digest. The last machine's key demand is no part of it
 * (every borrower checks for itself) but for the types of key asked for; the bastions' are.
 */
function routeKey(connection: Route, demand: HostKeyDemand): string {
  const route = { ...connection, hostKey: undefined, knownHosts: undefined, hostKeyPolicy: undefined };
  const text = canonicalJson({ route, agent: process.env.SSH_AUTH_SOCK, types: hostKeyAlgorithms(demand) });
  return createHash("sha256").update(text).digest("hex");
}

function isHostKeyError(error: unknown): boolean {
  return isSlipwayError(error, "host-key-unknown", "host-key-mismatch", "host-key-revoked");
}

async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

let listening = false;

/** On SIGINT and SIGTERM: what is in use is left to finish its clean-up, everything else says goodbye. */
function listenForSignals(): void {
  if (listening) return;
  listening = true;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      stopping = true;
      closeConnections();
      // nobody else handles the signal: it does what it would have done without us
      if (process.listenerCount(name) === 0) process.kill(process.pid, name);
    });
  }
}
