import { SlipwayError } from "../../errors";
import { assertOutcomeKnown } from "../../host/known-outcome";
import type { HostSession } from "../../host/session";
import { stripControl, tail } from "../../secret";
import { DAEMON_CONFIG_PATH, type DaemonConfig, formatDaemonConfig } from "../daemon/config";
import { compareVersions } from "../packages/version";

/** The first engine that can judge a daemon.json without starting. */
const VALIDATES_SINCE = "23.0.0";

/**
 * Has the engine that is installed judge a daemon.json, where its version can. Changes nothing; `left` is what stands when it is
 * refused.
 * @throws SlipwayError daemon-config-invalid
 */
export async function refuseInvalidConfig(
  config: DaemonConfig,
  session: HostSession,
  left: string,
  signal: AbortSignal,
): Promise<void> {
  if (!(await canValidate(session, signal))) return;
  const argv = ["dockerd", "--validate", "--config-file", "/dev/stdin"];
  const outcome = await session.exec(argv, { sudo: true, stdin: formatDaemonConfig(config), signal });
  assertOutcomeKnown(outcome, session.target, `checking ${DAEMON_CONFIG_PATH}`);
  if (outcome.kind === "exited" && outcome.code === 0) return;
  throw new SlipwayError({
    code: "daemon-config-invalid",
    what: `checking ${DAEMON_CONFIG_PATH}`,
    host: session.target,
    why: "the engine does not accept it",
    left,
    next: "Put daemonConfig right",
    evidence: session.redact(stripControl(tail(outcome.stderr))),
  });
}

async function canValidate(session: HostSession, signal: AbortSignal): Promise<boolean> {
  const outcome = await session.exec(["dockerd", "--version"], { signal });
  assertOutcomeKnown(outcome, session.target, "asking dockerd for its version");
  const version = /\d+\.\d+\.\d+/.exec(outcome.stdout)?.[0];
  return version !== undefined && compareVersions(version, VALIDATES_SINCE) >= 0;
}
