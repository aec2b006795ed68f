import type { HandlerContext, Properties } from "../handler";
import { reconnect, type Reconnection } from "../host/machine/reconnect";
import { changedArguments } from "../values";
import type { Wanted } from "./inputs";
import { driftIn, type RecordedContainer, recordedContainers, urlOf } from "./outputs";
import { readService } from "./read";

/** What the machines know nothing of. A machine that died must not be asked whether it may be abandoned. */
const NOT_ON_HOSTS = ["hosts", "targets", "abandonUnreachable"];
/** What outputs have beside the inputs. */
const ADDED = ["containers", "revision", "url", "previous", "lastRollout", "hostKeys", "machineIds", "drift"];

/** An update, as it comes. */
export interface Change {
  readonly olds: Properties;
  readonly news: Properties;
  readonly wanted: Wanted;
}

/**
 * The new outputs where the same machines are reached in another way, or with another word for the dead ones, and nothing
 * else changed. Undefined where there is something to do on a machine.
 */
export async function reconnected(change: Change, context: HandlerContext): Promise<Properties | undefined> {
  const { olds, news, wanted } = change;
  const changed = changedArguments(olds, news, ADDED);
  if (changed.length === 0 || changed.some((key) => !NOT_ON_HOSTS.includes(key))) return undefined;
  if (driftIn(olds) !== undefined) return undefined;
  const way = await reconnect(olds, wanted.hosts, wanted, context);
  if (way === undefined) return undefined;
  const outputs = renamed(change, way);
  if (way.kind !== "moved") {
    context.log.keep(way.line === "" ? "nothing touched" : `${way.line}, nothing touched`);
    return outputs;
  }
  // a machine-id can be copied with a disk: the containers prove the move
  const seen = await readService({ ...outputs, url: urlOf(wanted) }, context);
  const missing = driftIn(seen);
  if (missing === undefined) {
    context.log.keep(`${way.line}, nothing touched`);
    return seen;
  }
  context.log.warn(
    `${missing}. If it is a machine made from the image of the one before, the service may still run there: ` +
      "give each an id of its own (rm /etc/machine-id; systemd-machine-id-setup)",
  );
  return undefined;
}

/** The old outputs under the new inputs; a host's clear name changes with its user and its address. */
function renamed({ olds, news }: Change, { nameNow, hostKeys, machineIds }: Reconnection): Properties {
  const containers = recordedContainers(olds).map((container): RecordedContainer => {
    return { ...container, host: nameNow(container.host) };
  });
  const recorded = Object.entries(olds).filter(([key]) => key !== "abandonUnreachable");
  const known = Object.keys(machineIds).length === 0 ? {} : { machineIds };
  return { ...Object.fromEntries(recorded), ...news, containers, hostKeys, ...known };
}
