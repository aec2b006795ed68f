import { observeContainer } from "../container/inspect";
import { formatDuration } from "../duration";
import type { HostAccess } from "./host-access";
import type { Operation } from "./operation";

const POLL_MS = 250;

/** Waits for a container's process to end. Throws, in words, when it does not in time, or not as it should. */
export async function waitForExit(
  { docker, clock, signal }: HostAccess,
  { deadlineMs, mustSucceed }: Extract<Operation, { kind: "await-exit" }>,
  id: string,
): Promise<void> {
  const endsAtMs = clock.now() + deadlineMs;
  for (;;) {
    signal.throwIfAborted();
    const container = await observeContainer(docker, id);
    if (container === undefined && mustSucceed) throw new Error("it is gone before it ended");
    if (container === undefined) return;
    if (container.state === "exited" || container.state === "dead") {
      if (!mustSucceed || container.exitCode === 0) return;
      throw new Error(
        container.oomKilled
          ? "it was killed for want of memory"
          : `it exited with code ${container.exitCode}`,
      );
    }
    if (clock.now() >= endsAtMs) {
      if (!mustSucceed) return;
      throw new Error(`it did not end within ${formatDuration(deadlineMs)}, its timeout`);
    }
    await clock.sleep(POLL_MS, signal);
  }
}
