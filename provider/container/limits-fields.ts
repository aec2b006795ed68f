import type { Fields } from "../values";
import { parseByteSize } from "./byte-size";
import { DEFAULT_RESTART, type Limits } from "./limits";

/** The arguments that `readLimits` reads. */
export const LIMITS_KEYS = ["restart", "memory", "cpus", "pidsLimit"] as const;

// below that the engine refuses the container
const LEAST_MEMORY = 6 * 1024 * 1024;

/** Reads `restart`, `memory`, `cpus` and `pidsLimit`. */
export function readLimits(fields: Fields): Limits {
  return {
    restart: readRestart(fields),
    memory: readMemory(fields),
    nanoCpus: readCpus(fields),
    pidsLimit: Math.max(0, fields.integer("pidsLimit", { min: -1 }) ?? 0),
  };
}

function readRestart(fields: Fields): string {
  const restart = fields.string("restart") ?? DEFAULT_RESTART;
  if (!/^(no|always|unless-stopped|on-failure(:[1-9]\d{0,5})?)$/.test(restart)) {
    fields.fail("restart", 'must be "no", "always", "unless-stopped", "on-failure" or "on-failure:<times>"');
  }
  return restart;
}

function readMemory(fields: Fields): number {
  const value = fields.raw("memory");
  if (value === undefined) return 0;
  const bytes = parseByteSize(value);
  if (bytes === undefined) fields.fail("memory", 'must be a size such as "512m" or "1g"');
  else if (bytes < LEAST_MEMORY) fields.fail("memory", "must be at least 6m");
  return bytes ?? 0;
}

function readCpus(fields: Fields): number {
  const value = fields.raw("cpus");
  if (value === undefined) return 0;
  const cpus = typeof value === "number" || typeof value === "string" ? Number(value) : Number.NaN;
  if (!(cpus >= 0.01 && cpus <= 1_024))
    fields.fail("cpus", "must be a number of processors such as 0.5 or 2");
  return Number.isNaN(cpus) ? 0 : Math.round(cpus * 1e9);
}
