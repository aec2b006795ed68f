import type { ObservedContainer } from "../container/observed";
import { LABEL } from "../container/labels";
import type { Properties } from "../handler";
import type { MachineIds } from "../host/machine/machine-id";
import { isObject } from "../values";
import { machineIdsOf } from "./observe-hosts";
import type { ContainerHealth, KnownHost, PolicyHealth } from "./observed";
import { nameOf } from "./plan";
import type { Repaired } from "./repaired";
import type { ContainerReport, HealthCounts } from "./resource";

/** What a run found and did, as it goes into the outputs. */
export interface Outcome {
  readonly report: readonly ContainerReport[];
  readonly counts: HealthCounts;
  readonly restarted: readonly string[];
  readonly gaveUp: readonly string[];
  readonly hostKeys: Readonly<Record<string, string>>;
  readonly machineIds: MachineIds;
}

/** A line of the report, with what is shown and not stored: it changes while nothing is done. */
export interface ReportRow {
  readonly report: ContainerReport;
  readonly failingStreak: number;
  /** By Docker, since somebody last started it; undefined where only a list was read. */
  readonly restarts: number | undefined;
  /** Why it is not healthy, and what it said at last; clean to show. */
  readonly reason: string;
  readonly output: string;
}

/** The containers as they are after the operations. Sorted, so that equal findings give equal outputs. */
export function rowsOf(hosts: readonly KnownHost[], repaired: readonly Repaired[]): readonly ReportRow[] {
  const byId = new Map(repaired.map((each) => [keyOf(each.subject), each]));
  const rows = hosts.flatMap(({ containers }) =>
    containers.flatMap((subject) => {
      const after = byId.get(keyOf(subject));
      const container = after === undefined ? subject.container : after.container;
      if (container === undefined) return [];
      const report = reportOf(subject, container, after?.health ?? subject.health);
      const { failingStreak, restartCount } = container;
      const reason = after === undefined ? subject.cause : after.reason;
      const restarts = after !== undefined || subject.isWhole ? restartCount : undefined;
      return [{ report, failingStreak, restarts, reason, output: after?.output ?? "" }];
    }),
  );
  return rows.sort((a, b) => compare(placeOf(a.report), placeOf(b.report)));
}

/** The outcome of a look, and of the operations that followed it. */
export function outcomeOf(hosts: readonly KnownHost[], repaired: readonly Repaired[]): Outcome {
  const report = rowsOf(hosts, repaired).map((row) => row.report);
  const names = (which: (each: Repaired) => boolean): readonly string[] =>
    repaired
      .filter(which)
      .map(({ subject }) => nameOf(subject))
      .sort();
  const restarted = names(({ restartedAt, health }) => restartedAt.length > 0 && health !== "unhealthy");
  const gaveUp = names((each) => each.gaveUp);
  return {
    report,
    counts: countsOf(report, restarted.length, gaveUp.length),
    restarted,
    gaveUp,
    hostKeys: Object.fromEntries(hosts.map(({ target, hostKey }) => [target, hostKey])),
    machineIds: machineIdsOf(hosts),
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

function countsOf(report: readonly ContainerReport[], restarted: number, gaveUp: number): HealthCounts {
  const of = (health: PolicyHealth): number => report.filter((row) => row.health === health).length;
  return {
    containers: report.length,
    healthy: of("healthy"),
    unhealthy: of("unhealthy"),
    starting: of("starting"),
    unchecked: of("unchecked"),
    restarted,
    gaveUp,
  };
}

function reportOf(
  { target, service }: ContainerHealth,
  { name, image, state, labels }: ObservedContainer,
  health: PolicyHealth,
): ContainerReport {
  const revision = labels[LABEL.revision];
  return {
    host: target,
    name,
    ...(service === undefined ? {} : { service }),
    image,
    ...(service === undefined || revision === undefined ? {} : { revision }),
    state,
    health,
  };
}

function keyOf({ target, container }: ContainerHealth): string {
  return `${target} ${container.id}`;
}

function placeOf({ host, name }: ContainerReport): string {
  return `${host} ${name}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
