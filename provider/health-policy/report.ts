import type { HealthStatus, ObservedContainer } from "../container/observed";
import type { Properties } from "../handler";
import { type MachineIds, machineIdsFrom } from "../host/machine/machine-id";
import { isObject } from "../values";
import type { Repaired } from "./execute";
import type { ContainerHealth, KnownHost } from "./observed";
import { nameOf } from "./plan";
import type { ContainerReport } from "./resource";

/** What a run found and did, as it goes into the outputs. */
export interface Outcome {
  readonly report: readonly ContainerReport[];
  readonly restarted: readonly string[];
  readonly gaveUp: readonly string[];
  readonly hostKeys: Readonly<Record<string, string>>;
  readonly machineIds: MachineIds;
}

/** The outcome of a look, and of the operations that followed it. Sorted, so that equal findings give equal outputs. */
export function outcomeOf(hosts: readonly KnownHost[], repaired: readonly Repaired[]): Outcome {
  const byId = new Map(repaired.map((each) => [keyOf(each.subject), each]));
  const rows = hosts.flatMap(({ containers }) =>
    containers.flatMap((subject) => {
      const after = byId.get(keyOf(subject));
      const container = after === undefined ? subject.container : after.container;
      return container === undefined ? [] : [rowOf(subject, container, after?.health ?? subject.health)];
    }),
  );
  const names = (which: (each: Repaired) => boolean): readonly string[] =>
    repaired
      .filter(which)
      .map(({ subject }) => nameOf(subject))
      .sort();
  return {
    report: rows.sort((a, b) => compare(`${a.host} ${a.name}`, `${b.host} ${b.name}`)),
    restarted: names(({ restarts, health }) => restarts > 0 && health !== "unhealthy"),
    gaveUp: names(({ restarts, health }) => restarts > 0 && health === "unhealthy"),
    hostKeys: Object.fromEntries(hosts.map(({ target, hostKey }) => [target, hostKey])),
    machineIds: machineIdsFrom(hosts.map(({ target, machineId }) => [target, machineId])),
  };
}

/** `root@web1:22 web` of the containers that the recorded outputs call unhealthy. */
export function recordedUnhealthy(outputs: Properties): readonly string[] {
  const rows: readonly unknown[] = Array.isArray(outputs.report) ? outputs.report : [];
  return rows
    .filter(isObject)
    .filter(({ health }) => health === "unhealthy")
    .map(({ host, name }) => `${String(host)} ${String(name)}`);
}

function rowOf(
  { target, service }: ContainerHealth,
  { name, image, state }: ObservedContainer,
  health: HealthStatus,
): ContainerReport {
  return { host: target, name, ...(service === undefined ? {} : { service }), image, state, health };
}

function keyOf({ target, container }: ContainerHealth): string {
  return `${target} ${container.id}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
