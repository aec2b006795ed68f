import assert from "node:assert/strict";
import { formatSteps, type Step } from "../../../provider/rolling-container/operation";
import { formatPlan, planHost } from "../../../provider/rolling-container/plan";
import { planFinish } from "../../../provider/rolling-container/plan-finish";
import { planTasks } from "../../../provider/rolling-container/plan-tasks";
import { recover } from "../../../provider/rolling-container/recover";
import { UPDATE_DEFAULTS } from "../../../provider/rolling-container/update-settings";
import { desiredService, foundContainer, foundHost, wantedContainer } from "../../support/rollout";

const TASK = { command: ["migrate", "--all"], timeoutMs: 60_000, env: { TOKEN: "task-secret" } };
const SECRETS = { secretFiles: { db: "file-secret" } };

function creates(steps: readonly Step[], name: string) {
  const found = steps.flatMap(({ operation }) =>
    operation.kind === "create" && operation.container.name === name ? [operation.options] : [],
  );
  assert.equal(found.length, 1, name);
  return found[0] ?? {};
}

describe("planTasks", () => {
  const desired = desiredService({
    preDeploy: [TASK],
    spec: { ...SECRETS, env: { A: "1" }, ports: [{ container: 80, host: 80, protocol: "tcp" }] },
  });

  it("must run each in one container that goes again, with the secretFiles of the new revision", () => {
    assert.equal(
      formatSteps(planTasks(desired, "preDeploy")),
      [
        "create volume slipway.secrets.web.bbbbbbbb (secretFiles) <- remove volume slipway.secrets.web.bbbbbbbb",
        "create web.fill (secretFiles) <- remove web.fill",
        "write 1 files into web.fill (secretFiles)",
        "remove web.fill (they are written)",
        "create web.task (preDeploy[0]) <- remove web.task",
        "start web.task (preDeploy[0]) <- stop web.task",
        "wait for web.task to end, at most 1m (preDeploy[0])",
        "remove web.task (preDeploy[0] is done)",
      ].join("\n"),
    );
    assert.deepEqual(planTasks(desired, "postDeploy"), []);
  });

  it("must give it the service's environment and image, and no port, check or policy", () => {
    const options = creates(planTasks(desired, "preDeploy"), "web.task");
    assert.deepEqual(options.Env, ["A=1", "TOKEN=task-secret"]);
    assert.deepEqual(options.Cmd, ["migrate", "--all"]);
    assert.equal(options.Image, "sha256:new");
    assert.deepEqual(options.HostConfig?.PortBindings, {});
    assert.deepEqual(options.Healthcheck, { Test: ["NONE"] });
    assert.deepEqual(options.HostConfig.RestartPolicy, { Name: "no", MaximumRetryCount: 0 });
  });

  it("must let a task of a dead run end before it is removed, and remove one that has", () => {
    const task = foundContainer({ name: "web.task" });
    const rows = (...containers: readonly (typeof task)[]) =>
      recover(foundHost([foundContainer(), ...containers]), desired).map(({ steps }) => formatSteps(steps));
    assert.deepEqual(rows(task), [
      [
        "wait for web.task to end, at most 10m (it may be half done)",
        "stop web.task (it does not end)",
        "remove web.task (its run is over)",
      ].join("\n"),
    ]);
    assert.deepEqual(rows({ ...task, state: "exited" }), ["remove web.task (its run is over)"]);
    assert.deepEqual(rows({ ...task, foreign: "somebody" }), []);
  });

  it("must leave a task of a dead run as long as the longest one may take", () => {
    const hour = { ...TASK, timeoutMs: 3_600_000 };
    const found = foundHost([foundContainer(), foundContainer({ name: "web.task" })]);
    const steps = recover(found, { ...desired, postDeploy: [hour] }).flatMap((row) => row.steps);
    assert.match(formatSteps(steps), /^wait for web\.task to end, at most 60m/);
  });
});

describe("secretFiles", () => {
  const desired = desiredService({ spec: SECRETS });

  it("must be written into a volume of their own before the container is made, and be in nothing that prints or stays", () => {
    const plan = planHost(foundHost(), desired);
    const text = formatPlan(plan);
    assert.match(
      text,
      /^create volume slipway\.secrets\.web\.bbbbbbbb[^]*write 1 files into web\.fill[^]*\ncreate web\.next/,
    );
    const steps = plan.slots.flatMap((slot) => slot.steps);
    const others = steps.filter(({ operation }) => operation.kind !== "write-files");
    assert.ok(!JSON.stringify(others).includes("file-secret"));
    assert.ok(!text.includes("file-secret"));
    const mount = creates(steps, "web.next").HostConfig?.Mounts?.[0];
    assert.deepEqual(
      { ...mount, VolumeOptions: undefined },
      {
        Type: "volume",
        Source: "slipway.secrets.web.bbbbbbbb",
        Target: "/run/secrets",
        ReadOnly: true,
        VolumeOptions: undefined,
      },
    );
  });

  it("must go with their container: a kept one's stay, others' are not touched", () => {
    const kept = foundContainer({ name: "web.aaaaaaaa", state: "exited" });
    const volumes = ["aaaaaaaa", "bbbbbbbb", "cccccccc"].map((revision) => `slipway.secrets.web.${revision}`);
    const found = foundHost([wantedContainer(), { ...kept, limits: { ...kept.limits, restart: "no" } }], {
      volumes: [...volumes, "slipway.secrets.web-api.cccccccc", "files"],
      keptTags: ["slipway/kept:web-aaaaaaaa"],
    });
    const limits = { replicas: 1, keepPrevious: 1, update: UPDATE_DEFAULTS };
    assert.equal(
      formatSteps(planFinish(found, limits)),
      "remove volume slipway.secrets.web.cccccccc (its container is gone)",
    );
  });
});
