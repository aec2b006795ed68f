import type { Properties } from "../handler";
import { Fields } from "../values";

/** How a rollout goes, parsed; times in milliseconds. */
export interface UpdateSettings {
  /** `atomic`: gate everywhere, then switch everywhere. @default "rolling" */
  readonly strategy?: "rolling" | "atomic";
  /** `bridged`: refused where that is not possible. `plain`: never two of the service at once. */
  readonly switch: "auto" | "bridged" | "plain";
  /** Hosts at the same time. */
  readonly parallelism: number | { readonly percent: number };
  /** The first host alone. */
  readonly canary: boolean;
  /** Between two batches of hosts. */
  readonly delayMs: number;
  readonly minHealthyMs: number;
  readonly healthyDeadlineMs: number;
  readonly progressDeadlineMs: number;
  readonly failureAction: "rollback" | "pause";
  readonly lockWaitMs: number;
}

export const UPDATE_DEFAULTS: UpdateSettings = {
  switch: "auto",
  parallelism: 1,
  canary: false,
  delayMs: 0,
  minHealthyMs: 3_000,
  healthyDeadlineMs: 120_000,
  progressDeadlineMs: 600_000,
  failureAction: "rollback",
  lockWaitMs: 120_000,
};

/** Reads the argument `update`. */
export function readUpdate(fields: Fields): UpdateSettings {
  const strategy = fields.oneOf("strategy", ["rolling", "atomic"]);
  const settings: UpdateSettings = {
    ...(strategy === "atomic" ? { strategy } : {}),
    switch: fields.oneOf("switch", ["auto", "bridged", "plain"]) ?? UPDATE_DEFAULTS.switch,
    parallelism: readParallelism(fields),
    canary: fields.boolean("canary") ?? UPDATE_DEFAULTS.canary,
    delayMs: fields.duration("delay") ?? UPDATE_DEFAULTS.delayMs,
    minHealthyMs: fields.duration("minHealthyTime") ?? UPDATE_DEFAULTS.minHealthyMs,
    healthyDeadlineMs: fields.duration("healthyDeadline") ?? UPDATE_DEFAULTS.healthyDeadlineMs,
    progressDeadlineMs: fields.duration("progressDeadline") ?? UPDATE_DEFAULTS.progressDeadlineMs,
    failureAction: fields.oneOf("failureAction", ["rollback", "pause"]) ?? UPDATE_DEFAULTS.failureAction,
    lockWaitMs: fields.duration("lockWait") ?? UPDATE_DEFAULTS.lockWaitMs,
  };
  fields.rejectOthers();
  if (strategy === "atomic" && settings.failureAction === "pause") {
    fields.fail(
      "failureAction",
      'cannot be "pause" with the strategy "atomic": one failure puts every host back',
    );
  }
  if (settings.minHealthyMs >= settings.healthyDeadlineMs) {
    fields.fail("minHealthyTime", "must be less than healthyDeadline");
  }
  if (settings.healthyDeadlineMs >= settings.progressDeadlineMs) {
    fields.fail("healthyDeadline", "must be less than progressDeadline");
  }
  return settings;
}

/** What outputs say of it; the default for whatever does not read as such. */
export function recordedUpdate({ update }: Properties): UpdateSettings {
  const fields = new Fields({ update }).object("update");
  return fields === undefined ? UPDATE_DEFAULTS : readUpdate(fields);
}

/** How many of `hosts` go at the same time; a share is rounded up. */
export function batchSize(parallelism: UpdateSettings["parallelism"], hosts: number): number {
  if (typeof parallelism === "number") return parallelism;
  return Math.max(1, Math.ceil((hosts * parallelism.percent) / 100));
}

function readParallelism(fields: Fields): UpdateSettings["parallelism"] {
  const value = fields.raw("parallelism");
  if (value === undefined) return UPDATE_DEFAULTS.parallelism;
  if (typeof value === "number" && Number.isInteger(value) && value >= 1) return value;
  const percent = typeof value === "string" ? /^(\d{1,3})%$/.exec(value) : null;
  if (percent && Number(percent[1]) >= 1 && Number(percent[1]) <= 100) return { percent: Number(percent[1]) };
  fields.fail("parallelism", 'must be a number of hosts such as 2, or a share such as "25%"');
  return UPDATE_DEFAULTS.parallelism;
}
