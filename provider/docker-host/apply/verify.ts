import { formatDuration } from "../../duration";
import { SlipwayError } from "../../errors";
import { withTimeLimit } from "../../health/time-limit";
import { assertOutcomeKnown } from "../../host/known-outcome";
import type { DaemonConfig } from "../daemon/config";
import { keysNotInForce, keysNotTold } from "../daemon/settings";
import type { ExecuteContext } from "./execute-context";
import type { Command } from "../init/init-system";
import type { RunningDaemon } from "../look/observed";
import { observeDaemon } from "../look/daemon-answer";
import { satisfies, upstreamOf } from "../packages/version";

const ANSWER_MS = 60_000;
const RELOAD_MS = 15_000;
const POLL_MS = 250;
const ENDED_LOOKS = 6;

type VerifyContext = Pick<ExecuteContext, "session" | "init" | "clock" | "signal">;

/** @throws SlipwayError engine-unreachable when the API does not answer within a minute */
export function waitForDaemon(context: VerifyContext): Promise<RunningDaemon> {
  return answeringDaemon(context);
}

/** @throws SlipwayError engine-version-wrong when another version runs than was wanted */
export async function verifyVersion(wanted: string, context: VerifyContext): Promise<void> {
  const { version } = await answeringDaemon(context);
  if (satisfies(version, wanted)) return;
  throw new SlipwayError({
    code: "engine-version-wrong",
    what: "verifying the Docker version",
    host: context.session.target,
    why: `${upstreamOf(version) ?? version} runs, ${wanted} was to run`,
    left: `Docker ${version} is running there`,
    next: `See on the host which dockerd is started (${context.init.definition})`,
  });
}

/** What the daemon has of a configuration that it was told to take over. */
export interface TakenOver {
  /** Keys that are not in force. */
  readonly missing: readonly string[];
  /** Keys of which it says nothing. */
  readonly untold: readonly string[];
}

/** Waits until the daemon has taken this over; a reload is a signal, which it comes to when it can. */
export async function takenOver(config: DaemonConfig, context: VerifyContext): Promise<TakenOver> {
  const { session, init, clock, signal } = context;
  let missing: readonly string[] = Object.keys(config);
  let untold: readonly string[] = [];
  await withTimeLimit({ timeoutMs: RELOAD_MS, clock, signal }, async (inner) => {
    for (;;) {
      const { settings } = await answeringDaemon({ session, init, clock, signal: inner });
      missing = keysNotInForce(config, settings);
      untold = keysNotTold(config, settings);
      if (missing.length === 0) return;
      await clock.sleep(POLL_MS, inner);
    }
  });
  return { missing, untold };
}

/**
 * Whether a daemon that was only set going comes to answer. It has ended when its service says so for a while: right after the
 * start there is no process yet.
 */
export async function comesUp(status: Command, { session, clock, signal }: VerifyContext): Promise<boolean> {
  const waited = await withTimeLimit({ timeoutMs: ANSWER_MS, clock, signal }, async (inner) => {
    for (let ended = 0; ended < ENDED_LOOKS; ) {
      await session.facts({ fresh: true, signal: inner });
      const answer = await observeDaemon(session, { clock, signal: inner });
      if (answer.kind === "answered") return true;
      const outcome = await session.exec(status, { sudo: true, signal: inner });
      assertOutcomeKnown(outcome, session.target, status.join(" "));
      ended = outcome.kind === "exited" && outcome.code === 0 ? 0 : ended + 1;
      await clock.sleep(POLL_MS, inner);
    }
    return false;
  });
  return waited.kind === "done" && waited.value;
}

async function answeringDaemon({ session, init, clock, signal }: VerifyContext): Promise<RunningDaemon> {
  const waited = await withTimeLimit({ timeoutMs: ANSWER_MS, clock, signal }, async (inner) => {
    for (;;) {
      // who may open the socket is among the facts, and has just changed
      await session.facts({ fresh: true, signal: inner });
      const answer = await observeDaemon(session, { clock, signal: inner });
      if (answer.kind === "answered") return answer.daemon;
      await clock.sleep(POLL_MS, inner);
    }
  });
  if (waited.kind === "done") return waited.value;
  throw new SlipwayError({
    code: "engine-unreachable",
    what: "waiting for the Docker daemon",
    host: session.target,
    why: "its API does not answer",
    after: `after ${formatDuration(ANSWER_MS)}`,
    next: `Look at ${init.log} on the host`,
  });
}
