import type { PolicyInputs } from "./inputs";
import type { ContainerHealth, HostHealth } from "./observed";

/** What is to be done about one container, and why. */
export type Operation =
  /** Restart it and wait for it, at most `maxRestarts` times. */
  | { readonly kind: "restart"; readonly subject: ContainerHealth; readonly maxRestarts: number }
  /** It is starting: wait for it first, and restart it only when it does not become healthy. 0 restarts: only wait. */
  | { readonly kind: "wait"; readonly subject: ContainerHealth; readonly maxRestarts: number }
  /** Not to be touched. `excused`: by another's right, so that the run does not fail for it. */
  | {
      readonly kind: "leave";
      readonly subject: ContainerHealth;
      readonly reason: string;
      readonly excused: boolean;
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
export function planRepairs(policy: PolicyInputs, hosts: readonly HostHealth[]): RepairPlan {
  const lanes = new Map<string, Operation[]>();
  for (const host of hosts) {
    for (const subject of host.containers) {
      const operation = operationFor(policy, subject, host.locked);
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

function operationFor(
  policy: PolicyInputs,
  subject: ContainerHealth,
  locked: readonly string[],
): Operation | undefined {
  if (subject.health !== "unhealthy" && subject.health !== "starting") return undefined;
  if (subject.service !== undefined && locked.includes(subject.service)) {
    return { kind: "leave", subject, reason: "a deployment holds the lock of its service", excused: true };
  }
  const maxRestarts = policy.repair ? policy.maxRestarts : 0;
  if (subject.health === "starting") return { kind: "wait", subject, maxRestarts };
  if (!policy.repair) return { kind: "leave", subject, reason: "the policy only reports", excused: false };
  return { kind: "restart", subject, maxRestarts };
}
