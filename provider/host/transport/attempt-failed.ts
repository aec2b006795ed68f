/**
 * Why an attempt to connect ended before anybody was logged in:
 * - `transport`: the network or the machine; another attempt may go better.
 * - `on-the-way`: the bastion, or the line to it; it says nothing of the machine, and another attempt may go better.
 * - `no-agreement`: the two sides know no common way to talk.
 * - `needs-strict`: what was agreed on is safe only with strict key exchange, which the machine has not.
 * - `login-cut`: the line died after a credential had been sent, which is never sent twice.
 */
export type AttemptEnd = "transport" | "on-the-way" | "no-agreement" | "needs-strict" | "login-cut";

/** An attempt that ended before anybody was logged in. */
export class AttemptFailed extends Error {
  readonly end: AttemptEnd;

  constructor(end: AttemptEnd, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "AttemptFailed";
    this.end = end;
  }
}

/** True for an attempt that ended in one of these ways. */
export function isAttemptEnd(error: unknown, ...ends: readonly AttemptEnd[]): error is AttemptFailed {
  return error instanceof AttemptFailed && ends.includes(error.end);
}
