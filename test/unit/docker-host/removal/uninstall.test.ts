import assert from "node:assert/strict";
import { formatPlan } from "../../../../provider/docker-host/plan/operation";
import { planUninstall } from "../../../../provider/docker-host/plan/uninstall";
import type { ObservedEngine } from "../../../../provider/docker-host/look/observed";
import { uninstall } from "../../../../provider/docker-host/removal/uninstall";
import type { EngineWish } from "../../../../provider/docker-host/wish/wish";
import type { HandlerContext } from "../../../../provider/handler";
import { handlerContext } from "../../../support/handler-context";
import { desiredEngine, observedEngine, runningDaemon } from "../../../support/observed-engine";
import { uninstallMachine, type UninstallMachine } from "../../../support/uninstall-machine";

const PACKAGES = ["docker.io", "docker-cli", "containerd", "runc"];
const NOTHING_LEFT = { keeps: "images, volumes", purged: "" };

/** Uninstalls; the plans that were made, a line a step. A cut ends it, and nothing else does. */
async function run(machine: UninstallMachine, wish: EngineWish): Promise<readonly string[]> {
  const plans: string[] = [];
  const context: HandlerContext = handlerContext();
  const log = {
    ...context.log,
    debug: (text: string) => void plans.push(...text.split("\n").slice(1)),
  };
  await uninstall(machine.session, wish, undefined, { ...context, log }).catch((error: unknown) => {
    if (machine.cut() === undefined) throw error;
  });
  return plans;
}

/** The plan of the run that comes after one that was cut at each moment, by what was under way then. */
async function plansAfterCuts(wish: EngineWish, end: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (let moment = 0; ; moment += 1) {
    const machine = uninstallMachine(PACKAGES);
    machine.cutAt(moment);
    await run(machine, wish);
    const cut = machine.cut();
    if (cut === undefined) return found;
    machine.cutAt(undefined);
    const plan = (await run(machine, wish)).map((line) => line.split(":")[0]).join("; ");
    assert.equal(machine.state(), end, `cut at ${cut}`);
    found[cut in found ? `${cut} (half)` : cut] = plan;
  }
}

