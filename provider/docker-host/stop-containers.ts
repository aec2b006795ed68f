import { assertOutcomeKnown } from "../host/known-outcome";
import type { ExecuteContext } from "./execute-context";

const STOP_MS = 120_000;

/** Stops containers for good: with live restore they would go on without an engine. */
export async function stopContainers(
  containers: readonly string[],
  { session, log, signal }: Pick<ExecuteContext, "session" | "log" | "signal">,
): Promise<void> {
  log.keep(`${containers.length} containers on ${session.target} are stopped: Docker is removed there`);
  const argv = ["docker", "-H", "unix:///var/run/docker.sock", "stop", ...containers];
  const outcome = await session.exec(argv, { sudo: true, timeoutMs: STOP_MS, signal });
  assertOutcomeKnown(outcome, session.target, "stopping containers");
  // one that is gone meanwhile is stopped, too
  if (outcome.kind === "exited" && outcome.code !== 0)
    log.warn(`not all containers on ${session.target} stopped`);
}
