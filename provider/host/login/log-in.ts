import { setMaxListeners } from "node:events";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Client } from "ssh2";
import { type SlipwayError, messageOf } from "../../errors";
import { stripControl, tail } from "../../secret";
import { needsStrict, offeredAlgorithms } from "../host-key/algorithms";
import { AttemptFailed } from "../transport/attempt-failed";
import { bastionLost } from "../transport/bastion";
import { targetOf } from "../connection";
import { type DialContext, DialTimeUp } from "../transport/dial-context";
import { judgeHostKey } from "../host-key/host-key";
import { hostKeyError } from "../host-key/host-key-error";
import { KEEPALIVE, startKeepalive } from "../transport/keepalive";
import { PeerStart } from "../host-key/key-exchange";
import type { LoginAttempt } from "./login-attempt";
import { LoginOrder } from "./login-order";
import { Transport } from "../transport/transport";

/**
 * Speaks SSH over a stream until somebody is logged in. Whatever ends it before or after, the stream is destroyed.
 * @throws AttemptFailed, SlipwayError authentication-failed, host-key-…
 */
export function logIn(
  attempt: LoginAttempt,
  stream: Duplex,
  ended: AbortSignal,
  { clock, log, keepalive = KEEPALIVE }: DialContext,
): Promise<Transport> {
  const { connection, demand, bastion } = attempt;
  const target = targetOf(connection);
  const started = clock.now();
  const client = new Client();
  const closed = new AbortController();
  setMaxListeners(0, closed.signal); // one for each channel
  const logins = new LoginOrder(attempt.credentials);
  const peer = new PeerStart();
  let stage: "agreeing" | "logging in" | "live" = "agreeing";
  let presentedKey: Buffer | undefined;
  let refusal: SlipwayError | undefined;

  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      ended.removeEventListener("abort", onEnded);
      closed.abort(error);
      reject(error);
      stream.destroy();
    };
    /** The line is gone; a credential that was sent is not sent again. */
    const cut = (error: Error): void => {
      const pending = stage === "logging in" ? logins.pending : undefined;
      if (pending === undefined) return fail(error);
      fail(new AttemptFailed("login-cut", `${messageOf(error)}, while it looked at ${pending.label}`, error));
    };
    const onEnded = (): void => {
      const reason: unknown = ended.reason;
      if (reason instanceof DialTimeUp) cut(tooLate(stream, peer, stage === "agreeing", reason));
      else fail(reason as Error);
    };
    if (ended.aborted) return onEnded();
    ended.addEventListener("abort", onEnded, { once: true });
    const listener = { once: true, signal: closed.signal };
    bastion?.closed.addEventListener("abort", () => cut(bastionLost(bastion, undefined)), listener);

    client.on("error", (error: Error & { readonly level?: string; readonly code?: unknown }) => {
      if (closed.signal.aborted) return;
      const clean = new Error(cleanMessage(error), { cause: error });
      if (refusal !== undefined) return fail(refusal);
      // an agent that does not answer is one credential less; the next one is tried
      if (error.level === "agent") return logins.unusable(clean.message);
      if (error.level === "client-authentication") return fail(logins.error(target, error));
      if (error.level === "handshake") return fail(noAgreement(attempt, peer, clean));
      // words of goodbye have a number and no level
      const goodbye = error.level === undefined && typeof error.code === "number";
      if (goodbye && stage === "logging in" && logins.pending !== undefined) {
        return fail(logins.error(target, error, clean.message));
      }
      cut(clean);
    });
    client.on("close", () => cut(new Error("the machine closed the connection")));
    client.on("handshake", (negotiated) => {
      if (stage !== "agreeing") return; // keys are changed from time to time
      // before the login: what was agreed on does not get to see it
      if (!peer.strict && needsStrict(negotiated)) {
        return fail(new AttemptFailed("needs-strict", "the machine has no strict key exchange"));
      }
      stage = "logging in";
    });
    client.on("ready", () => {
      if (presentedKey === undefined) return fail(new Error("the machine presented no host key"));
      stage = "live";
      ended.removeEventListener("abort", onEnded);
      log.debug(`ssh ${target}: connected in ${Math.round(clock.now() - started)}ms`);
      const pulse = startKeepalive(keepalive, {
        ask: () => askForLife(client),
        dead: () => fail(new Error(`the machine gave no sign of life, asked ${keepalive.count} times`)),
      });
      stream.on("data", () => pulse.heard());
      closed.signal.addEventListener("abort", () => pulse.stop(), { once: true });
      resolve(new Transport(client, target, presentedKey, closed.signal, clock));
    });
    readAlong(stream, (chunk) => peer.take(chunk));
    client.connect({
      sock: stream,
      username: connection.user ?? "root",
      readyTimeout: 0, // `ended` counts the time, from before there was a stream
      algorithms: offeredAlgorithms(attempt.hostKeyAlgorithms, attempt.withoutStrict),
      hostVerifier: (key: Buffer): boolean => {
        attempt.onPresented(key);
        const verdict = judgeHostKey(demand, key);
        if (verdict.kind === "accepted") presentedKey = Buffer.from(key);
        else refusal = hostKeyError(connection, demand, verdict, key);
        return refusal === undefined;
      },
      authHandler: logins.handler,
    });
  });
}

/** Sees what ssh2 sees, from when it listens on: a stream that flows before that would lose its beginning. */
function readAlong(stream: Duplex, take: (chunk: Buffer) => void): void {
  const onListener = (event: string): void => {
    if (event !== "data") return;
    stream.off("newListener", onListener);
    stream.on("data", take);
  };
  stream.on("newListener", onListener);
}

/** ssh2's own keepalive holds the process. This asks to end a forwarding that never was: every server says no. */
function askForLife(client: Client): void {
  try {
    client.unforwardIn("127.0.0.1", 1, () => {});
  } catch {
    // our side has said goodbye already: the question counts as unanswered
  }
}

function tooLate(stream: Duplex, peer: PeerStart, agreeing: boolean, { within }: DialTimeUp): AttemptFailed {
  const connecting = stream instanceof Socket && stream.connecting;
  const how = connecting
    ? "there was no answer"
    : peer.progress === "silent"
      ? "the machine took the connection and said nothing"
      : agreeing
        ? "the machine did not finish the key exchange"
        : "the machine did not finish the login";
  return new AttemptFailed("transport", `${how} ${within}`);
}

function noAgreement(
  { withoutStrict, hostKeyAlgorithms }: LoginAttempt,
  peer: PeerStart,
  error: Error,
): AttemptFailed {
  const theirs = peer.offer?.hostKeys ?? [];
  const certificates = theirs.length > 0 && theirs.every((name) => name.includes("-cert-v01@"));
  const sameKeys = theirs.some((name) => hostKeyAlgorithms.includes(name));
  const why = certificates
    ? "the machine has host certificates only, which cannot be checked here"
    : peer.offer !== undefined && !sameKeys
      ? `the machine signs with ${tail(stripControl(theirs.join(", ")), 1, 200)} only, of which none is taken here`
      : withoutStrict
        ? `the machine has no strict key exchange, and offers nothing that is safe without it (CVE-2023-48795): ${error.message}`
        : error.message;
  return new AttemptFailed("no-agreement", why, error);
}

/** All that was tried for a name with several addresses comes as one error without a message. */
function cleanMessage(error: Error): string {
  const several = error instanceof AggregateError ? error.errors.map(messageOf).join(", ") : "";
  return tail(stripControl(messageOf(error) || several), 5, 400);
}
