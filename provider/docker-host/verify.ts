import { formatDuration } from "../duration";
import { SlipwayError } from "../errors";
import { withTimeLimit } from "../health/time-limit";
import type { ExecuteContext } from "./execute-context";
import type { RunningDaemon } from "./observed";
import { observeDaemon } from "./daemon-answer";
import { satisfies, upstreamOf } from "./version";

const ANSWER_MS = 60_000;
const RELOAD_MS = 15_000;
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

/** Whether the daemon comes to have live restore on; a reload is a signal, which it comes to when it can. */
export async function hasLiveRestore(context: VerifyContext): Promise<boolean> {
  const { session, clock, signal } = context;
  const waited = await withTimeLimit({ timeoutMs: RELOAD_MS, clock, signal }, async (inner) => {
    for (;;) {
      const { summary } = await answeringDaemon({ session, clock, signal: inner });
      if (summary.liveRestore) return;
      await clock.sleep(POLL_MS, inner);
    }
  });
  return waited.kind === "done";
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
