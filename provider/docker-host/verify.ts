import type Docker from "dockerode";
import { engineStatus } from "../container/engine-status";
import { formatDuration } from "../duration";
import { SlipwayError } from "../errors";
import { withTimeLimit } from "../health/time-limit";
import type { ExecuteContext } from "./execute-context";
import type { RunningDaemon } from "./observed";
import { observeDaemon } from "./daemon-answer";
import { satisfies, upstreamOf } from "./version";

const ANSWER_MS = 60_000;
const REVIVE_MS = 60_000;
const POLL_MS = 250;

type VerifyContext = Pick<ExecuteContext, "session" | "clock" | "signal">;

/** @throws SlipwayError engine-unreachable when the API does not answer within a minute */
export async function waitForDaemon(context: VerifyContext): Promise<void> {
  await answeringDaemon(context);
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
    next: "See with `systemctl cat docker` on the host which dockerd its unit starts",
  });
}

/**
 * Waits until each of these containers runs again, and starts those that the daemon did not. One that is gone (`--rm`)
 * is said.
 * @throws SlipwayError unhealthy
 */
export async function reviveContainers(
  ids: readonly string[],
  { session, clock, signal, log }: VerifyContext & Pick<ExecuteContext, "log">,
): Promise<void> {
  let waiting = ids;
  const revived = await withTimeLimit({ timeoutMs: REVIVE_MS, clock, signal }, async (abortSignal) => {
    const docker = await session.docker(abortSignal);
    while (waiting.length > 0) {
      waiting = await stillDown(waiting, docker, abortSignal, (id) => {
        const short = id.slice(0, 12);
        log.warn(`container ${short} on ${session.target} is gone: it was removed when Docker stopped it`);
      });
      if (waiting.length > 0) await clock.sleep(POLL_MS, abortSignal);
    }
  });
  if (revived.kind === "late") throw notRunning(session.target, waiting);
}

/** Those that do not run, each of them told to start. */
async function stillDown(
  ids: readonly string[],
  docker: Docker,
  abortSignal: AbortSignal,
  onGone: (id: string) => void,
): Promise<readonly string[]> {
  const still: string[] = [];
  for (const id of ids) {
    const container = docker.getContainer(id);
    try {
      if ((await container.inspect({ abortSignal })).State.Running) continue;
      still.push(id);
      await container.start({ abortSignal });
    } catch (error) {
      const status = engineStatus(error);
      if (status === undefined) throw error;
      if (status === 404) onGone(id);
      // started meanwhile, or it cannot be: the next look tells
    }
  }
  return still;
}

async function answeringDaemon({ session, clock, signal }: VerifyContext): Promise<RunningDaemon> {
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
    next: "Look at `journalctl -u docker` on the host",
  });
}

function notRunning(host: string, ids: readonly string[]): SlipwayError {
  return new SlipwayError({
    code: "unhealthy",
    what: "restarting the Docker daemon",
    host,
    why: `${ids.length} containers that ran before do not run again: ${ids.map((id) => id.slice(0, 12)).join(", ")}`,
    after: `after ${formatDuration(REVIVE_MS)}`,
    next: "Look at `docker ps -a` and their logs on the host",
  });
}
