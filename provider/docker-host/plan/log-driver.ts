import { hasLogDriver, noLogDriver } from "../daemon/log-driver";
import type { ObservedEngine } from "../look/observed";
import { satisfies } from "../packages/version";
import type { Desired } from "../wish/desired";
import { goesOn, type Install } from "./install";

/**
 * The program's log driver, where only the daemon to come can say whether it has it; undefined when there is none to ask for.
 * @throws SlipwayError daemon-config-invalid where the daemon that runs is the one to have it, and has not
 */
export function logDriverToAsk(
  { wish }: Desired,
  observed: ObservedEngine,
  install: Install | undefined,
): string | undefined {
  const { daemon, foreign, target } = observed;
  const name = wish.daemonConfig["log-driver"];
  if (typeof name !== "string") return undefined;
  const stays = install === undefined && !foreign.some(({ kind }) => kind === "snap");
  if (daemon === undefined || !stays || !satisfies(daemon.version, wish.dockerVersion)) return name;
  const { logDrivers } = daemon;
  if (logDrivers.length === 0) return name;
  if (hasLogDriver(logDrivers, name)) return undefined;
  throw noLogDriver(target, name, logDrivers, `${goesOn(observed)}, nothing was changed`);
}