describe("uninstall", () => {
  const { wish } = desiredEngine("28.x", { uninstallOnDelete: true });
  const purging = { ...wish, purge: true };
  const ALL =
    "stop 2 containers; release docker.io, docker-cli, containerd, runc; remove docker.io, docker-cli, containerd, runc; remove the package source";
  const REST = ALL.slice(ALL.indexOf("release"));

  it("must go on from wherever it was cut off, to the same end", async () => {
    assert.deepEqual(await plansAfterCuts(wish, NOTHING_LEFT.keeps), {
      stop: ALL,
      "stop, done": REST,
      unhold: REST,
      "unhold, done": REST,
      mark: REST,
      "mark, done": REST,
      remove: REST,
      "remove (half)":
        "finish the interrupted package installation; release docker-cli, containerd, runc; remove docker-cli, containerd, runc; remove the package source",
      "remove, done": "remove the package source; forget a change of packages that was cut off",
      unmark: "remove the package source; forget a change of packages that was cut off",
      "unmark, done": "remove the package source",
      "rm source": "remove the package source",
      "rm source (half)": "remove the package source",
      "rm source, done": "",
    });
  });

  it("must count every container that it stops: paused and restarting ones, and those that outlived their daemon", () => {
    const desired = desiredEngine("28.x", { uninstallOnDelete: true });
    const there = { installed: { "docker.io": "1" } };
    const stopped = (over: Partial<ObservedEngine>): string =>
      formatPlan(planUninstall(desired, observedEngine(over, there), undefined)).split("\n")[0] ?? "";
    const daemon = { ...runningDaemon("28.5.2", ["a"]), halted: ["b", "c"] };
    assert.match(stopped({ daemon }), /^stop 3 containers: they would go on without an engine/);
    assert.match(stopped({ outlived: ["a", "b"] }), /^stop 2 containers: they go on without an engine/);
    assert.match(stopped({}), /^release/);
  });

  it("must purge to the end, too, whatever is gone already", async () => {
    const plans = await plansAfterCuts(purging, NOTHING_LEFT.purged);
    assert.equal(plans["purge (half)"], "remove images, containers and volumes");
    assert.equal(plans["rm source, done"], "remove images, containers and volumes");
  });

  it("must come to the same end when the run that goes on is cut off as well", async () => {
    for (let first = 0; ; first += 1) {
      for (let second = 0; ; second += 1) {
        const machine = uninstallMachine(PACKAGES);
        machine.cutAt(first);
        await run(machine, purging);
        if (machine.cut() === undefined) return;
        machine.cutAt(second);
        await run(machine, purging);
        const isDone = machine.cut() === undefined;
        machine.cutAt(undefined);
        await run(machine, purging);
        assert.equal(machine.state(), NOTHING_LEFT.purged, `cut at ${first}, then at ${second}`);
        if (isDone) break;
      }
    }
  });

  it("must leave what others need by now, held no more, from wherever it was cut off", async () => {
    for (let moment = 0; ; moment += 1) {
      const machine = uninstallMachine(PACKAGES, { podman: "runc" });
      machine.cutAt(moment);
      await run(machine, purging);
      const cut = machine.cut();
      machine.cutAt(undefined);
      await run(machine, purging);
      assert.equal(machine.state(), "podman, containerd, runc", `cut at ${cut ?? "no moment"}`);
      if (cut === undefined) return;
    }
  });

  it("must not purge the folder of a containerd that others need", () => {
    const desired = desiredEngine("28.x", { uninstallOnDelete: true, purge: true });
    const plan = planUninstall(desired, observedEngine(), undefined, ["containerd", "runc"]);
    assert.deepEqual(
      plan.flatMap((step) => (step.kind === "purge" ? step.folders : [])),
      ["/var/lib/docker"],
    );
  });

  it("must change nothing where others need the engine itself, and name them", async () => {
    const machine = uninstallMachine(PACKAGES, { tools: "docker.io" });
    const before = machine.state();
    await assert.rejects(run(machine, wish), {
      code: "engine-foreign",
      message: /it cannot go without tools, which need it/,
    });
    assert.equal(machine.state(), before);
  });

  it("must purge the root directory that is configured, or recorded, where no engine tells it any more", () => {
    const desired = desiredEngine("28.x", { uninstallOnDelete: true, purge: true });
    const folders = (over: object, recorded?: string): readonly string[] => {
      const purge = planUninstall(desired, observedEngine(over), recorded).find(
        (step) => step.kind === "purge",
      );
      return purge?.folders ?? [];
    };
    assert.ok(folders({ daemonConfig: { "data-root": "/mnt/disk" } }).includes("/mnt/disk/volumes"));
    assert.ok(folders({}, "/mnt/disk").includes("/mnt/disk/volumes"));
    const daemon = runningDaemon("28.5.2");
    assert.deepEqual(folders({ daemon }, "/mnt/disk"), ["/var/lib/docker", "/var/lib/containerd"]);
  });

  it("must finish what somebody else left half done on consent only, and leave another engine's files", async () => {
    const desired = desiredEngine("28.x", { uninstallOnDelete: true, purge: true });
    const foreign = [{ kind: "packages", names: ["docker-ce"] }] as const;
    const observed = observedEngine({ foreign }, { installed: { "docker.io": "1" } });
    assert.equal(
      formatPlan(planUninstall(desired, observed, undefined)),
      "release docker.io: uninstallOnDelete: true\nremove docker.io: uninstallOnDelete: true",
    );
    const machine = uninstallMachine(PACKAGES);
    machine.cutAt(7);
    await run(machine, wish);
    machine.cutAt(undefined);
    await machine.session.run(["/bin/sh", "-c", "", "slipway-unmark"]);
    await assert.rejects(run(machine, wish), { code: "engine-consent", message: /allowPackageRepair: true/ });
    await run(machine, { ...wish, allowPackageRepair: true });
    assert.equal(machine.state(), NOTHING_LEFT.keeps);
  });
});
