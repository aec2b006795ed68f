import assert from "node:assert/strict";
import { formatPlan } from "../../../../provider/docker-host/plan/operation";
import { planEngine } from "../../../../provider/docker-host/plan/plan";
import { desiredEngine, observedEngine, runningDaemon } from "../../../support/observed-engine";

const INSTALLED = { "docker.io": "26.1.5-1", "docker-cli": "26.1.5-1", containerd: "1", runc: "1" };
const wants = (name: string) =>
  desiredEngine("26.1.5", { daemonConfig: { "live-restore": true, "log-driver": name } });
const running = (logDrivers = ["journald", "json-file", "loki:latest"]) =>
  observedEngine(
    { daemon: { ...runningDaemon("26.1.5"), logDrivers } },
    { installed: INSTALLED, held: Object.keys(INSTALLED) },
  );
const asked = (plan: ReturnType<typeof planEngine>): readonly (string | undefined)[] =>
  plan.flatMap((step) => (step.kind === "start" || step.kind === "restart" ? [step.logDriver] : []));

describe("a log driver", () => {
  it("must be one that the running daemon has, else nothing is touched and those that there are are named", () => {
    assert.throws(() => planEngine(wants("nonsense"), running()), {
      code: "daemon-config-invalid",
      message:
        /^setting log-driver of daemonConfig on root@h:22: .*no log driver "nonsense".*Docker 26\.1\.5 goes on running, nothing was changed.*\(journald, json-file, loki:latest\)/,
    });
    for (const name of ["journald", "loki", "loki:latest", "none"])
      assert.match(formatPlan(planEngine(wants(name), running())), /set .*log-driver in daemon\.json/);
  });

  it("must be asked for after the start where the daemon to come is another one, or does not tell", () => {
    assert.deepEqual(asked(planEngine(wants("nonsense"), observedEngine())), ["nonsense"]);
    assert.deepEqual(asked(planEngine(wants("nonsense"), running([]))), ["nonsense"]);
    assert.deepEqual(asked(planEngine(wants("journald"), running())), [undefined]);
    assert.deepEqual(asked(planEngine(desiredEngine("26.1.5"), observedEngine())), [undefined]);
  });
});
