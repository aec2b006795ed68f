import { unmarkChange, withChangeMark } from "../packages/change-mark";
import { applyDaemonConfig } from "./config-file";
import type { ExecuteContext } from "./execute-context";
import { SNAP_STORE } from "../look/look-script";
import { addGroupMember, removeGroupMember } from "./group-member";
import { type Operation, progressText } from "../plan/operation";
import { guardWords } from "../packages/guard-words";
import type { RunOptions } from "../packages/package-family";
import { installUploaded } from "../packages/upload";
import { purge } from "./purge";
import { reviveContainers } from "./revive";
import { clearRestartRules, reloadDaemon, startDaemon } from "./service";
import { stopContainers } from "./stop-containers";
import { verifyVersion } from "./verify";

/** Within one file system, so that it is whole here or there at any moment. */
const MOVE_SNAP_STORE = `
[ ! -d /var/lib/docker ] || rmdir /var/lib/docker
mv ${SNAP_STORE} /var/lib/docker
`;

/** Containers are stopped before; what a daemon still does when it ends takes seconds. */
const STOP_MS = 120_000;

/** What leaves packages half done when it is cut off. */
const CHANGES_PACKAGES: ReadonlySet<Operation["kind"]> = new Set([
  "repair-packages",
  "install-tools",
  "install",
  "remove",
]);

/** Runs the operations one after another; decides nothing, and ends at the first that fails. */
export async function execute(plan: readonly Operation[], context: ExecuteContext): Promise<void> {
  for (const operation of plan) {
    context.signal.throwIfAborted();
    context.log.progress(`${progressText(operation)} (${operation.cause})`);
    const run = (): Promise<void> => executeOne(operation, context);
    await (CHANGES_PACKAGES.has(operation.kind) ? withChangeMark(context, run) : run());
  }
}

/** What is left of a run that was killed goes; services that never failed are none of our business, so nobody looks at the answer. */
async function forgive({ session, init, signal }: ExecuteContext): Promise<void> {
  if (init.forgive !== undefined) await session.exec(init.forgive, { sudo: true, signal });
}

function restartBy(
  plan: readonly Operation[] | undefined,
  context: ExecuteContext,
): (() => Promise<void>) | undefined {
  return plan === undefined ? undefined : () => execute(plan, context);
}

async function executeOne(operation: Operation, context: ExecuteContext): Promise<void> {
  const { session, family, log, signal } = context;
  const isGuards = guardWords();
  const run: RunOptions = {
    signal,
    onLine: (line) => {
      if (line.trim() !== "" && !isGuards(line.trim()))
        log.progress(`${progressText(operation)}: ${line.trim()}`);
    },
  };
  switch (operation.kind) {
    case "repair-packages":
      return family.repair(session, run);
    case "install-tools": {
      const install = operation.names.map((name) => ({ name }));
      return family.install(session, { install, remove: [], allowDowngrade: false }, run);
    }
    case "write-source":
      return family.addRepository(session, operation.repository, run);
    case "remove-source":
      return family.removeRepository(session, run);
    case "refresh-lists":
      if ((await family.refresh(session, run, operation.needed)) === "own") {
        log.warn(
          `${session.target} has another package source that cannot be read; what Docker comes from can`,
        );
      }
      return;
    case "move-snap-store":
      await session.run(["snap", "stop", "docker"], { sudo: true, timeoutMs: 600_000, ...run });
      await session.run(["/bin/sh", "-ec", MOVE_SNAP_STORE], { sudo: true, signal });
      return;
    case "remove-snap":
      await session.run(["snap", "remove", "docker"], { sudo: true, timeoutMs: 600_000, ...run });
      return;
    case "install": {
      const { packages, files, remove, downgrade, lowers } = operation;
      const allowDowngrade = downgrade || lowers;
      if (files !== undefined) return installUploaded({ files, remove, allowDowngrade }, context, run);
      return family.install(session, { install: packages, remove, allowDowngrade }, run);
    }
    case "write-config":
      return applyDaemonConfig(operation, context);
    case "reload":
      return reloadDaemon(operation, context, restartBy(operation.otherwise, context));
    case "start":
      return startDaemon("start", operation, context);
    case "restart":
      return startDaemon(operation.runtime === true ? "restartWithRuntime" : "restart", operation, context);
    case "verify":
      return verifyVersion(operation.wanted, context);
    case "revive":
      return reviveContainers(operation, context);
    case "stop-containers":
      return stopContainers(operation, context);
    case "remove":
      // a guard that a killed run left would keep the daemon from being stopped
      await forgive(context);
      await session.run(context.init.stop, { sudo: true, signal, timeoutMs: STOP_MS });
      return family.remove(session, operation.packages, run);
    case "purge":
      return purge(operation.folders, context);
    case "clear-restart-rules":
      return clearRestartRules(context);
    case "forget-change":
      // and here from being restarted by anybody
      await forgive(context);
      return unmarkChange(session, signal);
    case "hold":
      return family.hold(session, operation.packages, run);
    case "unhold":
      return family.unhold(session, operation.packages, run);
    case "add-user":
      return addGroupMember(session, operation.user, signal);
    case "remove-user":
      return removeGroupMember(session, operation.user, signal);
  }
}
