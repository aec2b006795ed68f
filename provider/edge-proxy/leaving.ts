import type { HandlerContext, Properties } from "../handler";
import { machineOf, targetOf } from "../host/connection";
import { machineIdOf } from "../host/machine/machine-id";
import { orAbandoned } from "../host/machine/unreachable";
import { claims, machineIdIn } from "./claims";
import type { ProxyInputs } from "./inputs";
import type { ProxyAccess } from "./observe";

/** A proxy that the program has no use for any more. */
export interface Leaving {
  readonly outputs: Properties;
  readonly proxy: ProxyInputs;
  readonly reach: (use: (access: ProxyAccess) => Promise<void>) => Promise<void>;
  readonly remove: (access: ProxyAccess) => Promise<void>;
}

/**
 * Removes the proxy, unless another EdgeProxy of this run has it: it may have replaced the one that is deleted now, under another
 * address of the machine or another name. A machine whose proxy is known to be another's is not even asked.
 */
export async function leaveMachine(
  { outputs, proxy, reach, remove }: Leaving,
  { urn, log }: HandlerContext,
): Promise<void> {
  const { name, connection } = proxy;
  const target = targetOf(connection);
  const address = machineOf(connection);
  const stays = (machineId: string): boolean => {
    const other = claims.elsewhere(urn, { address, machineId }, (claim) => claim.name === name);
    if (other !== undefined)
      log.keep(`the proxy "${name}" stays on ${target}: ${other} is the same machine, and has it`);
    return other !== undefined;
  };
  if (stays(machineIdIn(outputs))) return claims.forget(urn, address);
  // what waits to be deleted cannot be changed any more; the resource that replaced it can
  const abandonUnreachable = proxy.abandonUnreachable || claims.of(urn)?.abandonUnreachable === true;
  const say = (why: string): void =>
    log.keep(`${target} does not answer (${why}); the proxy was left there (abandonUnreachable)`);
  await orAbandoned({ abandonUnreachable, say }, () =>
    reach(async (access) => {
      if (!stays(machineIdOf(await access.session.facts()))) await remove(access);
    }),
  );
  claims.forget(urn, address);
}
