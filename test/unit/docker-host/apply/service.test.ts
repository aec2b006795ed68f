import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSlipwayError, SlipwayError } from "../../../../provider/errors";
import { applyDaemonConfig, BACKUP } from "../../../../provider/docker-host/apply/config-file";
import { sysv } from "../../../../provider/docker-host/init/sysv";
import { systemd } from "../../../../provider/docker-host/init/systemd";
import { reloadDaemon, startDaemon } from "../../../../provider/docker-host/apply/service";
import type { Clock } from "../../../../provider/clock";
import type { CommandOutcome, HostSession } from "../../../../provider/host/session";
import { silentLog } from "../../../../provider/log";
import { FakeClock } from "../../../support/fake-clock";
import { observedEngine } from "../../../support/observed-engine";

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
  const said: string[] = [];
  const modes = new Map<string, string>();
  const say = (line: string): void => void said.push(line);
  const session = {
    target: "root@host:22",
    redact: (text: string) => text,
    exec,
    run: async (argv: readonly string[]) => {
      const { stdout } = await exec(argv);
      return argv[0] === "readlink" ? `${configPath}\n` : stdout;
    },
    script: (_text: string, argv: readonly string[]) => exec(argv),
    writeFile: (path: string, _text: string, { mode = 0o644 }: { readonly mode?: number } = {}) => {
      calls.push(`write ${path}`);
      modes.set(path, mode.toString(8));
      return Promise.resolve();
    },
  } as unknown as HostSession;
  return {
    calls,
    context: {
      ...{ session, init: systemd, clock: new FakeClock(), signal: new AbortController().signal },
      log: { ...silentLog, keep: say, warn: say },
    },
    said,
    modes,
  };
}

