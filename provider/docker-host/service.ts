import { formatDuration } from "../duration";
import { SlipwayError } from "../errors";
import { assertOutcomeKnown } from "../host/known-outcome";
import type { HostSession } from "../host/session";
import { stripControl, tail } from "../secret";
import { type DaemonConfig, DAEMON_CONFIG_PATH, formatDaemonConfig } from "./daemon-config";
import type { ExecuteContext } from "./execute-context";
import type { Fallback } from "./operation";
import { waitForDaemon } from "./verify";
import { compareVersions } from "./version";

const CANDIDATE_PATH = `${DAEMON_CONFIG_PATH}.slipway-new`;
const SERVICE = "docker.service";
const START_MS = 180_000;
/** The first engine that can judge a daemon.json without starting. */
const VALIDATES_SINCE = "23.0.0";

type ServiceContext = Pick<ExecuteContext, "session" | "clock" | "signal">;

/**
 * Puts a new daemon.json in place, after the engine itself (where its version can) has judged it.
 * @throws SlipwayError daemon-config-invalid: the old file is still there
 */
export async function applyDaemonConfig(
  config: DaemonConfig,
  { session, signal }: ServiceContext,
): Promise<void> {
  const text = formatDaemonConfig(config);
  await session.run(["mkdir", "-p", "--", "/etc/docker"], { sudo: true, signal });
  if (await canValidate(session, signal)) {
    await session.writeFile(CANDIDATE_PATH, text, { mode: 0o600, sudo: true });
    try {
      const argv = ["dockerd", "--validate", "--config-file", CANDIDATE_PATH];
      const outcome = await session.exec(argv, { sudo: true, signal });
      assertOutcomeKnown(outcome, session.target, `checking ${DAEMON_CONFIG_PATH}`);
      if (outcome.kind !== "exited" || outcome.code !== 0) throw refused(session, outcome.stderr);
    } finally {
      await session.exec(["rm", "-f", "--", CANDIDATE_PATH], { sudo: true });
    }
  }
  await replaceConfig(text, session, signal);
}

/** Has the running daemon take over what it can without a restart. */
export async function reloadDaemon({ session, clock, signal }: ServiceContext): Promise<void> {
  await session.run(["systemctl", "reload", SERVICE], { sudo: true, signal });
  await waitForDaemon({ session, clock, signal });
}

/**
 * Starts or restarts the daemon, once, and waits until its API answers. The unit's start limit (3 in a minute) is
 * cleared before, and it starts at boot from now on.
 * @throws SlipwayError daemon-config-invalid (the old daemon.json is back, the daemon was started with it),
 * engine-install-failed
 */
export async function startDaemon(
  verb: "start" | "restart",
  { configBefore }: Fallback,
  context: ServiceContext,
): Promise<void> {
  const { session, signal } = context;
  await session.run(["systemctl", "enable", "--quiet", SERVICE], { sudo: true, signal });
  const failure = await trySystemctl(verb, context);
  if (failure === undefined) return waitForDaemon(context);
  if (configBefore === undefined)
    throw notStarted(session, "engine-install-failed", "It is not running", failure);
  await putBack(configBefore, context);
  const again = await trySystemctl("start", context);
  const left = `The former ${DAEMON_CONFIG_PATH} was put back, and the daemon ${again === undefined ? "runs with it" : "does not start with it either"}`;
  throw notStarted(session, "daemon-config-invalid", left, failure);
}

/** The last lines of the unit's journal when it did not work. */
async function trySystemctl(
  verb: "start" | "restart",
  { session, signal }: ServiceContext,
): Promise<string | undefined> {
  // units that never failed or do not exist are none of our business: the answer is not looked at
  await session.exec(["systemctl", "reset-failed", SERVICE, "docker.socket", "containerd.service"], {
    sudo: true,
    signal,
  });
  const outcome = await session.exec(["systemctl", verb, SERVICE], {
    sudo: true,
    timeoutMs: START_MS,
    signal,
  });
  assertOutcomeKnown(outcome, session.target, `systemctl ${verb} ${SERVICE}`);
  if (outcome.kind === "exited" && outcome.code === 0) return undefined;
  const journal = await session.exec(["journalctl", "-u", SERVICE, "-n", "20", "--no-pager", "-o", "cat"], {
    sudo: true,
    signal,
  });
  return session.redact(stripControl(tail(`${outcome.stderr}\n${journal.stdout}`)));
}

async function putBack(text: string, { session, signal }: ServiceContext): Promise<void> {
  if (text === "") await session.run(["rm", "-f", "--", DAEMON_CONFIG_PATH], { sudo: true, signal });
  else await replaceConfig(text, session, signal);
}

/** Whoever closed the file to others (it may hold a proxy's password) finds it closed afterwards. */
async function replaceConfig(text: string, session: HostSession, signal: AbortSignal): Promise<void> {
  const outcome = await session.exec(["stat", "-c", "%a", "--", DAEMON_CONFIG_PATH], { sudo: true, signal });
  assertOutcomeKnown(outcome, session.target, `reading the mode of ${DAEMON_CONFIG_PATH}`);
  const isThere = outcome.kind === "exited" && outcome.code === 0;
  const mode = isThere ? Number.parseInt(outcome.stdout.trim(), 8) : 0o644;
  await session.writeFile(DAEMON_CONFIG_PATH, text, { mode, sudo: true });
}

async function canValidate(session: HostSession, signal: AbortSignal): Promise<boolean> {
  const outcome = await session.exec(["dockerd", "--version"], { signal });
  assertOutcomeKnown(outcome, session.target, "asking dockerd for its version");
  const version = /\d+\.\d+\.\d+/.exec(outcome.stdout)?.[0];
  return version !== undefined && compareVersions(version, VALIDATES_SINCE) >= 0;
}

function refused(session: HostSession, words: string): SlipwayError {
  return new SlipwayError({
    code: "daemon-config-invalid",
    what: `checking ${DAEMON_CONFIG_PATH}`,
    host: session.target,
    why: "the engine does not accept it",
    left: "The former file is still in place",
    next: "Put daemonConfig right",
    evidence: session.redact(stripControl(tail(words))),
  });
}

function notStarted(
  session: HostSession,
  code: "daemon-config-invalid" | "engine-install-failed",
  left: string,
  evidence: string,
): SlipwayError {
  return new SlipwayError({
    code,
    what: "starting the Docker daemon",
    host: session.target,
    why: "systemd could not start it",
    after: `limit ${formatDuration(START_MS)}`,
    left,
    next: code === "daemon-config-invalid" ? "Put daemonConfig right" : "Its last lines are below",
    evidence,
  });
}
