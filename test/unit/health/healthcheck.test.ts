import assert from "node:assert/strict";
import { fromDockerHealthcheck, toDockerHealthcheck } from "../../../provider/health/docker-healthcheck";
import { formatHealthcheck, parseHealthcheck } from "../../../provider/health/label";
import type { Healthcheck, HealthTest } from "../../../provider/health/policy";

const TIMES = { intervalMs: 1_500, timeoutMs: 2_000, retries: 4, startPeriodMs: 10_000 };
const DEFAULTS = { intervalMs: 30_000, timeoutMs: 30_000, retries: 3, startPeriodMs: 0 };

describe("the healthcheck label", () => {
  const tests: readonly HealthTest[] = [
    { kind: "http", port: 3000, path: "/up?a=b" },
    { kind: "http", port: 3000, path: "/", status: 204 },
    { kind: "tcp", port: 5432 },
    { kind: "command", argv: ["pg_isready", "-U", 'it"s'] },
  ];
  for (const test of tests) {
    it(`must read back what it wrote: ${JSON.stringify(test)}`, () => {
      const check: Healthcheck = { test, ...TIMES };
      assert.deepEqual(parseHealthcheck(formatHealthcheck(check)), check);
    });
  }

  it("must give equal text for equal checks", () => {
    const test: HealthTest = { kind: "tcp", port: 1 };
    assert.equal(formatHealthcheck({ test, ...TIMES }), formatHealthcheck({ ...TIMES, test }));
  });

  for (const text of [
    "",
    "yes",
    "[]",
    '{"test":{"kind":"http","port":0,"path":"/"}}',
    '{"test":{"kind":"dns"}}',
  ]) {
    it(`must not take ${JSON.stringify(text)} for a check`, () =>
      assert.equal(parseHealthcheck(text), undefined));
  }

  it("must fill in Docker's defaults", () => {
    assert.deepEqual(parseHealthcheck('{"test":{"kind":"tcp","port":80}}'), {
      test: { kind: "tcp", port: 80 },
      ...DEFAULTS,
    });
  });
});

describe("Docker's HEALTHCHECK", () => {
  it("must be in nanoseconds", () => {
    assert.deepEqual(toDockerHealthcheck({ test: { kind: "command", argv: ["true"] }, ...TIMES }), {
      Test: ["CMD", "true"],
      Interval: 1_500_000_000,
      Timeout: 2_000_000_000,
      Retries: 4,
      StartPeriod: 10_000_000_000,
    });
  });

  it("must come back as it went", () => {
    const check: Healthcheck = { test: { kind: "command", argv: ["a", "b c"] }, ...TIMES };
    assert.deepEqual(fromDockerHealthcheck(toDockerHealthcheck(check)), check);
  });

  it("must refuse what Docker does not know", () => {
    assert.throws(
      () => toDockerHealthcheck({ test: { kind: "tcp", port: 1 }, ...TIMES }),
      /Docker has no tcp check/,
    );
  });

  it("must read the shell form with Docker's defaults", () => {
    assert.deepEqual(
      fromDockerHealthcheck({ Test: ["CMD-SHELL", "curl -f localhost || exit 1"], Interval: 0 }),
      {
        test: { kind: "command", argv: ["/bin/sh", "-c", "curl -f localhost || exit 1"] },
        ...DEFAULTS,
      },
    );
  });

  for (const config of [undefined, null, {}, { Test: [] }, { Test: ["NONE"] }, { Test: ["CMD"] }]) {
    it(`must see none in ${JSON.stringify(config)}`, () =>
      assert.equal(fromDockerHealthcheck(config), undefined));
  }
});
