import { SlipwayError } from "../errors";
import { isObject } from "../values";
import { HEALTHCHECK_DEFAULTS, type Healthcheck } from "./policy";

const NANOSECONDS = 1_000_000;

/** The Engine API's HealthConfig: durations in nanoseconds, 0 for "Docker's default". */
export interface DockerHealthcheck {
  readonly Test: string[];
  readonly Interval: number;
  readonly Timeout: number;
  readonly Retries: number;
  readonly StartPeriod: number;
}

/**
 * A `command` check as the container's HEALTHCHECK.
 * @throws SlipwayError `internal` for http and tcp, of which Docker knows nothing
 */
export function toDockerHealthcheck(healthcheck: Healthcheck): DockerHealthcheck {
  if (healthcheck.test.kind !== "command") {
    throw new SlipwayError({
      code: "internal",
      what: "making a HEALTHCHECK",
      why: `Docker has no ${healthcheck.test.kind} check`,
    });
  }
  return {
    Test: ["CMD", ...healthcheck.test.argv],
    Interval: healthcheck.intervalMs * NANOSECONDS,
    Timeout: healthcheck.timeoutMs * NANOSECONDS,
    Retries: healthcheck.retries,
    StartPeriod: healthcheck.startPeriodMs * NANOSECONDS,
  };
}

/** A container's or image's `Config.Healthcheck` as ours; undefined when there is none, or it is `NONE`. */
export function fromDockerHealthcheck(config: unknown): Healthcheck | undefined {
  if (!isObject(config) || !Array.isArray(config.Test)) return undefined;
  const argv = argvOf(config.Test.filter((word): word is string => typeof word === "string"));
  if (argv === undefined) return undefined;
  return {
    test: { kind: "command", argv },
    intervalMs: milliseconds(config.Interval) ?? HEALTHCHECK_DEFAULTS.intervalMs,
    timeoutMs: milliseconds(config.Timeout) ?? HEALTHCHECK_DEFAULTS.timeoutMs,
    retries: positive(config.Retries) ?? HEALTHCHECK_DEFAULTS.retries,
    startPeriodMs: milliseconds(config.StartPeriod) ?? HEALTHCHECK_DEFAULTS.startPeriodMs,
  };
}

/** Docker runs CMD-SHELL with the image's SHELL, which inspect shows only of the image; /bin/sh is what nearly all have. */
function argvOf([kind, ...words]: readonly string[]): readonly string[] | undefined {
  if (words.length === 0) return undefined;
  if (kind === "CMD") return words;
  if (kind === "CMD-SHELL") return ["/bin/sh", "-c", words.join(" ")];
  return undefined;
}

function milliseconds(value: unknown): number | undefined {
  const nanoseconds = positive(value);
  return nanoseconds === undefined ? undefined : nanoseconds / NANOSECONDS;
}

function positive(value: unknown): number | undefined {
  return typeof value === "number" && value > 0 ? value : undefined;
}
