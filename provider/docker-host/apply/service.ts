import { formatDuration } from "../../duration";
import { isSlipwayError, SlipwayError } from "../../errors";
import { assertOutcomeKnown } from "../../host/known-outcome";
import type { HostSession } from "../../host/session";
import { stripControl, tail } from "../../secret";
import { DAEMON_CONFIG_PATH } from "../daemon/config";
import { putConfigBack } from "./config-file";
import type { ExecuteContext } from "./execute-context";
import type { InitSystem } from "../init/init-system";
import { hasLogDriver, noLogDriver } from "../daemon/log-driver";
import { withLogPlugins } from "../look/log-drivers";
import type { RunningDaemon } from "../look/observed";
import { upstreamOf } from "../packages/version";
import type { Fallback, Operation } from "../plan/operation";
import { RESTART } from "../daemon/restart-program";
import { CLEAR_RESTART } from "../daemon/restart-rules";
import { reviveContainers } from "./revive";
import { comesUp, takenOver, waitForDaemon } from "./verify";

const START_MS = 180_000;

/** How the daemon is started, beside the verb. */
type Manner = Pick<Extract<Operation, { kind: "restart" }>, keyof Fallback | "outlived">;
type Reload = Extract<Operation, { kind: "reload" }>;
type ServiceContext = Pick<ExecuteContext, "session" | "init" | "clock" | "signal" | "log">;

/**
 * Has the running daemon take over what it can without a restart, and asks it whether it did; `restart` is what may be done where
 * it did not.
 * @throws SlipwayError daemon-config-invalid when something is not in force: a flag of the unit says otherwise, or names another
 * file. A daemon.json that is new is not there any more then, for with it the daemon may not start again
 */
export async function reloadDaemon(
  { expected, configBefore }: Pick<Reload, "expected" | "configBefore">,
  context: ServiceContext,
  restart?: () => Promise<void>,
): Promise<void> {
  const { session, init, signal, log } = context;
  await session.run(init.reload, { sudo: true, signal });
  let { missing, untold } = await takenOver(expected, context);
  if (missing.length > 0 && restart !== undefined) {
    await restart();
    ({ missing, untold } = await takenOver(expected, context));
  }
  if (missing.length === 0) {
    if (untold.length > 0)
      log.keep(
        `${untold.join(", ")}: the daemon on ${session.target} was told, and does not say what it has`,
      );
    return;
  }
  if (configBefore !== undefined) {
    await putConfigBack(configBefore, context);
    // what it did take over goes back, too
    await session.exec(init.reload, { sudo: true, signal });
  }
  throw notTakenOver(session, init, missing, configBefore !== undefined, restart === undefined);
}

function notTakenOver(
  session: HostSession,
  init: InitSystem,
  missing: readonly string[],
  isPutBack: boolean,
  isRestartForbidden: boolean,
): SlipwayError {
  const hasLiveRestore = !missing.includes("live-restore");
  const see = `See on the host which flags and which file the daemon is started with (${init.definition})`;
  return new SlipwayError({
    code: "daemon-config-invalid",
    what: `having the Docker daemon take over ${missing.join(", ")}`,
    host: session.target,
    why: `it was told to, and goes on without${hasLiveRestore ? "" : "; its containers would end with a restart"}`,
    left: `${isPutBack ? `The former ${DAEMON_CONFIG_PATH} was put back` : `${DAEMON_CONFIG_PATH} says so already`}, the daemon and its containers go on running`,
    next: isRestartForbidden
      ? `${see}, or ${hasLiveRestore ? "" : "stop its containers and "}set allowDaemonRestart: true for a daemon that takes it over at its start alone`
      : see,
  });
}

/**
 * Starts or restarts the daemon, once, and waits until its API answers. The init system's count of failures (systemd's
 * start limit is 3 in a minute) is cleared before, and it starts at boot from now on.
 * @throws SlipwayError daemon-config-invalid (the old daemon.json is back, the daemon and who ran were started with it),
 * engine-install-failed (also where it does not start with the old one either)
 */
