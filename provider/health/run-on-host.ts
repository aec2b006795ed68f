import { SlipwayError } from "../errors";
import type { CommandOutcome, HostSession } from "../host/session";
import type { ProbeOptions } from "./probe-options";

const NOT_FOUND = 127;

/**
 * Runs the first of these commands that the host has; undefined when it has none of them.
 * @throws SlipwayError `connection-lost` when the outcome is unknown
 */
export async function runOnHost(
  session: HostSession,
  commands: readonly (readonly string[])[],
  options: Pick<ProbeOptions, "signal" | "timeoutMs">,
): Promise<Extract<CommandOutcome, { kind: "exited" }> | undefined> {
  for (const argv of commands) {
    // the probe's own limit comes first; this one only ends the channel
    const outcome = await session.exec(argv, {
      timeoutMs: options.timeoutMs + 1_000,
      signal: options.signal,
    });
    if (outcome.kind !== "exited") throw unknownOutcome(session, argv, outcome);
    if (outcome.code !== NOT_FOUND) return outcome;
  }
  return undefined;
}

function unknownOutcome(
  session: HostSession,
  argv: readonly string[],
  outcome: CommandOutcome,
): SlipwayError {
  const why = outcome.kind === "killed" ? `was killed by ${outcome.signal}` : "the connection was lost";
  return new SlipwayError({
    code: outcome.kind === "killed" ? "command-failed" : "connection-lost",
    what: `probing with ${argv[0] ?? ""}`,
    host: session.target,
    why,
  });
}
