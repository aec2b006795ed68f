import { assertOutcomeKnown } from "../../host/known-outcome";
import type { HostSession } from "../../host/session";
import { hasLogDriver } from "../daemon/log-driver";
import type { RunningDaemon } from "./observed";

/** Plugins that are installed, and those that run beside the daemon (legacy ones), which any name may stand for. */
const PLUGINS = `
docker -H unix:///var/run/docker.sock plugin ls --filter capability=logdriver --filter enabled=true --format '{{.Name}}' || exit
for folder in /run/docker/plugins /etc/docker/plugins /usr/lib/docker/plugins; do
  for file in "$folder"/*.* "$folder"/*/*.*; do
    name=\${file##*/}
    [ ! -e "$file" ] || echo "\${name%.*}"
  done
done
`;

/**
 * The daemon with its plugins among its log drivers, where the wanted one is not built in; without any where those cannot be
 * known.
 */
export async function withLogPlugins(
  daemon: RunningDaemon,
  wanted: unknown,
  session: HostSession,
  signal: AbortSignal,
): Promise<RunningDaemon> {
  const { logDrivers } = daemon;
  if (typeof wanted !== "string" || logDrivers.length === 0 || hasLogDriver(logDrivers, wanted))
    return daemon;
  const { sudo } = await session.facts({ signal });
  const outcome = await session.script(PLUGINS, [], { sudo: sudo !== "none", signal });
  assertOutcomeKnown(outcome, session.target, "listing the plugins of Docker");
  if (outcome.kind !== "exited" || outcome.code !== 0) return { ...daemon, logDrivers: [] };
  const plugins = outcome.stdout.split("\n").filter((name) => name !== "");
  return { ...daemon, logDrivers: [...logDrivers, ...plugins] };
}
