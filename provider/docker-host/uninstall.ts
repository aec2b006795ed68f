import type { HandlerContext } from "../handler";
import type { HostSession } from "../host/session";
import { CHANGE_MARK } from "./look-script";
import { withEngineLock } from "./engine-lock";
import { observe } from "./observe";
import type { ObservedEngine } from "./observed";
import { familyOf } from "./packages/families";
import { PURGE, purgeFolders } from "./purge";
import type { EngineWish } from "./wish";

const STOP_MS = 120_000;
const PURGE_MS = 600_000;

/**
 * Takes packages, holds and the package source off; images and volumes stay, unless `purge` asks for them too. Containers
 * are stopped before: with live restore they would go on without an engine.
 */
export async function uninstall(
  session: HostSession,
  wish: EngineWish,
  context: HandlerContext,
): Promise<void> {
  const { log, signal } = context;
  await withEngineLock(session, context, async () => {
    const { desired, observed } = await observe(session, wish, wish, context);
    const family = familyOf(session.target, observed.facts, wish.source);
    const { packages } = observed;
    const names = [...desired.names, ...desired.dependencies].filter((name) => name in packages.installed);
    if (names.length > 0) {
      await stopContainers(session, observed, context);
      log.progress(`removing ${names.join(", ")}`);
      await family.unhold(session, names, { signal });
      await family.remove(session, names, { signal });
    }
    if (packages.sourceFile !== undefined) await family.removeRepository(session, { signal });
    if (wish.purge) await purge(session, observed, context);
    await session.run(["rm", "-f", "--", CHANGE_MARK], { sudo: true, signal });
  });
}

async function stopContainers(
  session: HostSession,
  { daemon }: ObservedEngine,
  { log, signal }: HandlerContext,
): Promise<void> {
  const running = daemon?.running ?? [];
  if (running.length === 0) return;
  log.keep(`${running.length} containers on ${session.target} are stopped: Docker is removed there`);
  const argv = ["docker", "-H", "unix:///var/run/docker.sock", "stop", ...running];
  const outcome = await session.exec(argv, { sudo: true, timeoutMs: STOP_MS, signal });
  // one that is gone meanwhile is stopped, too; what does not stop is ended with its engine
  if (outcome.kind === "exited" && outcome.code !== 0)
    log.warn(`not all containers on ${session.target} stopped`);
}

async function purge(
  session: HostSession,
  observed: ObservedEngine,
  { log, signal }: HandlerContext,
): Promise<void> {
  if (observed.foreign.length > 0) {
    log.warn(`nothing was purged on ${session.target}: another engine is there, whose files these may be`);
    return;
  }
  const folders = purgeFolders(observed.daemon?.summary.rootDirectory);
  log.keep(`images, containers and volumes on ${session.target} are removed`);
  const argv = ["/bin/sh", "-c", PURGE, "slipway-purge", ...folders];
  await session.run(argv, { sudo: true, timeoutMs: PURGE_MS, signal });
}
