import { isObject } from "../values";

/** What the engine changes on a container that stays: in no spec hash, compared with inspect. */
export interface Limits {
  /** `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`. */
  readonly restart: string;
  /** Bytes; 0 is unlimited. */
  readonly memory: number;
  /** Billionths of a processor; 0 is unlimited. */
  readonly nanoCpus: number;
  /** 0 is unlimited. */
  readonly pidsLimit: number;
}

/** What has to happen for the limits to become the wanted ones. */
export type LimitsChange = "none" | "update" | "replace";

export const DEFAULT_RESTART = "unless-stopped";

/** The limits of a container as inspect shows them. */
export function parseLimits(inspect: unknown): Limits {
  const host = isObject(inspect) && isObject(inspect.HostConfig) ? inspect.HostConfig : {};
  const policy = isObject(host.RestartPolicy) ? host.RestartPolicy : {};
  const name = typeof policy.Name === "string" && policy.Name !== "" ? policy.Name : "no";
  const retries = positive(policy.MaximumRetryCount);
  return {
    restart: name === "on-failure" && retries > 0 ? `${name}:${retries}` : name,
    memory: positive(host.Memory),
    nanoCpus: positive(host.NanoCpus),
    pidsLimit: positive(host.PidsLimit),
  };
}

/** The engine cannot take a limit of memory or processors away from a container that has one: that needs a new one. */
export function compareLimits(wanted: Limits, found: Limits): LimitsChange {
  if (wanted.memory === 0 && found.memory > 0) return "replace";
  if (wanted.nanoCpus === 0 && found.nanoCpus > 0) return "replace";
  const same =
    wanted.restart === found.restart &&
    wanted.memory === found.memory &&
    wanted.nanoCpus === found.nanoCpus &&
    wanted.pidsLimit === found.pidsLimit;
  return same ? "none" : "update";
}

/** The engine's words for limits, in create (HostConfig) and update alike. */
export interface EngineLimits {
  readonly RestartPolicy: { readonly Name: string; readonly MaximumRetryCount: number };
  readonly Memory?: number;
  readonly MemorySwap?: number;
  readonly NanoCpus?: number;
  readonly PidsLimit?: number;
}

export function engineLimits(limits: Limits): EngineLimits {
  return {
    RestartPolicy: enginePolicy(limits.restart),
    // the engine's own default for swap, said aloud: a later update of the memory alone would be refused
    ...(limits.memory > 0 ? { Memory: limits.memory, MemorySwap: limits.memory * 2 } : {}),
    ...(limits.nanoCpus > 0 ? { NanoCpus: limits.nanoCpus } : {}),
    ...(limits.pidsLimit > 0 ? { PidsLimit: limits.pidsLimit } : {}),
  };
}

/** As `engineLimits`, for an update, where a limit of processes is taken away by -1. */
export function engineLimitsUpdate(limits: Limits): EngineLimits {
  return { ...engineLimits(limits), PidsLimit: limits.pidsLimit > 0 ? limits.pidsLimit : -1 };
}

/** The restart policy alone; also for the policies that guard a switch. */
export function enginePolicy(restart: string): EngineLimits["RestartPolicy"] {
  const [name = "no", retries = "0"] = restart.split(":");
  return { Name: name, MaximumRetryCount: Number(retries) };
}

function positive(value: unknown): number {
  return typeof value === "number" && value > 0 ? value : 0;
}
