import { SlipwayError } from "../../errors";
import { isObject } from "../../values";
import type { HostFacts } from "../facts";

/** Target to machine-id, of the machines that have one. */
export type MachineIds = Readonly<Record<string, string>>;

/**
 * The id that tells this machine from others, whatever its address; empty text where it has none. A system that was never
 * started says `uninitialized`.
 */
export function machineIdOf({ machineId }: Pick<HostFacts, "machineId">): string {
  return /^[0-9a-f]{32}$/.test(machineId) && !/^0+$/.test(machineId) ? machineId : "";
}

/** The machine-ids of targets, without those that have none. */
export function machineIdsFrom(entries: Iterable<readonly [target: string, machineId: string]>): MachineIds {
  return Object.fromEntries([...entries].filter(([, id]) => id !== ""));
}

/** The outputs' `machineIds`; those of releases before it have none, but for a DockerHost's own `machineId`. */
export function recordedMachineIds(outputs: Readonly<Record<string, unknown>>): MachineIds {
  const [target] = Array.isArray(outputs.targets) ? (outputs.targets as unknown[]) : [];
  const single = typeof target === "string" ? { [target]: outputs.machineId } : {};
  const ids = isObject(outputs.machineIds) ? outputs.machineIds : single;
  return Object.fromEntries(
    Object.entries(ids).filter((entry): entry is [string, string] => {
      return typeof entry[1] === "string" && machineIdOf({ machineId: entry[1] }) !== "";
    }),
  );
}

/**
 * Two hosts of one resource must be two machines, told apart by their ids.
 * @throws SlipwayError machine-twice
 */
export function refuseTwins(machineIds: MachineIds): void {
  const first = new Map<string, string>();
  for (const [target, id] of Object.entries(machineIds)) {
    const other = first.get(id);
    if (other !== undefined) throw twice(other, target);
    first.set(id, target);
  }
}

function twice(one: string, other: string): SlipwayError {
  return new SlipwayError({
    code: "machine-twice",
    what: "telling the hosts apart",
    host: `${one} and ${other}`,
    why: "both have the same machine-id: they are one machine, or were made from one image",
    left: "Nothing was touched",
    next: "Name a machine once; on a cloned one run `rm /etc/machine-id; systemd-machine-id-setup` and restart it",
  });
}
