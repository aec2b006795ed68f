import type { HandlerContext, Properties } from "../handler";
import { reconnect } from "../host/machine/reconnect";
import { changedArguments, Fields, isObject } from "../values";
import { readPolicy } from "./inputs";
import { recordedUnhealthy } from "./report";

/** A policy leaves nothing on its hosts: what it may do to a dead one is no reason to look. */
const OF_CONNECTIONS: readonly string[] = ["hosts", "host", "targets", "abandonUnreachable"];
/** What outputs have beside the inputs. */
const ADDED: readonly string[] = ["report", "restarted", "gaveUp", "hostKeys", "machineIds"];

/**
 * The new outputs where the same machines are reached in another way and nothing else changed. Undefined where there is
 * something to look at: another machine, or one on which something was unhealthy.
 */
export async function reconnected(
  olds: Properties,
  news: Properties,
  context: HandlerContext,
): Promise<Properties | undefined> {
  const changed = changedArguments(olds, news, ADDED);
  if (changed.length === 0 || changed.some((key) => !OF_CONNECTIONS.includes(key))) return undefined;
  if (recordedUnhealthy(olds).length > 0) return undefined;
  const policy = readPolicy(new Fields(news));
  const way = await reconnect(olds, policy.hosts, policy, context);
  if (way === undefined) return undefined;
  const { restarted, gaveUp } = olds;
  const { line, nameNow, hostKeys, machineIds } = way;
  context.log.keep(line === "" ? "nothing touched" : `${line}, nothing touched`);
  const rows: readonly unknown[] = Array.isArray(olds.report) ? olds.report : [];
  const report = rows.map((row) => (isObject(row) ? { ...row, host: nameNow(String(row.host)) } : row));
  const known = Object.keys(machineIds).length === 0 ? {} : { machineIds };
  return { ...news, report, restarted, gaveUp, hostKeys, ...known };
}
