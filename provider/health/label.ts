import { canonicalJson, isObject } from "../values";
import { HEALTHCHECK_DEFAULTS, type Healthcheck, type HealthTest } from "./policy";

/** The `slipway.healthcheck` label: JSON, equal checks give equal text. Commands hold no secrets (check sees to it). */
export function formatHealthcheck(healthcheck: Healthcheck): string {
  return canonicalJson(healthcheck);
}

/** Reads the label; undefined when the text is none of ours (somebody else wrote it, or a newer release). */
export function parseHealthcheck(text: string): Healthcheck | undefined {
  const value = parsedJson(text);
  if (!isObject(value)) return undefined;
  const test = readTest(value.test);
  if (test === undefined) return undefined;
  const number = (key: keyof typeof HEALTHCHECK_DEFAULTS): number => {
    const given = value[key];
    return typeof given === "number" && given >= 0 ? given : HEALTHCHECK_DEFAULTS[key];
  };
  return {
    test,
    intervalMs: number("intervalMs"),
    timeoutMs: number("timeoutMs"),
    retries: number("retries"),
    startPeriodMs: number("startPeriodMs"),
  };
}

function readTest(value: unknown): HealthTest | undefined {
  if (!isObject(value)) return undefined;
  switch (value.kind) {
    case "http":
      if (!isPort(value.port) || typeof value.path !== "string") return undefined;
      return {
        kind: "http",
        port: value.port,
        path: value.path,
        ...(typeof value.status === "number" ? { status: value.status } : {}),
      };
    case "tcp":
      return isPort(value.port) ? { kind: "tcp", port: value.port } : undefined;
    case "command":
      return isArgv(value.argv) ? { kind: "command", argv: value.argv } : undefined;
    default:
      return undefined;
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536;
}

function isArgv(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === "string");
}
