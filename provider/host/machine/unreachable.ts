import { isSlipwayError, withAdvice } from "../../errors";
import { isAttemptEnd } from "../transport/attempt-failed";

/** True for what `abandonUnreachable` speaks of, and nothing else: the machine does not answer. */
export function isUnreachable(error: unknown): boolean {
  // one that cuts the line at the login is there; a bastion that does not answer says nothing of what lies behind it
  return isSlipwayError(error, "dial-failed") && !isAttemptEnd(error.cause, "login-cut", "on-the-way");
}

/** The failure to reach a host that the program took out, with what the program can say to that. */
export function withAbandonHint(error: unknown): unknown {
  if (!isSlipwayError(error) || !isUnreachable(error)) return error;
  return withAdvice(
    error,
    "The program does not name this host any more: if it is gone for good, set abandonUnreachable: true",
  );
}

/** Work on a host that is given up. */
export interface LastWork {
  readonly abandonUnreachable: boolean;
  /** Says that the host was left as it is. */
  readonly say: (why: string) => void;
}

/**
 * Does the last work on a host; one that does not answer is left as it is where the program said so.
 * @throws what failed otherwise: a wrong key, a refused login and a changed host key are no dead machines
 */
export async function orAbandoned(
  { abandonUnreachable, say }: LastWork,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!abandonUnreachable || !isSlipwayError(error) || !isUnreachable(error)) throw error;
    say(error.parts.why);
  }
}
