import { formatDuration } from "../../duration";
import { SlipwayError } from "../../errors";
import type { CommandOutcome, HostSession } from "../../host/session";
import { stripControl, tail } from "../../secret";

/** How long another package manager's lock is waited for. */
export const LOCK_WAIT_S = 300;
/** A slow line, or five minutes of waiting for somebody else's package manager. */
export const INSTALL_MS = 1_500_000;
/** Limit for reading the package lists anew. */
export const REFRESH_MS = 600_000;

const LOCK_PATIENCE = `another package manager's lock is waited for up to ${formatDuration(LOCK_WAIT_S * 1_000)}`;

/** A package manager's command that did not end well, with its last lines. */
export function packageFailure(session: HostSession, what: string, outcome: CommandOutcome): SlipwayError {
  const evidence = session.redact(stripControl(tail(`${outcome.stdout}\n${outcome.stderr}`)));
  const host = session.target;
  switch (outcome.kind) {
    case "lost":
      return new SlipwayError({
        code: "connection-lost",
        what,
        host,
        why: "the connection was lost, the outcome is unknown",
        next: "Run pulumi up again: it looks at the host anew and finishes what was begun",
        evidence,
      });
    case "killed":
      return new SlipwayError({
        code: "engine-install-failed",
        what,
        host,
        why: `it was ended by ${outcome.signal}`,
        next: "Run pulumi up again: an interrupted installation is repaired first",
        evidence,
      });
    case "exited":
      return new SlipwayError({
        code: "engine-install-failed",
        what,
        host,
        why: `the package manager ended with exit code ${outcome.code}`,
        after: LOCK_PATIENCE,
        evidence,
      });
  }
}

/** @throws SlipwayError engine-install-failed, connection-lost */
export function refusePackageFailure(session: HostSession, what: string, outcome: CommandOutcome): void {
  if (outcome.kind !== "exited" || outcome.code !== 0) throw packageFailure(session, what, outcome);
}
