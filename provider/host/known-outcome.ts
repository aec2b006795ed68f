import { SlipwayError } from "../errors";
import type { CommandOutcome } from "./session";

/**
 * For callers of `exec` to whom a failure says something: a command whose end nobody heard has neither failed nor worked.
 * @throws SlipwayError connection-lost
 */
export function assertOutcomeKnown(
  outcome: CommandOutcome,
  target: string,
  what: string,
): asserts outcome is Exclude<CommandOutcome, { readonly kind: "lost" }> {
  if (outcome.kind !== "lost") return;
  throw new SlipwayError({
    code: "connection-lost",
    what,
    host: target,
    why: "the connection closed before it ended, so its outcome is unknown",
    next: "The next run looks at the machine again and goes on from there",
  });
}
