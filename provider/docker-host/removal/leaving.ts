import type { HandlerContext, Properties } from "../../handler";
import { type Connection, machineOf, targetOf } from "../../host/connection";
import { machineIdOf, recordedMachineIds } from "../../host/machine/machine-id";
import type { HostSession } from "../../host/session";
import { orAbandoned } from "../../host/machine/unreachable";
import { claims } from "../fleet/claims";
import { isObject } from "../../values";
import { uninstall } from "./uninstall";
import type { EngineWish } from "../wish/wish";

/** A machine that the program has no use for any more. */
export interface Leaving {
  readonly outputs: Properties;
  readonly connection: Connection;
  readonly wish: EngineWish;
  readonly reach: (use: (session: HostSession) => Promise<void>) => Promise<void>;
}

/**
 * Uninstalls Docker, unless another DockerHost of this run has the machine: it may have replaced the one that is deleted
 * now, under another address or another name. A machine that is known to be another's is not even asked.
 */
export async function leaveMachine(
  { outputs, connection, wish, reach }: Leaving,
  context: HandlerContext,
): Promise<void> {
  const { urn, log } = context;
  const target = targetOf(connection);
  const address = machineOf(connection);
  const stays = (machineId: string): boolean => {
    const other = claims.elsewhere(urn, { address, machineId });
    if (other !== undefined) log.keep(`Docker stays on ${target}: ${other} is the same machine`);
    return other !== undefined;
  };
  if (stays(recordedMachineIds(outputs)[target] ?? "")) return claims.forget(urn, address);
  // what waits to be deleted cannot be changed any more; the resource that replaced it can
  const abandonUnreachable = wish.abandonUnreachable || claims.of(urn)?.abandonUnreachable === true;
  const say = (why: string): void =>
    log.keep(`${target} does not answer (${why}); Docker was left there (abandonUnreachable)`);
  await orAbandoned({ abandonUnreachable, say }, () =>
    reach(async (session) => {
      if (stays(machineIdOf(await session.facts()))) return;
      await uninstall(session, wish, rootDirectoryOf(outputs), context);
    }),
  );
  claims.forget(urn, address);
}

function rootDirectoryOf({ engine }: Properties): string | undefined {
  const root = isObject(engine) ? engine.rootDirectory : undefined;
  return typeof root === "string" && root !== "" ? root : undefined;
}
