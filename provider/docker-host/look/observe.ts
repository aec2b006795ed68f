import { formatDuration } from "../../duration";
import { SlipwayError } from "../../errors";
import type { HandlerContext } from "../../handler";
import { assertOutcomeKnown } from "../../host/known-outcome";
import type { HostSession } from "../../host/session";
import { stripControl, tail } from "../../secret";
import { observeDaemon, parseDaemon } from "./daemon-answer";
import { parseDaemonConfig } from "../daemon/config";
import type { Desired } from "../wish/desired";
import { INIT_SYSTEMS, initOf } from "../init/init-of";
import { type Look, parseLook } from "./look";
import { withLogPlugins } from "./log-drivers";
import { ANSWER_S, lookScript } from "./look-script";
import type { ForeignEngine, ObservedEngine, RunningDaemon } from "./observed";
import { FAMILIES, familyOf } from "../packages/families";
import { followersOf, repositoryAddress } from "../packages/source";
import type { EngineWish } from "../wish/wish";

/** The look at a machine of any family. */
export const LOOK = lookScript(FAMILIES, INIT_SYSTEMS);
/** The script itself, beside a daemon that is asked for as long as it may take. */
const LOOK_MS = (ANSWER_S + 60) * 1_000;

/** What is wanted of a machine in the words of its package manager, and what it is. */
export interface Seen {
  readonly desired: Desired;
  readonly observed: ObservedEngine;
}

/**
 * One look at the machine: facts, packages, daemon.json, and the running daemon by its own API. One command, with root's
 * rights only where something is closed to the user.
 * @throws SlipwayError host-unsupported; engine-unreachable when the daemon takes calls and does not answer them: whether
 * containers run under it cannot be known then
 */
export async function observe(
  session: HostSession,
  wish: EngineWish,
  former: Desired["former"],
  context: Pick<HandlerContext, "clock" | "signal">,
): Promise<Seen> {
  const users = [...new Set([...wish.dockerUsers, ...(former?.dockerUsers ?? [])])];
  const look = await lookOnce(session, [repositoryAddress(wish.source) ?? "", ...users], context.signal);
  const family = familyOf(session.target, look.facts, wish.source);
  const names = family.names(wish.source, look.facts);
  const desired: Desired = {
    wish,
    names,
    followers: followersOf(names),
    dependencies: family.dependencies(wish.source),
    repository: family.repository(wish.source, look.facts),
    former,
  };
  const answered = look.active ? await daemonOf(session, look, context) : undefined;
  const logDriver = wish.daemonConfig["log-driver"];
  const daemon = answered && (await withLogPlugins(answered, logDriver, session, context.signal));
  const observed: ObservedEngine = {
    target: session.target,
    facts: look.facts,
    packages: look.packages,
    daemonConfigText: look.daemonConfig,
    daemonConfig: parseDaemonConfig(look.daemonConfig),
    daemon,
    unheard: look.active && daemon === undefined,
    outlived: look.outlived,
    enabled: look.enabled,
    masked: look.masked,
    restartRules: look.restartRules,
    foreign: foreignEngines(look, family.engines, desired),
    users: look.users,
    memory: look.memory,
    disk: look.disk,
  };
  return { desired, observed };
}

async function lookOnce(session: HostSession, args: readonly string[], signal: AbortSignal): Promise<Look> {
  const look = await runLook(session, args, false, signal);
  // a daemon.json that is closed to others would look as if there were none
  if (look.closed.length === 0) return look;
  const { sudo } = await session.facts({ signal });
  return sudo === "none" ? look : { ...(await runLook(session, args, true, signal)), facts: look.facts };
}

async function runLook(
  session: HostSession,
  args: readonly string[],
  sudo: boolean,
  signal: AbortSignal,
): Promise<Look> {
  const outcome = await session.script(LOOK, args, { sudo, timeoutMs: LOOK_MS, signal });
  assertOutcomeKnown(outcome, session.target, "looking at Docker");
  const look = outcome.kind === "exited" ? parseLook(outcome.stdout) : undefined;
  if (look !== undefined) return look;
  throw new SlipwayError({
    code: "command-failed",
    what: "looking at Docker",
    host: session.target,
    why: outcome.kind === "killed" ? `it was ended by ${outcome.signal}` : "its answer was cut off",
    left: "Nothing was changed on the host",
    evidence: session.redact(stripControl(tail(outcome.stderr))),
  });
}

/** By the look, else by the API itself, which tells a daemon that is silent from one that is not there. */
async function daemonOf(
  session: HostSession,
  { engine, facts }: Look,
  context: Pick<HandlerContext, "clock" | "signal">,
): Promise<RunningDaemon | undefined> {
  const heard = engine === undefined ? undefined : parseDaemon(engine);
  if (heard !== undefined) return heard;
  const answer = await observeDaemon(session, context);
  if (answer.kind === "answered") return answer.daemon;
  if (answer.kind === "unreachable") return undefined;
  const { log, restart } = initOf(session.target, facts);
  throw new SlipwayError({
    code: "engine-unreachable",
    what: "asking the Docker daemon for its version",
    host: session.target,
    why: "it takes the call and does not answer",
    after: `after ${formatDuration(ANSWER_S * 1_000)}`,
    next: `Look at ${log} on the host; \`${restart.join(" ")}\` there starts it anew`,
  });
}

function foreignEngines(look: Look, engines: readonly string[], desired: Desired): readonly ForeignEngine[] {
  const names = Object.keys(look.packages.installed);
  const packages = engines.filter((name) => names.includes(name) && !desired.names.includes(name));
  const found: ForeignEngine[] = [];
  if (look.snap !== undefined) found.push({ kind: "snap", store: look.snap });
  if (packages.length > 0) found.push({ kind: "packages", names: packages });
  if (look.unpackaged !== undefined) found.push({ kind: "unpackaged", path: look.unpackaged });
  // one that somebody starts beside ours later on is none of our business
  if (look.rootless.length > 0 && desired.former === undefined)
    found.push({ kind: "rootless", users: look.rootless });
  return found;
}
