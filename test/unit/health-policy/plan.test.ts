import assert from "node:assert/strict";
import { judgeStopped } from "../../../provider/health-policy/examine";
import { restartDeadlineMs } from "../../../provider/health-policy/bring-back";
import { judgeLook } from "../../../provider/health-policy/look";
import { inScope } from "../../../provider/health-policy/observe";
import type { HostHealth, PolicyHealth } from "../../../provider/health-policy/observed";
import { formatPlan, planRepairs } from "../../../provider/health-policy/plan";
import { hostOf, policy, seen } from "../../support/health-look";
import { observedContainer } from "../../support/observed-container";

const NOTHING_SPENT = { ledger: {}, nowMs: 0 };

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
        seen("b", "mail", "unchecked", "", "mail"),
      ],
      ["api"],
    ),
  ];

  it("must restart what is unhealthy, wait for what starts, and leave what is being deployed", () => {
    assert.equal(
      formatPlan(planRepairs(policy(), hosts, NOTHING_SPENT)),
      [
        "restart web on a: its check fails",
        "wait for web on b: it is starting",
        "leave api on b: its check hangs; a deployment holds the lock of its service",
      ].join("\n"),
    );
  });

  it("must only report where the program says so", () => {
    assert.equal(
      formatPlan(planRepairs(policy({ repair: false }), hosts, NOTHING_SPENT)),
      [
        "leave web on a: its check fails; the policy only reports",
        "wait for web on b: it is starting",
        "leave api on b: its check hangs; a deployment holds the lock of its service",
      ].join("\n"),
    );
  });

  it("must count a service over all hosts", () => {
    const lanes = planRepairs(policy({ maxUnavailable: 2 }), hosts, NOTHING_SPENT).lanes;
    assert.deepEqual(
      lanes.map(({ service, width, operations }) => [service, width, operations.length]),
      [
        ["web", 2, 2],
        ["api", 2, 1],
      ],
    );
  });
});

describe("planRepairs, where restarts would not help", () => {
  const service = (...healths: readonly PolicyHealth[]) => [
    hostOf(
      "a",
      healths.map((health, at) => seen("a", `web-${at + 1}`, health, health === "healthy" ? "" : "sick")),
    ),
  ];
  const planned = (hosts: readonly HostHealth[], more: object = {}, spent = NOTHING_SPENT) =>
    formatPlan(planRepairs(policy(more), hosts, spent)).split("\n");

  it("must only report when over half of a service is unhealthy at once", () => {
    assert.deepEqual(planned(service("unhealthy", "unhealthy", "healthy")), [
      "leave web-1 on a: sick; 2 of 3 of its service are unhealthy at once, which no restart mends",
      "leave web-2 on a: sick; 2 of 3 of its service are unhealthy at once, which no restart mends",
    ]);
  });

  it("must restart up to half of a service, and one that is alone", () => {
    assert.deepEqual(planned(service("unhealthy", "healthy")), ["restart web-1 on a: sick"]);
    assert.deepEqual(planned(service("unhealthy", "unhealthy", "healthy", "unchecked")), [
      "restart web-1 on a: sick",
      "restart web-2 on a: sick",
    ]);
    assert.deepEqual(planned(service("unhealthy")), ["restart web-1 on a: sick"]);
  });

  it("must count a crowd over all hosts, and strangers as no crowd", () => {
    const sickOn = (target: string, service?: string) => {
      return hostOf(target, [{ ...seen(target, "web", "unhealthy", "sick"), service }]);
    };
    const left = planned([sickOn("a", "web"), sickOn("b", "web")]);
    assert.ok(
      left.every((line) => line.startsWith("leave web on ")),
      left.join(),
    );
    const strangers = planned([sickOn("a"), sickOn("b")]);
    assert.deepEqual(strangers, ["restart web on a: sick", "restart web on b: sick"]);
  });

  it("must give up on one whose restarts are used up within the window, until they fall out of it", () => {
    const at = (nowMs: number) => ({ ledger: { "a-web-1": [0, 1_000, 2_000] }, nowMs });
    const sick = service("unhealthy", "healthy");
    assert.deepEqual(planned(sick, {}, at(599_999)), [
      "leave web-1 on a: sick; given up after 3 restarts within 10m",
    ]);
    assert.deepEqual(planned(sick, {}, at(600_000)), ["restart web-1 on a: sick"]);
    assert.deepEqual(planned(sick, { window: "1s" }, at(2_500)), ["restart web-1 on a: sick"]);
    assert.deepEqual(planned(sick, { maxRestarts: 4 }, at(3_000)), ["restart web-1 on a: sick"]);
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
    assert.equal(judgeStopped(observedContainer({ ...exited, restartPolicy: "no" })).health, "unchecked");
    assert.equal(judgeStopped(observedContainer({ ...exited, labels: {} })).health, "unchecked");
    const once = { restartPolicy: "on-failure", state: "exited" } as const;
    assert.equal(judgeStopped(observedContainer({ ...once, exitCode: 0 })).health, "unchecked");
    assert.equal(judgeStopped(observedContainer({ ...once, exitCode: 2 })).health, "unhealthy");
  });

  it("must call it unhealthy when Docker starts it again and again, and leave a first crash to Docker", () => {
    const crashed = (restartCount: number) =>
      judgeStopped(observedContainer({ state: "restarting", exitCode: 3, restartCount }));
    assert.equal(crashed(1).health, "starting");
    assert.deepEqual(crashed(2), {
      health: "unhealthy",
      cause: "it is crash-looping: it ended with code 3 and was restarted 2 times",
    });
  });

  it("must never touch one that is paused", () => {
    assert.equal(judgeStopped(observedContainer({ state: "paused" })).health, "unchecked");
  });
});

