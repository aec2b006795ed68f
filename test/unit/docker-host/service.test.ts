import assert from "node:assert/strict";
import { isSlipwayError } from "../../../provider/errors";
import { applyDaemonConfig } from "../../../provider/docker-host/daemon-config-file";
import { systemd } from "../../../provider/docker-host/init/systemd";
import { reloadDaemon, startDaemon } from "../../../provider/docker-host/service";
import type { Clock } from "../../../provider/clock";
import type { CommandOutcome, HostSession } from "../../../provider/host/session";
import { FakeClock } from "../../support/fake-clock";
import { observedEngine } from "../../support/observed-engine";

/** A host on which this command's end is never heard; everything else works. `configPath`: where daemon.json leads. */
function hostThatLoses(command: string, configPath = "/etc/docker/daemon.json") {
  const calls: string[] = [];
  const exec = (argv: readonly string[]): Promise<CommandOutcome> => {
    const line = argv.join(" ");
    calls.push(line);
    const output = { stdout: line === "dockerd --version" ? "Docker version 28.5.2" : "600", stderr: "" };
    const lost = line.startsWith(command);
    return Promise.resolve(lost ? { kind: "lost", ...output } : { kind: "exited", code: 0, ...output });
  };
  const session = {
    target: "root@host:22",
    redact: (text: string) => text,
    exec,
    run: async (argv: readonly string[]) => {
      const { stdout } = await exec(argv);
      return argv[0] === "readlink" ? `${configPath}\n` : stdout;
    },
    script: (_text: string, argv: readonly string[]) => exec(argv),
    writeFile: (path: string) => {
      calls.push(`write ${path}`);
      return Promise.resolve();
    },
  } as unknown as HostSession;
  return {
    calls,
    context: { session, init: systemd, clock: new FakeClock(), signal: new AbortController().signal },
  };
}

/** A daemon that says so of its live restore, one look after another, and a clock on which few looks fit into the limit. */
function daemonThatSays(...answers: readonly boolean[]) {
  const { calls, context } = hostThatLoses("nothing");
  let looks = 0;
  let polls = 0;
  let limit = (): void => {};
  const docker = {
    version: () => Promise.resolve({ Version: "28.5.2" }),
    info: () => Promise.resolve({ LiveRestoreEnabled: answers[Math.min(looks++, answers.length - 1)] }),
    listContainers: () => Promise.resolve([]),
  };
  const engine = {
    docker: () => Promise.resolve(docker),
    facts: () => Promise.resolve(observedEngine().facts),
  };
  const clock: Clock = {
    now: () => 0,
    wall: () => 0,
    sleep: (ms) =>
      new Promise((resolve) => {
        if (ms === 15_000) limit = resolve;
        else if (ms < 1_000 && ++polls < 5) setImmediate(resolve);
        else if (ms < 1_000) limit();
      }),
  };
  const session = { ...context.session, ...engine } as unknown as HostSession;
  return { calls, context: { ...context, clock, session } };
}

const isLost = (error: unknown): boolean => isSlipwayError(error, "connection-lost");

describe("the daemon's service", () => {
  it("must not put daemon.json back for a restart whose end nobody heard", async () => {
    const { calls, context } = hostThatLoses("systemctl restart");
    await assert.rejects(startDaemon("restart", { configBefore: "{}" }, context), isLost);
    assert.ok(!calls.some((call) => call.startsWith("write")));
  });

  it("must not go on to a restart before live restore is on, and leave no daemon.json that a start may fail on", async () => {
    const late = daemonThatSays(false, false, true);
    await reloadDaemon({ liveRestore: true, configBefore: "{}" }, late.context);
    assert.ok(!late.calls.some((call) => call.startsWith("write")));
    const { calls, context } = daemonThatSays(false);
    await assert.rejects(reloadDaemon({ liveRestore: true, configBefore: "{}" }, context), {
      code: "daemon-config-invalid",
      message: /switching live restore on .* did not take it over/,
    });
    assert.equal(calls.at(-1), "write /etc/docker/daemon.json");
  });

  it("must keep the former daemon.json beside the new one", async () => {
    const { calls, context } = hostThatLoses("nothing");
    await applyDaemonConfig({}, context);
    const kept = calls.findIndex((call) =>
      call.endsWith("daemon.json /etc/docker/daemon.json.slipway-backup"),
    );
    assert.ok(kept !== -1 && kept < calls.indexOf("write /etc/docker/daemon.json"));
  });

  it("must write where a link leads, with the mode of what is there, and leave the link", async () => {
    const { calls, context } = hostThatLoses("nothing", "/srv/settings/daemon.json");
    await applyDaemonConfig({}, context);
    assert.ok(calls.includes("stat -c %a -- /srv/settings/daemon.json"));
    assert.ok(calls.includes("write /srv/settings/daemon.json"));
    assert.ok(!calls.includes("write /etc/docker/daemon.json"));
  });

  it("must not write daemon.json where its mode or the engine's verdict is not known", async () => {
    for (const command of ["stat", "dockerd --validate", "dockerd --version"]) {
      const { calls, context } = hostThatLoses(command);
      await assert.rejects(applyDaemonConfig({}, context), isLost, command);
      assert.ok(!calls.includes("write /etc/docker/daemon.json"), command);
    }
  });
});
