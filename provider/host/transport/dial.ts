import { formatDuration } from "../../duration";
import { SlipwayError, isSlipwayError, messageOf } from "../../errors";
import { retry } from "../../retry";
import { isAttemptEnd } from "./attempt-failed";
import { targetOf } from "../connection";
import { credentialsOf } from "../login/credentials";
import type { DialContext } from "./dial-context";
import type { HostKeyDemand } from "../host-key/host-key";
import type { Dialled } from "./dial-once";
import { attemptEachOffer } from "./offers";
import type { Route } from "../ssh-config/route";
import type { Transport } from "./transport";

const DEFAULT_ATTEMPTS = 10;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Connects and logs in. What the network does is tried again; host keys and logins never are. `findBastion` gives the live
 * connection to go through, for each attempt.
 * @throws SlipwayError dial-failed, handshake-failed, forwarding-refused, authentication-failed, host-key-unknown,
 * host-key-mismatch, host-key-revoked, invalid-input
 */
export async function dial(
  connection: Route,
  demand: HostKeyDemand,
  findBastion: () => Promise<Transport | undefined>,
  context: DialContext,
): Promise<Dialled> {
  const { clock, log, signal } = context;
  const target = targetOf(connection);
  const credentials = await credentialsOf(connection);
  const started = clock.now();
  const limit = connection.dialErrorLimit ?? DEFAULT_ATTEMPTS;
  // named as in @pulumi/command, where it counts the failures allowed and not the attempts; -1 means no limit in both
  const attempts = limit < 0 ? Number.POSITIVE_INFINITY : Math.max(1, limit);
  let tried = 0;
  try {
    return await retry(
      { attempts, firstPauseMs: FIRST_PAUSE_MS, longestPauseMs: LONGEST_PAUSE_MS },
      {
        ...context,
        isTransient: (error) =>
          !signal.aborted && !isSlipwayError(error) && !isAttemptEnd(error, "no-agreement", "login-cut"),
        onRetry: (error, attempt, pauseMs) => {
          log.progress(`connecting to ${target} (attempt ${attempt + 1}): ${messageOf(error)}`);
          log.debug(
            `ssh ${target}: attempt ${attempt} failed: ${messageOf(error)}; next in ${formatDuration(pauseMs)}`,
          );
        },
      },
      (n) => {
        tried = n;
        return attemptEachOffer({ connection, credentials, demand }, findBastion, context);
      },
    );
  } catch (error) {
    if (isSlipwayError(error) || signal.aborted) throw error;
    const after = `after ${formatDuration(clock.now() - started)}, ${tried} ${tried === 1 ? "attempt" : "attempts"}`;
    throw dialError(target, error, after);
  }
}

function dialError(target: string, cause: unknown, after: string): SlipwayError {
  const parts = { what: "reaching sshd", host: target, why: messageOf(cause), after, cause };
  if (isAttemptEnd(cause, "no-agreement")) {
    return new SlipwayError({
      ...parts,
      code: "handshake-failed",
      what: "agreeing with sshd on how to talk",
      left: "Nobody was logged in",
      next: "Update the machine's SSH server, or allow it newer algorithms",
    });
  }
  const next = isAttemptEnd(cause, "login-cut")
    ? "Look into the machine's sshd log; a login is tried once and will not be tried again by itself"
    : isAttemptEnd(cause, "on-the-way")
      ? "Check that the bastion is up, stays up, and opens connections"
      : "Check that the machine is up and that its SSH port can be reached from here";
  return new SlipwayError({ ...parts, code: "dial-failed", next });
}
