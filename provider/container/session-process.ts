import type { HostSession } from "../host/session";
import { parseSessionProcess, type SessionProcess } from "./lock-record";

/** $1 boot id, $2 pid, $3 start. Where others' processes cannot be seen nothing is said of them. */
const LOOK = `
boot=$(cat /proc/sys/kernel/random/boot_id) || exit 1
[ -r /proc/1/stat ] || { echo unknown; exit 0; }
[ "$boot" = "$1" ] || { echo gone; exit 0; }
stat=$(cat "/proc/$2/stat" 2>/dev/null) || { echo gone; exit 0; }
start=$3
set -- \${stat##*) }
shift 19
[ "$1" = "$start" ] && echo alive || echo gone
`;

/** Undefined where the host does not show its processes; the lock then rests on its age alone. */
export async function ownSessionProcess(
  session: HostSession,
  signal: AbortSignal,
): Promise<SessionProcess | undefined> {
  const { bootId, sessionProcess } = await session.facts({ signal });
  return parseSessionProcess(`${bootId} ${sessionProcess}`);
}

/** Whether the process of somebody's connection is still there. */
export async function lookAtSessionProcess(
  session: HostSession,
  process: SessionProcess,
  signal: AbortSignal,
): Promise<"alive" | "gone" | "unknown"> {
  const args = [process.bootId, String(process.pid), process.startTicks];
  const outcome = await session.script(LOOK, args, { signal });
  const word = outcome.kind === "exited" && outcome.code === 0 ? outcome.stdout.trim() : "unknown";
  return word === "alive" || word === "gone" ? word : "unknown";
}
