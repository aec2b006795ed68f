import type { HandlerContext, Properties } from "../../handler";
import { canonicalJson, isObject } from "../../values";
import { allEnded } from "../../all-ended";
import { type Connection, targetOf } from "../connection";
import { machineIdOf, type MachineIds, machineIdsFrom, refuseTwins } from "./machine-id";
import { withHost } from "../pool";
import { recordedHostKeyOf } from "./recorded-host-key";
import { formatMoves, formerOf, type Machines, movesOf, recordedMachines, sameAddress } from "./same-machine";
import { isUnreachable } from "./unreachable";

/** The recorded machines, one for one and in their order, and how they are reached now. */
export interface Reconnection {
  /** The connections as they were; another way to the same address; a machine under another address. */
  readonly kind: "kept" | "reconnected" | "moved";
  /** What to tell: `host moved from root@a:22 to root@b:22`, `connection only`. */
  readonly line: string;
  /** A recorded target as it is called now. */
  readonly nameNow: (target: string) => string;
  readonly hostKeys: Readonly<Record<string, string>>;
  readonly machineIds: MachineIds;
}

type ReachContext = Pick<HandlerContext, "log" | "clock" | "random" | "signal">;

/**
 * Finds out whether `hosts` lead to the very machines that the outputs record. It asks only where another connection
 * might lead to another machine, for one number and nothing else. A dead machine at its old address is believed to be the
 * same where it may be abandoned. Undefined: at least one is new, or the hosts are others.
 * @throws SlipwayError machine-twice, and what reaching a host throws
 */
export async function reconnect(
  outputs: Properties,
  hosts: readonly Connection[],
  { abandonUnreachable }: { readonly abandonUnreachable: boolean },
  context: ReachContext,
): Promise<Reconnection | undefined> {
  const before = recordedMachines(outputs);
  if (before.hosts.length !== hosts.length) return undefined;
  const pairs = hosts.map((host, at) => ({ host, old: before.hosts[at] ?? host }));
  const names = new Map(pairs.map(({ host, old }) => [targetOf(old), targetOf(host)]));
  const nameNow = (target: string): string => names.get(target) ?? target;
  const recorded = {
    hostKeys: renamed(outputs.hostKeys, nameNow),
    machineIds: renamed(before.machineIds, nameNow),
  };
  if (canonicalJson(before.hosts) === canonicalJson(hosts)) {
    return { kind: "kept", line: "", nameNow, ...recorded };
  }
  const connectionOnly = { kind: "reconnected", line: "connection only", nameNow } as const;
  const sameAddresses = pairs.every(({ host, old }) => sameAddress(host, old));
  // a release before this one recorded no ids: there is nothing to hold an answer against
  if (sameAddresses && Object.keys(before.machineIds).length === 0) return { ...connectionOnly, ...recorded };
  const seen = await allEnded(
    pairs.map(async ({ host, old }): Promise<Seen> => {
      try {
        return await seeMachine(host, outputs, context);
      } catch (error) {
        const mayBeDead = abandonUnreachable && sameAddress(host, old);
        if (!mayBeDead || !isUnreachable(error)) throw error;
        const target = targetOf(host);
        return {
          target,
          machineId: recorded.machineIds[target] ?? "",
          hostKey: recorded.hostKeys[target] ?? "",
        };
      }
    }),
  );
  const machineIds = machineIdsFrom(seen.map(({ target, machineId }) => [target, machineId]));
  refuseTwins(machineIds);
  const now: Machines = { hosts, machineIds };
  if (!pairs.every(({ host, old }) => formerOf(host, now, before) === old)) return undefined;
  const hostKeys = Object.fromEntries(
    seen.filter(({ hostKey }) => hostKey !== "").map(({ target, hostKey }) => [target, hostKey]),
  );
  const moves = movesOf(before, now);
  if (moves.length === 0) return { ...connectionOnly, hostKeys, machineIds };
  return { kind: "moved", line: formatMoves(moves), nameNow, hostKeys, machineIds };
}

/**
 * The machine-ids of several hosts that are to be worked on together; of a single one nothing has to be known beforehand.
 * @throws SlipwayError machine-twice, and what reaching a host throws
 */
export async function refuseSameMachineTwice(
  hosts: readonly Connection[],
  outputs: Properties,
  context: ReachContext,
): Promise<void> {
  if (hosts.length < 2) return;
  const seen = await allEnded(hosts.map((host) => seeMachine(host, outputs, context)));
  refuseTwins(machineIdsFrom(seen.map(({ target, machineId }) => [target, machineId])));
}

interface Seen {
  readonly target: string;
  readonly machineId: string;
  readonly hostKey: string;
}

function seeMachine(connection: Connection, outputs: Properties, context: ReachContext): Promise<Seen> {
  const { log, clock, random, signal } = context;
  const recordedHostKey = recordedHostKeyOf(outputs, connection);
  return withHost(connection, { log, clock, random, signal, recordedHostKey }, async (session) => ({
    target: session.target,
    machineId: machineIdOf(await session.facts()),
    hostKey: session.hostKey,
  }));
}

function renamed(values: unknown, nameNow: (target: string) => string): Record<string, string> {
  const entries = Object.entries(isObject(values) ? values : {});
  return Object.fromEntries(
    entries
      .filter((entry): entry is [string, string] => typeof entry[1] === "string" && entry[1] !== "")
      .map(([target, value]) => [nameNow(target), value]),
  );
}
