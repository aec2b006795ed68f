import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { EXIT, INSTALL_AGENT, SHOW_AGENT } from "../../../provider/health-policy/agent/install-script";
import { TemporaryFolder } from "../../support/temporary-folder";

const SHELLS = [["dash"], ["bash"], ["busybox", "sh"]].filter(
  ([command = ""]) => spawnSync(command, ["-c", ":"]).error === undefined,
);

describe("the agent by cron", () => {
  let folder: TemporaryFolder;
  beforeEach(() => (folder = new TemporaryFolder().file("etc/cron.d/other", "").file("self/pid", "")));
  afterEach(() => folder.remove());

  const run = (argv: readonly string[], input = ""): void => {
    const [command = "", ...args] = argv;
    const PATH = `${folder.path}/bin:${process.env.PATH ?? ""}`;
    const env = { FAKE: folder.path, PATH };
    const { status, stderr } = spawnSync(command, args, { input, encoding: "utf8", env, timeout: 30_000 });
    assert.deepEqual([status, stderr], [0, ""]);
  };
  /** A process of the machine, or of a container. */
  const runs = (pid: number, comm: string, cmdline: string, pidNamespace = "self"): void =>
    void folder
      .file(`proc/${pid}/comm`, `${comm}\n`)
      .file(`proc/${pid}/cmdline`, cmdline)
      .file(`proc/${pid}/ns/.keep`, "")
      .file("other/pid", "")
      .link(`proc/${pid}/ns/pid`, `${folder.path}/${pidNamespace}/pid`);
  /** A script on a machine that has `/proc` and commands of ours alone; gives its exit code and what it said. */
  const on = ([command = "", ...args]: readonly string[], text: string): readonly [number | null, string] => {
    folder.file("proc/self/ns/.keep", "").file("agent/agent", "").file("bin/.keep", "");
    folder.drop("proc/self/ns/pid").link("proc/self/ns/pid", `${folder.path}/self/pid`);
    const script = text
      .replaceAll(/\/run\/(systemd\/system|openrc)/g, "/nowhere")
      .replaceAll("/proc/", `${folder.path}/proc/`)
      .replaceAll("/etc/cron.d", `${folder.path}/etc/cron.d`);
    // of the rest of its commands those are enough that tell what runs
    const link = 'cd "$1" && for each in tr sed cat tail readlink; do ln -sf "$(command -v "$each")" .; done';
    spawnSync("sh", ["-c", link, "link", `${folder.path}/bin`]);
    const path = spawnSync("sh", ["-c", 'command -v "$1"', "which", command], { encoding: "utf8" });
    const { status, stdout } = spawnSync(
      path.stdout.trim(),
      [...args, "-c", script, "x", `${folder.path}/agent`],
      { encoding: "utf8", env: { PATH: `${folder.path}/bin` } },
    );
    return [status, stdout];
  };

  for (const shell of SHELLS) {
    it(`must not take a folder of cron's for one that starts it, in ${shell.join(" ")}`, () => {
      assert.equal(on(shell, INSTALL_AGENT)[0], EXIT.without);
      runs(7, "cron", "/usr/sbin/cron\0-f\0", "other");
      runs(8, "busybox", "busybox\0sh\0");
      assert.equal(on(shell, INSTALL_AGENT)[0], EXIT.without);
      // it does not read that folder
      runs(9, "busybox", "busybox\0crond\0-f\0");
      folder.file("bin/busybox", "", 0o755).link("bin/crond", `${folder.path}/bin/busybox`);
      assert.equal(on(shell, INSTALL_AGENT)[0], EXIT.without);
      folder.drop("bin/crond").file("bin/crond", "", 0o755);
      assert.notEqual(on(shell, INSTALL_AGENT)[0], EXIT.without);
      folder.drop("bin/crond");
      runs(10, "crond", "/usr/sbin/crond\0-n\0");
      assert.notEqual(on(shell, INSTALL_AGENT)[0], EXIT.without);
    });

    it(`must be said to run only where the daemon does, in ${shell.join(" ")}`, () => {
      const isRunning = (): boolean => on(shell, SHOW_AGENT)[1].split("\n").includes("@slipway runs");
      folder.file("etc/cron.d/slipway-health-agent", "").file("bin/cron", "", 0o755);
      assert.equal(isRunning(), false);
      runs(7, "cron", "/usr/sbin/cron\0-f\0", "other");
      assert.equal(isRunning(), false);
      runs(9, "cron", "/usr/sbin/cron\0-f\0");
      assert.equal(isRunning(), true);
      folder.drop("etc/cron.d/slipway-health-agent");
      assert.equal(isRunning(), false);
    });
  }

  /** When cron starts it, and the pauses that it makes between its turns in that minute. */
  const every = (seconds: number): readonly [string, readonly string[]] => {
    const text = INSTALL_AGENT.replaceAll(/\/run\/(systemd\/system|openrc)/g, "/nowhere")
      .replaceAll("/etc/cron.d", `${folder.path}/etc/cron.d`)
      .replaceAll("/run/slipway", `${folder.path}/run`);
    folder.file("bin/cron", "", 0o755);
    const agent = "echo turn >>$FAKE/did\n";
    const args = [
      `${folder.path}/agent`,
      String(seconds),
      String(agent.length),
      "1",
      "0",
      "0",
      String(Math.floor(Date.now() / 1_000)),
    ];
    run(["sh", "-c", text, "install", ...args], `${agent}x`);
    // time goes on only while it sleeps
    folder.file(
      "bin/sleep",
      'echo "$1" >>"$FAKE/did"; echo "$(($(cut -d . -f 1 "$FAKE/up") + $1)).00 1" >"$FAKE/up"\n',
      0o755,
    );
    folder.file("up", "100.00 1\n").file("did", "");
    const minute = readFileSync(`${folder.path}/agent/minute`, "utf8");
    folder.file("agent/minute", minute.replaceAll("/proc/uptime", `${folder.path}/up`));
    run(["sh", `${folder.path}/agent/minute`]);
    const cron = readFileSync(`${folder.path}/etc/cron.d/slipway-health-agent`, "utf8");
    return [cron.split(" root ")[0] ?? "", readFileSync(`${folder.path}/did`, "utf8").trim().split("\n")];
  };

  it("must take as many turns as find room in a minute", () => {
    assert.deepEqual(every(15), ["* * * * *", ["turn", "15", "turn", "15", "turn", "15", "turn"]]);
    assert.deepEqual(every(40), ["* * * * *", ["turn", "40", "turn"]]);
  });

  it("must leave no process that sleeps beyond it, nor look more often than it may", () => {
    assert.deepEqual(every(60), ["* * * * *", ["turn"]]);
    assert.deepEqual(every(300), ["*/5 * * * *", ["turn"]]);
    assert.deepEqual(every(3_600), ["0 * * * *", ["turn"]]);
  });
});
