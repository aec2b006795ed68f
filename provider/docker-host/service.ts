import { formatDuration } from "../duration";
import { SlipwayError } from "../errors";
import { assertOutcomeKnown } from "../host/known-outcome";
import type { HostSession } from "../host/session";
import { stripControl, tail } from "../secret";
import { DAEMON_CONFIG_PATH } from "./daemon-config";
import { putConfigBack } from "./daemon-config-file";
import type { ExecuteContext } from "./execute-context";
import type { InitSystem } from "./init/init-system";
import type { Operation } from "./operation";
import { RESTART } from "./restart-program";
import { comesUp, hasLiveRestore, waitForDaemon } from "./verify";

const START_MS = 180_000;

/** How the daemon is started, beside the verb. */
type Manner = Pick<Extract<Operation, { kind: "restart" }>, "configBefore" | "outlived">;
type Reload = Extract<Operation, { kind: "reload" }>;
type ServiceContext = Pick<ExecuteContext, "session" | "init" | "clock" | "signal">;

/**
 * Has the running daemon take over what it can without a restart.
 * @throws SlipwayError daemon-config-invalid when live restore was to come of it and did not: a flag of the unit says otherwise, or
 * names another file. The old daemon.json is back then, for with this one the daemon may not start again
 */
export async function reloadDaemon(
  { liveRestore = false, configBefore }: Pick<Reload, "liveRestore" | "configBefore">,
  context: ServiceContext,
): Promise<void> {
  const { session, init, signal } = context;
  await session.run(init.reload, { sudo: true, signal });
  if (!liveRestore) return waitForDaemon(context);
  if (await hasLiveRestore(context)) return;
  if (configBefore !== undefined) await putConfigBack(configBefore, context);
  throw new SlipwayError({
    code: "daemon-config-invalid",
    what: "switching live restore on",
    host: session.target,
    why: "the daemon did not take it over, and its containers would end with its restart",
    left: `The former ${DAEMON_CONFIG_PATH} was put back, the daemon and its containers go on running`,
    next: `See on the host which flags and which file the daemon is started with (${init.definition}), or set liveRestore: false`,
  });
}

/**
 * Starts or restarts the daemon, once, and waits until its API answers. The init system's count of failures (systemd's
 * start limit is 3 in a minute) is cleared before, and it starts at boot from now on.
 * @throws SlipwayError daemon-config-invalid (the old daemon.json is back, the daemon was started with it),
 * engine-install-failed (also where it does not start with the old one either)
 */
export async function startDaemon(
  verb: "start" | "restart" | "restartWithRuntime",
  { configBefore, outlived = false }: Manner,
  context: ServiceContext,
): Promise<void> {
  const { session, init, signal } = context;
  for (const argv of init.enable) await session.run(argv, { sudo: true, signal });
  const failure = await tryTo(verb, outlived, context);
  if (failure === undefined) return waitForDaemon(context);
  if (configBefore === undefined)
    throw notStarted(session, init, "engine-install-failed", "It is not running", failure);
  await putConfigBack(configBefore, context);
  const again = await tryTo("start", false, context);
  const left = `The former ${DAEMON_CONFIG_PATH} was put back, and the daemon ${again === undefined ? "runs with it" : "does not start with it either"}`;
  throw notStarted(
    session,
    init,
    again === undefined ? "daemon-config-invalid" : "engine-install-failed",
    left,
    failure,
  );
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
