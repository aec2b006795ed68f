import { HEALTHCHECK_DEFAULTS, type Healthcheck, type HealthTest } from "../health/policy";
import type { Fields } from "../values";

/** Reads `healthcheck: { http | tcp | command, interval, timeout, retries, startPeriod }`. */
export function readHealthcheck(fields: Fields): Healthcheck | undefined {
  const before = fields.failures.length;
  const given = ["http", "tcp", "command"].filter((key) => fields.has(key));
  if (given.length !== 1 && !fields.unknown) {
    fields.fail(given[1] ?? "http", "needs exactly one way to ask: http, tcp or command");
  }
  const [test] = [readHttp(fields), readTcp(fields), readCommand(fields)].filter((way) => way !== undefined);
  const check = {
    intervalMs: fields.duration("interval") ?? HEALTHCHECK_DEFAULTS.intervalMs,
    timeoutMs: fields.duration("timeout") ?? HEALTHCHECK_DEFAULTS.timeoutMs,
    retries: fields.integer("retries", { min: 1, max: 1_000 }) ?? HEALTHCHECK_DEFAULTS.retries,
    startPeriodMs: fields.duration("startPeriod") ?? HEALTHCHECK_DEFAULTS.startPeriodMs,
  };
  // the engine refuses anything under a millisecond, and a check without a pause would be a load test
  if (check.intervalMs < 1) fields.fail("interval", "must be at least 1ms");
  if (check.timeoutMs < 1) fields.fail("timeout", "must be at least 1ms");
  fields.rejectOthers();
  return test === undefined || fields.failures.length > before ? undefined : { test, ...check };
}

function readHttp(fields: Fields): HealthTest | undefined {
  const http = fields.object("http");
  if (http === undefined) return undefined;
  const port = requiredPort(http);
  const path = http.requiredString("path");
  if (path !== undefined && !/^\/[\x21-\x7e]*$/.test(path)) {
    http.fail("path", 'must begin with "/" and hold no spaces or control characters');
  }
  const status = http.integer("status", { min: 100, max: 599 });
  http.rejectOthers();
  if (port === undefined || path === undefined) return undefined;
  return { kind: "http", port, path, ...(status === undefined ? {} : { status }) };
}

function readTcp(fields: Fields): HealthTest | undefined {
  const tcp = fields.object("tcp");
  if (tcp === undefined) return undefined;
  const port = requiredPort(tcp);
  tcp.rejectOthers();
  return port === undefined ? undefined : { kind: "tcp", port };
}

function readCommand(fields: Fields): HealthTest | undefined {
  const argv = fields.strings("command");
  if (argv === undefined) return undefined;
  if (argv.length === 0) return fields.fail("command", "needs at least the program's name");
  return { kind: "command", argv };
}

function requiredPort(fields: Fields): number | undefined {
  if (!fields.has("port")) return fields.fail("port", "is required");
  return fields.integer("port", { min: 1, max: 65_535 });
}
