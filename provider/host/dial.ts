import { setMaxListeners } from "node:events";
import type { Duplex } from "node:stream";
import { Client, type ConnectConfig } from "ssh2";
import type { Clock } from "../clock";
import { formatDuration } from "../duration";
import { SlipwayError, isSlipwayError, messageOf } from "../errors";
import type { Log } from "../log";
import { retry } from "../retry";
import { offeredAlgorithms } from "./algorithms";
import { type Connection, targetOf } from "./connection";
import { type Credential, credentialsOf } from "./credentials";
import { type HostKeyDemand, hostKeyAlgorithms, judgeHostKey, keyTypeOf, withoutKeyType } from "./host-key";
import { demandFor } from "./host-key-demand";
import { authorityOnlyError, hostKeyError } from "./host-key-error";
import { LoginOrder } from "./login-order";
import { Transport } from "./transport";

const DEFAULT_ATTEMPTS = 10;
const DEFAULT_DIAL_SECONDS = 15;
const KEEPALIVE_MS = 10_000;
const KEEPALIVE_COUNT = 3;

/** What dialling needs from outside. */
export interface DialContext {
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/**
 * Connects and logs in, through the bastions when there are any. Transport errors are retried; host keys and logins never.
 * @throws SlipwayError dial-failed, authentication-failed, host-key-unknown, host-key-mismatch, host-key-revoked
 */
export async function dial(
  connection: Connection,
  recordedHostKey: string | undefined,
  context: DialContext,
): Promise<Transport> {
  const credentials = await credentialsOf(connection);
  const demand = await demandFor(connection, recordedHostKey);
  if (demand.authorityOnly && !demand.acceptNew) throw authorityOnlyError(connection, demand);
  const bastion =
    connection.proxy === undefined ? undefined : await dial(connection.proxy, undefined, context);
  try {
    const transport = await dialWithRetries(connection, credentials, demand, bastion, context);
    if (bastion !== undefined)
      transport.closed.addEventListener("abort", () => bastion.end(), { once: true });
    return transport;
  } catch (error) {
    bastion?.end();
    throw error;
  }
}

async function dialWithRetries(
  connection: Connection,
  credentials: readonly Credential[],
  demand: HostKeyDemand,
  bastion: Transport | undefined,
  context: DialContext,
): Promise<Transport> {
  const { clock, log } = context;
  const target = targetOf(connection);
  const started = clock.now();
  const limit = connection.dialErrorLimit ?? DEFAULT_ATTEMPTS;
  // as in @pulumi/command: 0 and -1 mean no limit
  const attempts = limit <= 0 ? Number.POSITIVE_INFINITY : limit;
  let tried = 0;
  try {
    return await retry(
      { attempts, firstPauseMs: 500, longestPauseMs: 10_000 },
      {
        ...context,
        isTransient: (error) =>
          !context.signal.aborted && !isSlipwayError(error) && !(error instanceof HandshakeFailed),
        onRetry: (error, attempt, pauseMs) => {
          log.progress(`connecting to ${target} (attempt ${attempt + 1}): ${messageOf(error)}`);
          log.debug(
            `ssh ${target}: attempt ${attempt} failed: ${messageOf(error)}; next in ${formatDuration(pauseMs)}`,
          );
        },
      },
      async (n) => {
        tried = n;
        const openSock = async () => bastion?.forward(connection.host, connection.port ?? 22);
        return dialOfferingEachType(connection, credentials, demand, openSock, context);
      },
    );
  } catch (error) {
    if (isSlipwayError(error) || context.signal.aborted) throw error;
    throw new SlipwayError({
      code: "dial-failed",
      what: "reaching sshd",
      host: target,
      why: messageOf(error),
      after: `after ${formatDuration(clock.now() - started)}, ${tried} ${tried === 1 ? "attempt" : "attempts"}`,
      next: "Check that the machine is up and that its SSH port can be reached from here",
      cause: error,
    });
  }
}

/**
 * A fingerprint does not say what type of key it is of: when a machine presents another type first, it is asked again
 * without that type before it is called a mismatch. And a machine that has no key of the types we hold is asked for any,
 * so that the refusal can name what it has. No login is tried in either case.
 */
async function dialOfferingEachType(
  connection: Connection,
  credentials: readonly Credential[],
  demand: HostKeyDemand,
  openSock: () => Promise<Duplex | undefined>,
  context: DialContext,
): Promise<Transport> {
  const all = hostKeyAlgorithms({ ...demand, accepted: [] });
  let algorithms = hostKeyAlgorithms(demand);
  let mismatch: SlipwayError | undefined;
  for (;;) {
    let presentedType: string | undefined;
    const onPresented = (key: Buffer): void => {
      presentedType = keyTypeOf(key);
    };
    try {
      const sock = await openSock();
      return await dialOnce({ connection, credentials, demand, algorithms, sock, onPresented }, context);
    } catch (error) {
      if (isSlipwayError(error, "host-key-mismatch")) {
        mismatch ??= error;
        algorithms = withoutKeyType(algorithms, presentedType ?? "");
        if (demand.accepted.every(({ kind }) => kind === "key") || algorithms.length === 0) throw mismatch;
      } else if (error instanceof HandshakeFailed && mismatch !== undefined) {
        throw mismatch;
      } else if (error instanceof HandshakeFailed && algorithms.length < all.length) {
        algorithms = all;
      } else {
        throw error;
      }
    }
  }
}

/** The two sides could not agree on how to talk; trying again would not help. */
class HandshakeFailed extends Error {}

interface Attempt {
  readonly connection: Connection;
  readonly credentials: readonly Credential[];
  readonly demand: HostKeyDemand;
  /** Host key algorithms to offer. */
  readonly algorithms: readonly string[];
  /** A stream through the bastion. */
  readonly sock: Duplex | undefined;
  readonly onPresented: (key: Buffer) => void;
}

function dialOnce(attempt: Attempt, { clock, log, signal }: DialContext): Promise<Transport> {
  const { connection, credentials, demand, sock } = attempt;
  const target = targetOf(connection);
  const started = clock.now();
  const client = new Client();
  const closed = new AbortController();
  setMaxListeners(0, closed.signal); // one for each channel
  const logins = new LoginOrder(credentials);
  let presentedKey: Buffer | undefined;

  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    const fail = (error: Error): void => {
      failure ??= error;
      signal.removeEventListener("abort", onAbort);
      closed.abort(failure);
      reject(failure);
      client.destroy();
    };
    const onAbort = (): void => fail(signal.reason as Error);
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });

    client.on("error", (error: Error & { level?: string }) => {
      // an agent that does not answer is one credential less; the next one is tried
      if (error.level === "agent") {
        logins.unusable(messageOf(error));
        return;
      }
      if (error.level === "client-authentication") fail(logins.error(target, error));
      else if (error.level === "handshake") fail(new HandshakeFailed(error.message, { cause: error }));
      else fail(error);
    });
    client.on("close", () => fail(failure ?? new Error("the machine closed the connection")));
    client.on("ready", () => {
      signal.removeEventListener("abort", onAbort);
      client.setNoDelay(true);
      log.debug(`ssh ${target}: connected in ${Math.round(clock.now() - started)}ms`);
      if (presentedKey === undefined) return fail(new Error("the machine presented no host key"));
      resolve(new Transport(client, target, presentedKey, closed.signal, clock));
    });
    const config: ConnectConfig = {
      host: connection.host,
      port: connection.port ?? 22,
      username: connection.user ?? "root",
      readyTimeout: (connection.perDialTimeout ?? DEFAULT_DIAL_SECONDS) * 1_000,
      keepaliveInterval: KEEPALIVE_MS,
      keepaliveCountMax: KEEPALIVE_COUNT,
      algorithms: offeredAlgorithms(attempt.algorithms),
      hostVerifier: (key: Buffer): boolean => {
        attempt.onPresented(key);
        const verdict = judgeHostKey(demand, key);
        if (verdict.kind !== "accepted") {
          failure = hostKeyError(connection, demand, verdict, key);
          return false;
        }
        presentedKey = Buffer.from(key);
        return true;
      },
      authHandler: logins.handler,
      ...(sock === undefined ? {} : { sock }),
    };
    try {
      client.connect(config);
    } catch (error) {
      fail(error as Error);
    }
  });
}
