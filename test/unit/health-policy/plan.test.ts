import assert from "node:assert/strict";
import type { HealthStatus } from "../../../provider/container/observed";
import { judgeStopped } from "../../../provider/health-policy/examine";
import { restartDeadlineMs } from "../../../provider/health-policy/execute";
import { unhealthyError } from "../../../provider/health-policy/failure";
import { readPolicy } from "../../../provider/health-policy/inputs";
import { judgeLook } from "../../../provider/health-policy/look";
import { inScope } from "../../../provider/health-policy/observe";
import type { ContainerHealth, HostHealth } from "../../../provider/health-policy/observed";
import { formatPlan, planRepairs } from "../../../provider/health-policy/plan";
import { outcomeOf } from "../../../provider/health-policy/report";
import { Fields } from "../../../provider/values";
import { observedContainer } from "../../support/observed-container";

const policy = (more: object = {}) =>
  readPolicy(new Fields({ name: "health", hosts: [{ host: "a" }, { host: "b" }], ...more }));

const seen = (
  target: string,
  name: string,
  health: HealthStatus,
  cause = "",
  service = "web",
): ContainerHealth => ({
  target,
  container: observedContainer({ name, id: `${target}-${name}` }),
  service,
  check: "none",
  health,
  cause,
});

const hostOf = (
  target: string,
  containers: readonly ContainerHealth[],
  locked: readonly string[] = [],
): HostHealth => ({ target, hostKey: `SHA256:${target}`, containers, locked });

describe("planRepairs", () => {
  const hosts = [
    hostOf("a", [
      seen("a", "web", "unhealthy", "its check fails"),
      seen("a", "db", "healthy", "", "db"),
      seen("a", "job", "unchecked", "it is paused", "job"),
    ]),
    hostOf(
      "b",
      [
        seen("b", "web", "starting", "it is starting"),
        seen("b", "api", "unhealthy", "its check hangs", "api"),
        seen("b", "mail", "none", "", "mail"),
      ],
      ["api"],
    ),
  ];

  it("must restart what is unhealthy, wait for what starts, and leave what is being deployed", () => {
    assert.equal(
      formatPlan(planRepairs(policy(), hosts)),
      [
        "restart web on a: its check fails",
        "wait for web on b: it is starting",
        "leave api on b: its check hangs; a deployment holds the lock of its service",
      ].join("\n"),
    );
  });

  it("must only report where the program says so", () => {
    assert.equal(
      formatPlan(planRepairs(policy({ repair: false }), hosts)),
      [
        "leave web on a: its check fails; the policy only reports",
        "wait for web on b: it is starting",
        "leave api on b: its check hangs; a deployment holds the lock of its service",
      ].join("\n"),
    );
  });

  it("must count a service over all hosts", () => {
    const lanes = planRepairs(policy({ maxUnavailable: 2 }), hosts).lanes;
    assert.deepEqual(
      lanes.map(({ service, width, operations }) => [service, width, operations.length]),
      [
        ["web", 2, 2],
        ["api", 2, 1],
      ],
    );
  });
});

describe("a policy's scope", () => {
  const named = (name: string, slot = "1") =>
    observedContainer({ name, labels: { "slipway.service": "web", "slipway.slot": slot } });

  it("must be the live containers, not those of a deployment", () => {
    const containers = [named("web"), named("web-2", "2"), named("web.next"), named("web.0a1b2c3d")];
    const lock = observedContainer({ name: "slipway.lock.web", labels: {} });
    const inside = [...containers, lock].filter((container) => inScope(container, policy()));
    assert.deepEqual(
      inside.map(({ name }) => name),
      ["web", "web-2"],
    );
  });

  it("must be the named services only", () => {
    assert.equal(inScope(named("web"), policy({ services: ["api"] })), false);
    assert.equal(inScope(named("web"), policy({ services: ["web"] })), true);
    assert.equal(inScope(observedContainer({ name: "x", labels: {} }), policy({ services: ["x"] })), false);
  });
});

describe("judgeStopped", () => {
  it("must call a stopped container of ours unhealthy when its policy says that it should run", () => {
    const exited = { state: "exited", exitCode: 1 } as const;
    assert.equal(judgeStopped(observedContainer(exited)).health, "unhealthy");
    assert.equal(judgeStopped(observedContainer({ ...exited, restartPolicy: "no" })).health, "none");
    assert.equal(judgeStopped(observedContainer({ ...exited, labels: {} })).health, "none");
    const once = { restartPolicy: "on-failure", state: "exited" } as const;
    assert.equal(judgeStopped(observedContainer({ ...once, exitCode: 0 })).health, "none");
    assert.equal(judgeStopped(observedContainer({ ...once, exitCode: 2 })).health, "unhealthy");
  });
});

