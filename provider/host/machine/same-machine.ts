import { type Connection, machineOf, targetOf } from "../connection";
import { recordedHosts } from "../connection-fields";
import { type MachineIds, recordedMachineIds } from "./machine-id";

/** Hosts, and what is known of the machines behind them. */
export interface Machines {
  readonly hosts: readonly Connection[];
  readonly machineIds: MachineIds;
}

/** The hosts that an earlier run recorded. */
export function recordedMachines(outputs: Readonly<Record<string, unknown>>): Machines {
  return { hosts: recordedHosts(outputs), machineIds: recordedMachineIds(outputs) };
}

/** Two connections lead to the same place when address and port are the same, whoever logs in. */
export function sameAddress(a: Connection, b: Connection): boolean {
  return machineOf(a) === machineOf(b);
}

/** The recorded host that is the machine which now answers at `host`: by its id, else, where one is not known, by its address. */
export function formerOf(host: Connection, now: Machines, before: Machines): Connection | undefined {
  const id = now.machineIds[targetOf(host)];
  const idBefore = (old: Connection): string | undefined => before.machineIds[targetOf(old)];
  return (
    before.hosts.find((old) => id !== undefined && idBefore(old) === id) ??
    before.hosts.find((old) => sameAddress(old, host) && (id === undefined || idBefore(old) === undefined))
  );
}

/** Recorded hosts that are taken out: neither their address nor their machine is among those of now. */
export function leftOf(before: Machines, now: Machines): readonly Connection[] {
  const ids = new Set(Object.values(now.machineIds));
  return before.hosts.filter((old) => {
    const id = before.machineIds[targetOf(old)];
    return !(id !== undefined && ids.has(id)) && !now.hosts.some((host) => sameAddress(host, old));
  });
}

/** A machine under another address. */
export interface Move {
  readonly from: Connection;
  readonly to: Connection;
}

/** The machines that have another address now. */
export function movesOf(before: Machines, now: Machines): readonly Move[] {
  return now.hosts.flatMap((to) => {
    const from = formerOf(to, now, before);
    return from === undefined || sameAddress(from, to) ? [] : [{ from, to }];
  });
}

/** `host moved from root@a:22 to root@b:22`; empty text where none moved. */
export function formatMoves(moves: readonly Move[]): string {
  const each = moves.map(({ from, to }) => `from ${targetOf(from)} to ${targetOf(to)}`);
  return each.length === 0 ? "" : `${each.length === 1 ? "host" : "hosts"} moved ${each.join(", ")}`;
}
