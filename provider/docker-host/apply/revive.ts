import type Docker from "dockerode";
import { engineStatus } from "../../container/engine-status";
import { formatDuration } from "../../duration";
import { SlipwayError } from "../../errors";
import { withTimeLimit } from "../../health/time-limit";
import type { RanBefore } from "../plan/operation";
import type { ExecuteContext } from "./execute-context";

const RUN_MS = 60_000;
/** Health begins anew with the daemon: a start period and some probes may pass. */
const HEALTH_MS = 180_000;
const POLL_MS = 250;

type Lack = "not running" | "unhealthy" | "starting";
/** Nobody waits for these. */
const OVER = {
  gone: "is gone: it was removed when Docker stopped it",
  ended: "ended by itself meanwhile, with exit code 0: it is not started again",
} as const;
type Over = keyof typeof OVER;
const isOver = (lack: Lack | Over | undefined): lack is Over => lack !== undefined && lack in OVER;
type ReviveContext = Pick<ExecuteContext, "session" | "clock" | "signal" | "log">;

/**
 * Waits until each of these containers runs again, and starts those that the daemon did not; who was healthy has to be so
 * again. One that is gone (`--rm`) is said, so is a job that came to its end by itself, which is not done twice, and one whose
 * health is not known in time (Docker 20.10 stops probing what outlived its daemon).
 * @throws SlipwayError unhealthy
 */
export async function reviveContainers(
  { containers, healthy, outlived }: RanBefore,
  { session, clock, signal, log }: ReviveContext,
): Promise<void> {
  let waiting: ReadonlyMap<string, Lack> = new Map(containers.map((id) => [id, "not running"]));
  const timeoutMs = healthy.length === 0 ? RUN_MS : HEALTH_MS;
  const revived = await withTimeLimit({ timeoutMs, clock, signal }, async (abortSignal) => {
    const docker = await session.docker(abortSignal);
    while (waiting.size > 0) {
      const lacks = await Promise.all(
        [...waiting.keys()].map(
          async (id) => [id, await lackOf(id, { healthy, outlived }, docker, abortSignal)] as const,
        ),
      );
      for (const [id, lack] of lacks) {
        if (isOver(lack)) log.warn(`container ${short(id)} on ${session.target} ${OVER[lack]}`);
      }
      waiting = new Map(
        lacks.flatMap(([id, lack]) => (lack === undefined || isOver(lack) ? [] : [[id, lack] as const])),
      );
      if (waiting.size > 0) await clock.sleep(POLL_MS, abortSignal);
    }
  });
  if (revived.kind === "done") return;
  const unwell = [...waiting].filter(([, lack]) => lack !== "starting");
  if (unwell.length > 0) throw notRevived(session.target, unwell, timeoutMs);
  const unknown = [...waiting.keys()].map(short).join(", ");
  log.warn(`${unknown} on ${session.target} run again, and have not said yet whether they are healthy`);
}

/** What is missing; one that does not run is told to start. */
async function lackOf(
  id: string,
  { healthy, outlived }: Pick<RanBefore, "healthy" | "outlived">,
  docker: Docker,
  abortSignal: AbortSignal,
): Promise<Lack | Over | undefined> {
  const container = docker.getContainer(id);
  try {
    const { State: state, HostConfig: settings } = await container.inspect({ abortSignal });
    if (state.Running) {
      const health = healthy.includes(id) ? state.Health?.Status : undefined;
      return health === "starting" || health === "unhealthy" ? health : undefined;
    }
    if (outlived && state.Status === "exited" && state.ExitCode === 0 && !goesOn(settings)) return "ended";
    await container.start({ abortSignal });
  } catch (error) {
    const status = engineStatus(error);
    if (status === undefined) throw error;
    if (status === 404) return "gone";
    // started meanwhile, or it cannot be: the next look tells
  }
  return "not running";
}

/** Whether the daemon itself starts one anew that ended well. */
function goesOn({ RestartPolicy: policy }: Docker.HostConfig): boolean {
  return policy?.Name === "always" || policy?.Name === "unless-stopped";
}

function notRevived(
  host: string,
  unwell: readonly (readonly [string, Lack])[],
  timeoutMs: number,
): SlipwayError {
  const each = unwell.map(([id, lack]) => `${short(id)} is ${lack}`).join(", ");
  return new SlipwayError({
    code: "unhealthy",
    what: "restarting the Docker daemon",
    host,
    why: `${unwell.length} containers that ran before are not as they were: ${each}`,
    after: `after ${formatDuration(timeoutMs)}`,
    next: "Look at `docker ps -a` and their logs on the host",
  });
}

function short(id: string): string {
  return id.slice(0, 12);
}
