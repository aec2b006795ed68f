import assert from "node:assert/strict";
import { unhealthyError } from "../../../provider/health-policy/failure";
import { outcomeOf } from "../../../provider/health-policy/report";
import { hostOf, seen } from "../../support/health-look";

describe("outcomeOf", () => {
  const subject = seen("a", "web", "unhealthy", "its check fails");
  const looked = [hostOf("b", [seen("b", "web", "healthy")]), hostOf("a", [subject])];
  const hosts = looked.map((host) => ({ ...host, machineId: "" }));
  const repaired = {
    subject,
    container: subject.container,
    restartedAt: [0],
    reason: "",
    output: "",
    excused: false,
    gaveUp: false,
  };

  it("must be sorted, with what came of the operations", () => {
    const { report, counts, restarted, gaveUp } = outcomeOf(hosts, [{ ...repaired, health: "healthy" }]);
    const none = { unhealthy: 0, starting: 0, unchecked: 0, gaveUp: 0 };
    assert.deepEqual(counts, { containers: 2, healthy: 2, restarted: 1, ...none });
    const row = { name: "web", service: "web", image: "web:1", state: "running", health: "healthy" };
    assert.deepEqual(report, [
      { host: "a", ...row },
      { host: "b", ...row },
    ]);
    assert.deepEqual([restarted, gaveUp], [["a web"], []]);
  });

  it("must leave out what is gone and name what was given up", () => {
    const gone = outcomeOf(hosts, [{ ...repaired, container: undefined, health: "unhealthy", gaveUp: true }]);
    assert.deepEqual(
      gone.report.map(({ host }) => host),
      ["b"],
    );
    assert.deepEqual(gone.gaveUp, ["a web"]);
  });

  it("must make one error of all that stay unhealthy, with the check's last words", () => {
    const bad = {
      ...repaired,
      health: "unhealthy",
      restartedAt: [0, 1, 2],
      reason: "its check hung",
    } as const;
    const second = { ...bad, subject: seen("b", "db", "unhealthy") };
    assert.equal(unhealthyError([{ ...bad, excused: true }]), undefined);
    assert.equal(
      unhealthyError([{ ...bad, output: "status 503" }, second])?.message,
      [
        '"web" stays unhealthy on a: its check hung (after 3 restarts). It is running; healthy containers were not touched. Look at its log on the host (docker logs web), then run pulumi up again.',
        "status 503",
        "Unhealthy too:",
        "b db: its check hung",
      ].join("\n"),
    );
    const given = { ...bad, gaveUp: true, reason: "its check hung; given up after 3 restarts within 10m" };
    assert.equal(
      unhealthyError([given])?.message,
      '"web" stays unhealthy on a: its check hung; given up after 3 restarts within 10m. It is running; healthy containers were not touched. Look at its log on the host (docker logs web), then run pulumi up again: it is restarted again when its restarts are out of the window.',
    );
  });
});