export async function startDaemon(
  verb: "start" | "restart" | "restartWithRuntime",
  manner: Manner,
  context: ServiceContext,
): Promise<void> {
  const { configBefore, outlived = false, logDriver } = manner;
  const { session, init, signal } = context;
  for (const argv of init.enable) await session.run(argv, { sudo: true, signal });
  const failure = await tryTo(verb, outlived, context);
  if (failure === undefined) {
    const daemon = await waitForDaemon(context);
    return logDriver === undefined ? undefined : demandLogDriver(logDriver, daemon, manner, context);
  }
  if (configBefore === undefined)
    throw notStarted(session, init, "engine-install-failed", "It is not running", failure);
  await putConfigBack(configBefore, context);
  const again = await tryTo("start", false, context);
  const runs = again === undefined;
  const state = runs ? `runs with it${await reviveWith(manner, context)}` : "does not start with it either";
  throw notStarted(
    session,
    init,
    runs ? "daemon-config-invalid" : "engine-install-failed",
    `The former ${DAEMON_CONFIG_PATH} was put back, and the daemon ${state}`,
    failure,
  );
}

/** Whom the end of the daemon took along, under the one that runs again; says who of them is not as before, beside the failure. */
async function reviveWith({ ranBefore }: Manner, context: ServiceContext): Promise<string> {
  if (ranBefore === undefined) return "";
  try {
    await waitForDaemon(context);
    await reviveContainers(ranBefore, context);
    return "";
  } catch (error) {
    if (!isSlipwayError(error, "unhealthy", "engine-unreachable")) throw error;
    return `; ${error.parts.why}`;
  }
}

/** Which log drivers there are only the daemon says that has them; one that starts no container is not left as it is. */
async function demandLogDriver(
  name: string,
  daemon: RunningDaemon,
  manner: Manner,
  context: ServiceContext,
): Promise<void> {
  const { configBefore, outlived = false } = manner;
  const { session, signal } = context;
  const { logDrivers } = await withLogPlugins(daemon, name, session, signal);
  if (logDrivers.length === 0 || hasLogDriver(logDrivers, name)) return;
  const runs = `Docker ${upstreamOf(daemon.version) ?? daemon.version} runs`;
  if (configBefore === undefined) throw noLogDriver(session.target, name, logDrivers, `${runs} with it`);
  await putConfigBack(configBefore, context);
  const again = await tryTo("restart", outlived, context);
  const left =
    again === undefined
      ? `${runs} with it${await reviveWith(manner, context)}`
      : "the daemon does not start with it";
  throw noLogDriver(
    session.target,
    name,
    logDrivers,
    `The former ${DAEMON_CONFIG_PATH} was put back, and ${left}`,
  );
}

/**
 * Takes off what a restart left that was killed, once it is not under way any more.
 * @throws SlipwayError command-failed, connection-lost
 */
export async function clearRestartRules({
  session,
  signal,
}: Pick<ServiceContext, "session" | "signal">): Promise<void> {
  const argv = ["/bin/sh", "-c", CLEAR_RESTART, "slipway-rules"];
  await session.run(argv, { sudo: true, timeoutMs: START_MS, signal });
}

/** The last lines of the daemon when it did not work. */
async function tryTo(
  verb: "start" | "restart" | "restartWithRuntime",
  outlived: boolean,
  context: ServiceContext,
): Promise<string | undefined> {
  const { session, init, signal } = context;
  // units that never failed or do not exist are none of our business: the answer is not looked at
  if (init.forgive !== undefined) await session.exec(init.forgive, { sudo: true, signal });
  const argv = init[verb];
  const how = { sudo: true, timeoutMs: START_MS, signal };
  const outcome = await (outlived ? session.script(RESTART, argv, how) : session.exec(argv, how));
  assertOutcomeKnown(outcome, session.target, argv.join(" "));
  if (outcome.kind === "exited" && outcome.code === 0) {
    if (init.status === undefined || (await comesUp(init.status, context))) return undefined;
  }
  const log = await session.exec(init.lastLines, { sudo: true, signal });
  return session.redact(stripControl(tail(`${outcome.stderr}\n${log.stdout}`)));
}

function notStarted(
  session: HostSession,
  init: InitSystem,
  code: "daemon-config-invalid" | "engine-install-failed",
  left: string,
  evidence: string,
): SlipwayError {
  return new SlipwayError({
    code,
    what: "starting the Docker daemon",
    host: session.target,
    why: `${init.title} could not start it`,
    after: `limit ${formatDuration(START_MS)}`,
    left,
    next: code === "daemon-config-invalid" ? "Put daemonConfig right" : "Its last lines are below",
    evidence,
  });
}
