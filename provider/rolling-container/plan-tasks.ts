import { furtherNetworks } from "../container/create-options";
import { taskName } from "../container/names";
import { containerOptions, type Desired } from "./desired";
import type { ContainerRef } from "./container-ref";
import type { Step } from "./operation";
import { fillSecrets } from "./plan-secrets";
import type { Task } from "./task";

/** When tasks run. */
export type TaskPhase = "preDeploy" | "postDeploy";

/**
 * The steps that run the tasks of a phase, one after another, each in a container of the new image with the service's
 * environment, networks, mounts and secretFiles. One name for all: none runs twice at once.
 */
export function planTasks(desired: Desired, phase: TaskPhase): readonly Step[] {
  const tasks = desired[phase] ?? [];
  if (tasks.length === 0) return [];
  // after the rollout its containers have them
  const secrets = phase === "preDeploy" ? fillSecrets(1, desired) : [];
  return [...secrets, ...tasks.flatMap((task, index) => planTask(desired, task, `${phase}[${index}]`))];
}

function planTask(desired: Desired, { command, timeoutMs, env }: Task, cause: string): readonly Step[] {
  const container: ContainerRef = { name: taskName(desired.service) };
  const all = { ...desired.spec.env, ...env };
  const options = {
    ...containerOptions(desired, 1, false),
    Cmd: [...command],
    Env: Object.entries(all).map(([name, value]) => `${name}=${value}`),
    ExposedPorts: {},
    Healthcheck: { Test: ["NONE"] },
  };
  const joins = furtherNetworks(desired.spec).map((network): Step => {
    return { operation: { kind: "connect", container, network, aliases: [] }, cause };
  });
  const remove = { kind: "remove", container, volumes: true } as const;
  return [
    { operation: { kind: "create", container, options }, cause, undo: [remove] },
    ...joins,
    {
      operation: { kind: "start", container },
      cause,
      undo: [{ kind: "stop", container, interrupts: false }],
    },
    { operation: { kind: "await-exit", container, deadlineMs: timeoutMs, mustSucceed: true }, cause },
    { operation: remove, cause: `${cause} is done` },
  ];
}