describe("judgeLook", () => {
  const told = (recorded: object, hosts: readonly HostHealth[], more: object = {}) => {
    const lines: string[] = [];
    const changes = judgeLook(policy(more), { ...recorded }, hosts, NOTHING_SPENT, (line) =>
      lines.push(line),
    );
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

  it("must call one well again that runs without a check, not one that was paused", () => {
    const unchecked = (state: "running" | "paused") => {
      const subject = seen("a", "web", "unchecked");
      return hostOf("a", [{ ...subject, container: { ...subject.container, state } }]);
    };
    assert.deepEqual(told(known, [unchecked("running")]).lines, ["healthy again: a web"]);
    assert.equal(told(known, [unchecked("paused")]).changes, false);
  });

  it("must report what is given up once, and plan nothing for it from then on", () => {
    const spent = { ledger: { "a-web": [0, 0, 0] }, nowMs: 1_000 };
    const judge = (recorded: object) => judgeLook(policy(), { ...recorded }, [sick], spent, () => {});
    assert.equal(judge({}), true);
    assert.equal(judge(known), false);
  });

  it("must report the same thing once, and say all the same who is left unhealthy", () => {
    const only = { repair: false };
    assert.equal(told({}, [sick], only).changes, true);
    const lines = ["leave web on a: its check fails; the policy only reports"];
    assert.deepEqual(told(known, [sick], only), { changes: false, lines });
  });
});

describe("restartDeadlineMs", () => {
  const check = { test: { kind: "tcp", port: 1 }, timeoutMs: 1, startPeriodMs: 0, retries: 2 } as const;

  it("must be what Docker would take, from ten seconds to five minutes", () => {
    assert.equal(restartDeadlineMs("none"), 10_000);
    assert.equal(restartDeadlineMs({ ...check, intervalMs: 1_000 }), 10_000);
    assert.equal(restartDeadlineMs({ ...check, intervalMs: 15_000, startPeriodMs: 5_000 }), 35_000);
    assert.equal(restartDeadlineMs({ ...check, intervalMs: 30_000 }), 60_000);
    assert.equal(restartDeadlineMs({ ...check, intervalMs: 300_000 }), 300_000);
  });
});