describe("judgeLook", () => {
  const told = (recorded: object, hosts: readonly HostHealth[], more: object = {}) => {
    const lines: string[] = [];
    const changes = judgeLook(policy(more), { ...recorded }, hosts, (line) => lines.push(line));
    return { changes, lines };
  };
  const sick = hostOf("a", [seen("a", "web", "unhealthy", "its check fails")]);
  const well = hostOf("a", [seen("a", "web", "healthy")]);
  const known = { report: [{ host: "a", name: "web", health: "unhealthy" }] };

  it("must see no change in health, in starting, or in nothing seen", () => {
    const starting = hostOf("a", [seen("a", "web", "starting", "it is starting")]);
    for (const hosts of [[well], [starting], []])
      assert.deepEqual(told({}, hosts), { changes: false, lines: [] });
  });

  it("must name what it would restart", () => {
    assert.deepEqual(told({}, [sick]), { changes: true, lines: ["restart web on a: its check fails"] });
  });

  it("must renew a report that says unhealthy of what is well", () => {
    assert.deepEqual(told(known, [well]), { changes: true, lines: ["healthy again: a web"] });
  });

  it("must not act for a service under deployment", () => {
    assert.deepEqual(told({}, [{ ...sick, locked: ["web"] }]), { changes: false, lines: [] });
  });

  it("must report the same thing once", () => {
    const only = { repair: false };
    assert.equal(told({}, [sick], only).changes, true);
    assert.deepEqual(told(known, [sick], only), { changes: false, lines: [] });
  });
});

describe("outcomeOf", () => {
  const subject = seen("a", "web", "unhealthy", "its check fails");
  const looked = [hostOf("b", [seen("b", "web", "healthy")]), hostOf("a", [subject])];
  const hosts = looked.map((host) => ({ ...host, machineId: "" }));
  const repaired = {
    subject,
    container: subject.container,
    restarts: 1,
    reason: "",
    output: "",
    excused: false,
  };

  it("must be sorted, with what came of the operations", () => {
    const { report, restarted, gaveUp } = outcomeOf(hosts, [{ ...repaired, health: "healthy" }]);
    const row = { name: "web", service: "web", image: "web:1", state: "running", health: "healthy" };
    assert.deepEqual(report, [
      { host: "a", ...row },
      { host: "b", ...row },
    ]);
    assert.deepEqual([restarted, gaveUp], [["a web"], []]);
  });

  it("must leave out what is gone and name what was given up", () => {
    const gone = outcomeOf(hosts, [{ ...repaired, container: undefined, health: "unhealthy" }]);
    assert.deepEqual(
      gone.report.map(({ host }) => host),
      ["b"],
    );
    assert.deepEqual(gone.gaveUp, ["a web"]);
  });

  it("must make one error of all that stay unhealthy, with the check's last words", () => {
    const bad = { ...repaired, health: "unhealthy", restarts: 3, reason: "its check hung" } as const;
    const second = { ...bad, subject: seen("b", "db", "unhealthy") };
    assert.equal(unhealthyError([{ ...bad, excused: true }]), undefined);
    assert.equal(
      unhealthyError([{ ...bad, output: "status 503" }, second])?.message,
      [
        '"web" stays unhealthy on a: its check hung (after 3 restarts). It is running; healthy containers were not touched. Look at its log on the host (docker logs web), then run pulumi up again.',
        "The last output of its check:",
        "status 503",
        "Unhealthy too:",
        "b db: its check hung",
      ].join("\n"),
    );
  });
});

describe("restartDeadlineMs", () => {
  const check = { test: { kind: "tcp", port: 1 }, timeoutMs: 1, startPeriodMs: 0, retries: 2 } as const;

  it("must be what Docker would take, from ten seconds to a minute", () => {
    assert.equal(restartDeadlineMs("none"), 10_000);
    assert.equal(restartDeadlineMs({ ...check, intervalMs: 1_000 }), 10_000);
    assert.equal(restartDeadlineMs({ ...check, intervalMs: 15_000, startPeriodMs: 5_000 }), 35_000);
    assert.equal(restartDeadlineMs({ ...check, intervalMs: 300_000 }), 60_000);
  });
});
