import { assertOutcomeKnown } from "../../host/known-outcome";
import type { Operation } from "../plan/operation";
import type { ExecuteContext } from "./execute-context";

const STOP_MS = 120_000;
/** As `docker stop` has it. Seconds. */
const GRACE_S = 10;

/**
 * Containers (by the ids in `$@`) whose daemon is not there: what their shims have started is told to end, and after `$1` seconds
 * ended, with the shims.
 */
export const END = `
left=$1; shift
shims=
for process in /proc/[0-9]*; do
  { read -r name <"$process/comm"; } 2>/dev/null && [ "$name" = containerd-shim ] || continue
  for id; do
    if grep -qa -- "$id" "$process/cmdline" 2>/dev/null; then shims="$shims \${process#/proc/}"; fi
  done
done
[ -n "$shims" ] || exit 0
inside=
for shim in $shims; do inside="$inside $(cat "/proc/$shim/task/"*/children 2>/dev/null)"; done
lives() { for pid in $inside; do [ ! -d "/proc/$pid" ] || return 0; done; return 1; }
kill $inside 2>/dev/null
while [ "$left" -gt 0 ] && lives; do sleep 1; left=$((left - 1)); done
kill -9 $inside $shims 2>/dev/null
for shim in $shims; do
  [ ! -d "/proc/$shim" ] || { sleep 1; [ ! -d "/proc/$shim" ]; } || exit 1
done
`;

/** Stops containers for good: with live restore they would go on without an engine. */
export async function stopContainers(
  { containers, byDaemon }: Extract<Operation, { kind: "stop-containers" }>,
  { session, log, signal }: Pick<ExecuteContext, "session" | "log" | "signal">,
): Promise<void> {
  log.keep(`${containers.length} containers on ${session.target} are stopped: Docker is removed there`);
  const how = { sudo: true, timeoutMs: STOP_MS, signal };
  const outcome = await (byDaemon
    ? session.exec(["docker", "-H", "unix:///var/run/docker.sock", "stop", ...containers], how)
    : session.script(END, [String(GRACE_S), ...containers], how));
  assertOutcomeKnown(outcome, session.target, "stopping containers");
  // one that is gone meanwhile is stopped, too
  if (outcome.kind === "exited" && outcome.code !== 0)
    log.warn(`not all containers on ${session.target} stopped`);
}