/** A daemon that says so of its live restore, one look after another, and a clock on which few looks fit into the limit. */
function daemonThatSays(...answers: readonly boolean[]) {
  const { calls, context, said } = hostThatLoses("nothing");
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
  return { calls, said, context: { ...context, clock, session } };
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
    await reloadDaemon({ expected: { "live-restore": true }, configBefore: "{}" }, late.context);
    assert.ok(!late.calls.some((call) => call.startsWith("write")));
    const { calls, context } = daemonThatSays(false);
    await assert.rejects(reloadDaemon({ expected: { "live-restore": true }, configBefore: "{}" }, context), {
      code: "daemon-config-invalid",
      message:
        /take over live-restore on .*goes on without; its containers would end.*stop its containers and set allowDaemonRestart: true/,
    });
    assert.deepEqual(calls.slice(-2), ["write /etc/docker/daemon.json", "systemctl reload docker.service"]);
  });

  it("must restart a daemon that does not take it over by a reload, where the plan allows that", async () => {
    const { calls, context } = daemonThatSays(...Array<boolean>(5).fill(false), true);
    let restarts = 0;
    const restart = (): Promise<void> => Promise.resolve(void (restarts += 1));
    await reloadDaemon({ expected: { "live-restore": true } }, context, restart);
    assert.equal(restarts, 1);
    assert.ok(!calls.some((call) => call.startsWith("write")));
  });

  it("must say what the daemon does not tell", async () => {
    const { context, said } = daemonThatSays(true);
    const expected = { "live-restore": true, "max-concurrent-downloads": 5 };
    await reloadDaemon({ expected }, context);
    assert.match(
      said.join(),
      /^max-concurrent-downloads: the daemon on root@host:22 was told, and does not say/,
    );
  });

  it("must go by the engine's API where a script only sets the daemon going, and put daemon.json back", async () => {
    const { calls, context } = hostThatLoses("nothing");
    let isRight = false;
    const unreachable = new SlipwayError({
      code: "engine-unreachable",
      what: "dialling",
      why: "nobody is there",
    });
    const docker = {
      version: () => Promise.resolve({ Version: "28.5.2" }),
      info: () => Promise.resolve({}),
      listContainers: () => Promise.resolve([]),
    };
    const session = {
      ...context.session,
      exec: (argv: readonly string[]) =>
        argv === sysv.status && !isRight
          ? Promise.resolve({ kind: "exited", code: 3, stdout: "", stderr: "" })
          : context.session.exec(argv),
      facts: () => Promise.resolve(observedEngine().facts),
      docker: () => (isRight ? Promise.resolve(docker) : Promise.reject(unreachable)),
      writeFile: (path: string) => {
        isRight = true;
        return context.session.writeFile(path, "");
      },
    } as unknown as HostSession;
    const clock: Clock = {
      now: () => 0,
      wall: () => 0,
      sleep: (ms) =>
        new Promise((resolve) => {
          if (ms < 1_000) setImmediate(resolve);
        }),
    };
    await assert.rejects(
      startDaemon("restart", { configBefore: "{}" }, { ...context, init: sysv, session, clock }),
      {
        code: "daemon-config-invalid",
        message: /the init script could not start it .*the daemon runs with it/,
      },
    );
    assert.equal(calls.at(-1), "/etc/init.d/docker start");
  });

  it("must put daemon.json back under a daemon that has not the log driver it names, and start it anew", async () => {
    const plugins = new Map([["loki", "loki:latest\n"]]);
    const startWith = (logDriver: string) => {
      const { calls, context } = hostThatLoses("nothing");
      const docker = {
        version: () => Promise.resolve({ Version: "28.5.2" }),
        info: () => Promise.resolve({ Plugins: { Log: ["journald", "json-file"] } }),
        listContainers: () => Promise.resolve([]),
      };
      const session = {
        ...context.session,
        docker: () => Promise.resolve(docker),
        facts: () => Promise.resolve(observedEngine().facts),
        script: () =>
          Promise.resolve({ kind: "exited", code: 0, stdout: plugins.get(logDriver) ?? "", stderr: "" }),
      } as unknown as HostSession;
      const clock: Clock = { now: () => 0, wall: () => 0, sleep: () => new Promise(() => {}) };
      const around = { ...context, session, clock };
      const started = startDaemon("restart", { configBefore: "{}", logDriver }, around);
      return { calls, started };
    };
    for (const name of ["journald", "loki"]) await startWith(name).started;
    const { calls, started } = startWith("nonsense");
    await assert.rejects(started, {
      code: "daemon-config-invalid",
      message:
        /no log driver "nonsense".*The former .*daemon\.json was put back, and Docker 28\.5\.2 runs with it.*journald, json-file/,
    });
    const put = calls.indexOf("write /etc/docker/daemon.json");
    assert.ok(put !== -1 && calls.indexOf("systemctl restart docker.service", put) > put);
  });

  it("must keep the former daemon.json beside the new one", async () => {
    const { calls, context } = hostThatLoses("nothing");
    await applyDaemonConfig({ config: {} }, context);
    const kept = calls.findIndex((call) =>
      call.endsWith("daemon.json /etc/docker/daemon.json.slipway-backup"),
    );
    assert.ok(kept !== -1 && kept < calls.indexOf("write /etc/docker/daemon.json"));
    const once = calls.length;
    await applyDaemonConfig({ config: {}, again: true }, context);
    assert.ok(!calls.slice(once).some((call) => call.endsWith(".slipway-backup")), "that was the run's own");
  });

  it("must write where a link leads, with the mode of what is there, and leave the link", async () => {
    const { calls, context } = hostThatLoses("nothing", "/srv/settings/daemon.json");
    await applyDaemonConfig({ config: {} }, context);
    assert.ok(calls.includes("stat -c %a -- /srv/settings/daemon.json"));
    assert.ok(calls.includes("write /srv/settings/daemon.json"));
    assert.ok(!calls.includes("write /etc/docker/daemon.json"));
  });

  it("must close a new daemon.json that has a password, keep the mode of one that is there, and say who reads it", async () => {
    const path = "/etc/docker/daemon.json";
    const secret = { proxies: { "http-proxy": "http://ann:word@proxy:3128" } };
    const fresh = hostThatLoses("nothing");
    const { session } = fresh.context;
    const gone: CommandOutcome = { kind: "exited", code: 1, stdout: "", stderr: "" };
    const exec: HostSession["exec"] = (argv, options) =>
      argv[0] === "stat" ? Promise.resolve(gone) : session.exec(argv, options);
    const bare = { ...fresh.context, session: { ...session, exec } };
    await applyDaemonConfig({ config: secret }, bare);
    assert.equal(fresh.modes.get(path), "600");
    await applyDaemonConfig({ config: { proxies: { "http-proxy": "http://proxy:3128" } } }, bare);
    assert.equal(fresh.modes.get(path), "644");
    assert.deepEqual(fresh.said, []);
    const open: HostSession["exec"] = (argv, options) =>
      argv[0] === "stat" ? Promise.resolve({ ...gone, code: 0, stdout: "644" }) : session.exec(argv, options);
    await applyDaemonConfig({ config: secret }, { ...fresh.context, session: { ...session, exec: open } });
    assert.equal(fresh.modes.get(path), "644");
    assert.match(fresh.said.join(), /has a password in it, and everybody there can read it/);
  });

  it("must back daemon.json up with its mode, and be at no moment more open than it", () => {
    const folder = mkdtempSync(join(tmpdir(), "backup-"));
    try {
      const [file, copy] = [join(folder, "daemon.json"), join(folder, "copy")];
      writeFileSync(copy, "old", { mode: 0o644 });
      writeFileSync(file, "secret", { mode: 0o600 });
      const { ino } = statSync(copy);
      assert.equal(spawnSync("/bin/sh", ["-c", BACKUP, "backup", file, copy]).status, 0);
      assert.equal(readFileSync(copy, "utf8"), "secret");
      assert.equal(statSync(copy).mode & 0o777, 0o600);
      assert.notEqual(statSync(copy).ino, ino, "nothing is written into the open file");
      assert.deepEqual(readdirSync(folder).sort(), ["copy", "daemon.json"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("must not write daemon.json where its mode or the engine's verdict is not known", async () => {
    for (const command of ["stat", "dockerd --validate", "dockerd --version"]) {
      const { calls, context } = hostThatLoses(command);
      await assert.rejects(applyDaemonConfig({ config: {} }, context), isLost, command);
      assert.ok(!calls.includes("write /etc/docker/daemon.json"), command);
    }
  });
});
