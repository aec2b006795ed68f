import { formatDuration } from "../duration";
import { type Budget, restartsWithin, type Spent } from "./budget";
import type { PolicyInputs } from "./inputs";
import type { ContainerHealth, HostHealth } from "./observed";

/** What is to be done about one container, and why. `spent`: its restarts that count, when each was. */
export type Operation =
  /** Restart it and wait for it, as often as is left. */
  | { readonly kind: "restart"; readonly subject: ContainerHealth; readonly spent: readonly number[] }
  /** It is starting: wait for it first, and restart it only when it does not become healthy, and the policy may. */
  | {
      readonly kind: "wait";
      readonly subject: ContainerHealth;
      readonly spent: readonly number[];
      readonly mayRestart: boolean;
    }
  /** Not to be touched. `excused`: by another's right, so that the run does not fail for it. `gaveUp`: nothing is left. */
  | {
      readonly kind: "leave";
      readonly subject: ContainerHealth;
      readonly reason: string;
      readonly excused: boolean;
      readonly gaveUp: boolean;
    };

/** Operations of one service, over all hosts: at most `width` of them at the same time. */
export interface Lane {
  readonly service: string;
  readonly width: number;
  readonly operations: readonly Operation[];
}

/** Lanes run at the same time. */
export interface RepairPlan {
  readonly lanes: readonly Lane[];
}

/** What to do about what was seen. Healthy containers are in no plan. */
export function planRepairs(policy: PolicyInputs, hosts: readonly HostHealth[], spent: Spent): RepairPlan {
  const lanes = new Map<string, Operation[]>();
  const crowds = crowdsIn(hosts);
  for (const host of hosts) {
    for (const subject of host.containers) {
      const operation = operationFor(policy, subject, host.locked, crowds, spent);
      if (operation === undefined) continue;
      const lane = subject.service ?? `${host.target} ${subject.container.name}`;
      lanes.set(lane, [...(lanes.get(lane) ?? []), operation]);
    }
  }
  return {
    lanes: [...lanes].map(([service, operations]) => ({ service, width: policy.maxUnavailable, operations })),
  };
}

/** The operations of a plan, lane by lane. */
export function operationsOf(plan: RepairPlan): readonly Operation[] {
  return plan.lanes.flatMap(({ operations }) => operations);
}

/** A line an operation: `restart web on root@web1:22: its check fails`. */
export function formatPlan(plan: RepairPlan): string {
  return operationsOf(plan).map(formatOperation).join("\n");
}

/** `root@web1:22 web`, as a container is named in outputs. */
export function nameOf({ target, container }: ContainerHealth): string {
  return `${target} ${container.name}`;
}

/** `given up after 3 restarts within 10m`, as a reason. */
export function formatGivenUp(restarts: number, { windowMs }: Budget): string {
  return `given up after ${restarts} restart${restarts === 1 ? "" : "s"} within ${formatDuration(windowMs)}`;
}

function formatOperation(operation: Operation): string {
  const { target, container, cause } = operation.subject;
  const subject = `${container.name} on ${target}: ${cause}`;
  switch (operation.kind) {
    case "restart":
      return `restart ${subject}`;
    case "wait":
      return `wait for ${subject}`;
    case "leave":
      return `leave ${subject}; ${operation.reason}`;
  }
}

/** Of one service, over all hosts. */
interface ServiceCrowd {
  readonly all: number;
  readonly sick: number;
}

function crowdsIn(hosts: readonly HostHealth[]): ReadonlyMap<string, ServiceCrowd> {
  const crowds = new Map<string, ServiceCrowd>();
  for (const { service, health } of hosts.flatMap(({ containers }) => containers)) {
    if (service === undefined) continue;
    const { all, sick } = crowds.get(service) ?? { all: 0, sick: 0 };
    crowds.set(service, { all: all + 1, sick: sick + Number(health === "unhealthy") });
  }
  return crowds;
}

/** Over half of a service at once: what all of them need has failed, and restarts would only add to it. One alone is no crowd. */
function isMass({ all, sick }: ServiceCrowd): boolean {
  return sick > 1 && sick * 2 > all;
}

function operationFor(
  policy: PolicyInputs,
  subject: ContainerHealth,
  locked: readonly string[],
  crowds: ReadonlyMap<string, ServiceCrowd>,
  { ledger, nowMs }: Spent,
): Operation | undefined {
  const { health, service, container } = subject;
  if (health !== "unhealthy" && health !== "starting") return undefined;
  const leave = (reason: string, more: { readonly excused?: boolean; readonly gaveUp?: boolean } = {}) =>
    ({ kind: "leave", subject, reason, excused: false, gaveUp: false, ...more }) as const;
  if (service !== undefined && locked.includes(service)) {
    return leave("a deployment holds the lock of its service", { excused: true });
  }
  const spent = restartsWithin(ledger[container.id], policy, nowMs);
  const crowd = crowds.get(service ?? "");
  const isOfMass = crowd !== undefined && isMass(crowd);
  if (health === "starting") {
    return { kind: "wait", subject, spent, mayRestart: policy.repair && !isOfMass };
  }
  if (!policy.repair) return leave("the policy only reports");
  if (isOfMass) {
    return leave(
      `${crowd.sick} of ${crowd.all} of its service are unhealthy at once, which no restart mends`,
    );
  }
  if (spent.length >= policy.maxRestarts) {
    return leave(formatGivenUp(spent.length, policy), { gaveUp: true });
  }
  return { kind: "restart", subject, spent };
}
