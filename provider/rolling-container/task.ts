import type { Fields } from "../values";

/** A command that runs once a rollout, in a container of its own. */
export interface Task {
  readonly command: readonly string[];
  readonly timeoutMs: number;
  /** Beside the service's. */
  readonly env: Readonly<Record<string, string>>;
}

/** The tasks of a service. */
export interface Tasks {
  readonly preDeploy?: readonly Task[];
  readonly postDeploy?: readonly Task[];
}

/** How long a task may take when nothing is said. */
const TASK_TIMEOUT_MS = 600_000;

const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/** Reads one of `preDeploy` and `postDeploy`: `{ command, timeout?, env? }`. */
export function readTask(fields: Fields): Task | undefined {
  const command = fields.strings("command");
  if (!fields.has("command") || command?.length === 0) fields.fail("command", "is required");
  const env = fields.stringMap("env") ?? {};
  for (const name of Object.keys(env)) {
    if (!ENV_NAME.test(name)) fields.fail("env", `has the name ${JSON.stringify(name.slice(0, 60))}`);
  }
  const timeoutMs = fields.duration("timeout") ?? TASK_TIMEOUT_MS;
  if (timeoutMs < 1) fields.fail("timeout", "must be at least 1ms");
  fields.rejectOthers();
  return command === undefined ? undefined : { command, timeoutMs, env };
}

/** How long a task of the service may take, as far as it is known: the one that an earlier run left may have been another. */
export function longestTaskMs({ preDeploy = [], postDeploy = [] }: Tasks): number {
  return Math.max(TASK_TIMEOUT_MS, ...[...preDeploy, ...postDeploy].map(({ timeoutMs }) => timeoutMs));
}
