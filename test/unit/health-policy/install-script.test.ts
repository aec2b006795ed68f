import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { INSTALL_AGENT } from "../../../provider/health-policy/agent/install-script";
import { TemporaryFolder } from "../../support/temporary-folder";

describe("the agent by cron", () => {
  let folder: TemporaryFolder;
  beforeEach(() => (folder = new TemporaryFolder().file("etc/cron.d/other", "")));
  afterEach(() => folder.remove());

  const run = (argv: readonly string[], input = ""): void => {
    const [command = "", ...args] = argv;
    const PATH = `${folder.path}/bin:${process.env.PATH ?? ""}`;
    const env = { FAKE: folder.path, PATH };
    const { status, stderr } = spawnSync(command, args, { input, encoding: "utf8", env, timeout: 30_000 });
    assert.deepEqual([status, stderr], [0, ""]);
  };
  /** When cron starts it, and the pauses that it makes between its turns in that minute. */
  const every = (seconds: number): readonly [string, readonly string[]] => {
    const text = INSTALL_AGENT.replaceAll(/\/run\/(systemd\/system|openrc)/g, "/nowhere")
      .replaceAll("/etc/cron.d", `${folder.path}/etc/cron.d`)
      .replaceAll("/run/slipway", `${folder.path}/run`);
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
