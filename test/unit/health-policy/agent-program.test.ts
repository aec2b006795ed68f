import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { AGENT_PROGRAM } from "../../../provider/health-policy/agent/program";
import { AgentHost } from "../../support/agent-host";

const SHELLS = [["dash"], ["bash"], ["bash", "--posix"], ["busybox", "sh"]].filter(
  ([command = ""]) => spawnSync(command, ["-c", ":"]).error === undefined,
);
const [SHELL = ["sh"]] = SHELLS;
const [A, B, C, D] = ["a1", "b2", "c3", "d4"] as const;
const OWN = "label slipway.service\n";

describe("the agent's program", () => {
  let host: AgentHost;
  const on = (policy = OWN, shell = SHELL): AgentHost => (host = new AgentHost(shell, policy));
  afterEach(() => host.remove());

  for (const shell of SHELLS) {
    it(`must restart what is unhealthy, crash-loops or has exited, and nothing else, in ${shell.join(" ")}`, () => {
      on(OWN, shell).engine([
        { id: A, name: "web", health: "unhealthy" },
        { id: B, name: "api", state: "restarting", down: "1 2 always" },
        { id: C, name: "db", state: "exited", down: "137 0 unless-stopped" },
        { id: D, name: "mail" },
        { id: "e5", name: "job", state: "exited", down: "0 0 on-failure" },
        { id: "e6", name: "once", state: "exited", down: "1 0 no" },
        { id: "e7", name: "first", state: "restarting", down: "1 1 always" },
        { id: "e8", name: "slow", health: "starting" },
        { id: "e9", name: "still", state: "paused", health: "unhealthy" },
        { id: "ea", name: "stranger", service: "", state: "exited" },
        { id: "eb", name: "old.0a1b2c3d", service: "old", state: "exited" },
        { id: "ec", name: "slipway.lock.x", service: "", state: "created" },
      ]);
      assert.deepEqual(host.turn(), [A, B, C]);
      assert.deepEqual([...host.events()].sort(), [
        "restarted api: it is crash-looping: it ended with code 1 and was restarted 2 times",
        "restarted db: it exited with code 137",
        "restarted web: its HEALTHCHECK fails",
      ]);
    });
  }

  it("must be text that every shell reads", () => {
    on();
    for (const [command = "", ...args] of SHELLS) {
      const { status, stderr } = spawnSync(command, [...args, "-n"], {
        input: AGENT_PROGRAM,
        encoding: "utf8",
      });
      assert.equal(status, 0, stderr);
    }
  });

  it("must ask the engine twice where all is well", () => {
    on().engine([{ id: A, name: "web" }]);
    host.turn();
    assert.equal(host.read("calls").length, 2);
    assert.deepEqual(host.events(), []);
  });

  it("must restart with doubling pauses, then give up once, and not begin anew when the window is over", () => {
    on().engine([{ id: A, name: "web", health: "unhealthy" }]);
    const restarts: number[] = [];
    const turns = [1_000, 1_005, 1_009, 1_010, 1_025, 1_029, 1_030, 1_069, 1_070, 1_200, 1_700, 3_000];
    for (const at of turns) if (host.turn(at).length > 0) restarts.push(at);
    assert.deepEqual(restarts, [1_000, 1_010, 1_030]);
    assert.equal(host.events().filter((line) => line.startsWith("gave-up web: ")).length, 1);
    assert.equal(host.events().length, 4);
  });

  it("must forgive one that was well for two minutes, and give it a new budget with the window", () => {
    on("label slipway.service\nmax_restarts 1\nwindow 300\n");
    const sick = [{ id: A, name: "web", health: "unhealthy" }] as const;
    assert.deepEqual(host.engine(sick).turn(1_000), [A]);
    assert.deepEqual(host.turn(1_015), []);
    host.engine([{ id: A, name: "web" }]).turn(1_030);
    assert.deepEqual(host.read("agent/gave-up"), [`${A} 1015`]);
    host.turn(1_136);
    assert.deepEqual(host.read("agent/gave-up"), []);
    assert.equal(host.events().at(-1), "recovered web: it is well again");
    assert.deepEqual(host.engine(sick).turn(1_200), []);
    assert.deepEqual(host.engine([{ id: A, name: "web" }]).turn(1_500), []);
    assert.deepEqual(host.engine(sick).turn(1_501), [A]);
  });

  it("must remember its budget over a reboot, and when it was killed in a restart", () => {
    on("label slipway.service\nmax_restarts 1\n").engine([{ id: A, name: "web", health: "unhealthy" }]);
    host.folder.file("agent/ledger", `${A} 990\n`);
    assert.deepEqual(host.turn(1_000), []);
    assert.match(host.events()[0] ?? "", /^gave-up web/);
    assert.deepEqual(host.read("agent/ledger"), [`${A} 990`]);
    host.turn(1_591);
    assert.deepEqual(host.read("agent/ledger"), []);
  });

  it("must count a restart before it is made", () => {
    on().engine([{ id: A, name: "web", health: "unhealthy" }]);
    host.folder.file("refuse", "");
    assert.deepEqual(host.turn(1_000), [A]);
    assert.deepEqual(host.read("agent/ledger"), [`${A} 1000`]);
    assert.deepEqual(host.events(), ["failed web: Docker refuses to restart it; its HEALTHCHECK fails"]);
  });

  it("must not restart what it cannot note, nor lose its budget, where the disk is full", () => {
    on("label slipway.service\nmax_restarts 1\n").engine([{ id: A, name: "web", health: "unhealthy" }]);
    // as on a full disk, nothing can be written there
    host.folder.link("agent/ledger", "/nowhere/ledger");
    assert.deepEqual([...host.turn(1_000), ...host.turn(1_015)], []);
    assert.deepEqual(host.events(), [
      "failed web: its restart cannot be noted, so it is not made (is the disk full?); its HEALTHCHECK fails",
    ]);
    host.remove();
    on("label slipway.service\nmax_restarts 1\n").engine([{ id: A, name: "web", health: "unhealthy" }]);
    host.folder.file("agent/ledger", `${B} 100\n${A} 990\n`).link("agent/ledger.new", "/dev/full");
    assert.deepEqual(host.turn(1_000), []);
    assert.deepEqual(host.read("agent/ledger"), [`${B} 100`, `${A} 990`]);
  });

  it("must tell once that it gave up, also where the disk is full", () => {
    on("label slipway.service\nmax_restarts 1\n").engine([{ id: A, name: "web", health: "unhealthy" }]);
    host.folder.file("agent/ledger", `${A} 990\n`).link("agent/gave-up", "/nowhere/gave-up");
    host.turn(1_000);
    host.turn(1_015);
    assert.deepEqual(host.events(), ["gave-up web: its HEALTHCHECK fails"]);
  });

  it("must not call well again who is still unhealthy, and left alone for another reason", () => {
    on("label slipway.service\nmax_restarts 1\n").engine([{ id: A, name: "web", health: "unhealthy" }]);
    host.folder.file("agent/ledger", `${A} 990\n`);
    host.turn(1_000);
    host.folder.file("locks/slipway.lock.web", "\n");
    host.turn(1_200);
    assert.deepEqual(host.events(), ["gave-up web: its HEALTHCHECK fails"]);
  });

  it("must forgive one that was given up by a clock that was put back since", () => {
    on("label slipway.service\nmax_restarts 1\n").engine([{ id: A, name: "web" }]);
    host.folder.file("agent/gave-up", `${A} 90000\n`);
    host.turn(1_000);
    host.turn(1_130);
    assert.deepEqual(host.read("agent/gave-up"), []);
  });

  it("must know one by its own name to which others are linked", () => {
    on().engine([{ id: A, name: "shop/db,web,old/db", service: "web", health: "unhealthy" }]);
    assert.deepEqual(host.turn(), [A]);
    assert.deepEqual(host.events(), ["restarted web: its HEALTHCHECK fails"]);
  });

  it("must not restart over half of a service at once, and say so once", () => {
    const replica = (id: string, slot: string, health?: "unhealthy") => ({
      ...{ id, slot, service: "web", name: slot === "1" ? "web" : `web-${slot}` },
      ...(health === undefined ? {} : { health }),
    });
    on().engine([replica(A, "1", "unhealthy"), replica(B, "2", "unhealthy"), replica(C, "3")]);
    assert.deepEqual([...host.turn(1_000), ...host.turn(1_015)], []);
    const mass = "2 of 3 of its service are unhealthy at once, which no restart mends";
    assert.deepEqual(host.events(), [`mass web: ${mass}`]);
    host.engine([replica(A, "1", "unhealthy"), replica(B, "2"), replica(C, "3")]);
    assert.deepEqual(host.turn(1_030), [A]);
    host.engine([replica(A, "1"), replica(B, "2"), replica(C, "3")]).turn(1_045);
    host.engine([replica(A, "1", "unhealthy"), replica(B, "2", "unhealthy"), replica(C, "3")]).turn(1_060);
    assert.equal(host.events().filter((line) => line === `mass web: ${mass}`).length, 2);
  });

  it("must restart one of a service at a time, and count those that are starting", () => {
    const replica = (id: string, slot: string, health?: "unhealthy" | "starting") => ({
      ...{ id, slot, service: "web", name: slot === "1" ? "web" : `web-${slot}` },
      ...(health === undefined ? {} : { health }),
    });
    on().engine([
      replica(A, "1", "unhealthy"),
      replica(B, "2", "unhealthy"),
      replica(C, "3"),
      replica(D, "4"),
      { id: "e5", name: "api", health: "unhealthy" },
    ]);
    assert.deepEqual(host.turn(1_000), [A, "e5"]);
    host.engine([
      replica(A, "1", "starting"),
      replica(B, "2", "unhealthy"),
      replica(C, "3"),
      replica(D, "4"),
    ]);
    assert.deepEqual(host.turn(1_015), []);
    host.engine([replica(A, "1"), replica(B, "2", "unhealthy"), replica(C, "3"), replica(D, "4")]);
    assert.deepEqual(host.turn(1_030), [B]);
  });

  it("must leave a service alone that a deployment has locked, not one whose deployer is dead", () => {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${process.pid}/stat`, "utf8");
    const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
    on().engine([{ id: A, name: "web", health: "unhealthy" }]);
    const locked = (session: string): readonly string[] => {
      host.folder.file("locks/slipway.lock.web", `${session}\n`).file("agent/ledger", "");
      return host.turn();
    };
    assert.deepEqual(locked(`${boot} ${process.pid} ${start}`), []);
    assert.deepEqual(locked(""), []);
    assert.deepEqual(locked(`${boot} ${process.pid} 1`), [A]);
    assert.deepEqual(locked(`0123456789abcdef-0 ${process.pid} ${start}`), [A]);
  });

  it("must leave a service alone whose containers change places", () => {
    on().engine([
      { id: A, name: "web", state: "exited", down: "0 0 always" },
      { id: B, name: "web.next", service: "web", state: "created" },
    ]);
    assert.deepEqual(host.turn(), []);
    host.engine([
      { id: A, name: "web", health: "unhealthy" },
      { id: B, name: "web.try", service: "web" },
    ]);
    assert.deepEqual(host.turn(), []);
    // of another place of the service
    host.engine([
      { id: A, name: "web", health: "unhealthy" },
      { id: C, name: "web-2", service: "web", slot: "2" },
      { id: B, name: "web-2.next", service: "web", slot: "2" },
    ]);
    assert.deepEqual(host.turn(), []);
  });

  it("must put right what has died beside a version that a deployer who is dead has left", () => {
    on().engine([
      { id: A, name: "web", state: "exited", down: "1 0 unless-stopped" },
      { id: B, name: "web.next", service: "web", state: "created" },
    ]);
    assert.deepEqual(host.turn(), [A]);
  });

  it("must do nothing while an up is at work on them, and go on when that has died", () => {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${process.pid}/stat`, "utf8");
    const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
    on().engine([{ id: A, name: "web", health: "unhealthy" }]);
    host.folder.file("agent/hold", `${boot} ${process.pid} ${start}\n`);
    assert.deepEqual(host.turn(), []);
    host.folder.file("agent/hold", `${boot} ${process.pid} 1\n`);
    assert.deepEqual(host.turn(), [A]);
  });

  it("must only tell where the policy says so, and once, until it was well", () => {
    on("label slipway.service\nrepair 0\n").engine([{ id: A, name: "web", health: "unhealthy" }]);
    assert.deepEqual([...host.turn(1_000), ...host.turn(1_015)], []);
    const told = "unhealthy web: its HEALTHCHECK fails; the policy only reports";
    assert.deepEqual(host.events(), [told]);
    host.engine([{ id: A, name: "web" }]).turn(1_030);
    host.engine([{ id: A, name: "web", health: "unhealthy" }]).turn(1_045);
    assert.deepEqual(host.events(), [told, told]);
  });

  it("must keep to the services and the scope of the policy", () => {
    const engine = [
      { id: A, name: "web", health: "unhealthy" },
      { id: B, name: "api", health: "unhealthy" },
    ] as const;
    on("label slipway.service\nservice api\nservice db\n").engine(engine);
    assert.deepEqual(host.turn(), [B]);
    assert.match(host.read("calls")[0] ?? "", /--filter label=slipway\.service /);
    host.remove();
    on("label slipway.service\nservice \n").engine(engine);
    assert.deepEqual(host.turn(), []);
    host.remove();
    on("").engine([{ id: A, name: "x", service: "", health: "unhealthy" }]);
    assert.deepEqual(host.turn(), [A]);
    assert.doesNotMatch(host.read("calls")[0] ?? "", /label=/);
  });
});
