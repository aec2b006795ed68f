import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { INSTALL_AGENT, SHOW_AGENT } from "../../../provider/health-policy/agent/install-script";
import { TemporaryFolder } from "../../support/temporary-folder";

const LEDGER = "a1 1700000000\nb2 1700000060\n";

describe("the budget on a machine with another clock", () => {
  let folder: TemporaryFolder;
  beforeEach(() => (folder = new TemporaryFolder().file("etc/cron.d/other", "")));
  afterEach(() => folder.remove());

  /** On a machine whose clock is so far ahead of ours. */
  const run = (script: string, aheadSeconds: number, args: readonly string[], input = ""): string => {
    const text = script
      .replaceAll(/\/run\/(systemd\/system|openrc)/g, "/nowhere")
      .replaceAll("/etc/cron.d", `${folder.path}/etc/cron.d`)
      .replaceAll("/run/slipway", `${folder.path}/run`);
    folder.file("bin/date", `#!/bin/sh\necho ${5_000 + aheadSeconds}\n`, 0o755).file("bin/cron", "", 0o755);
    const env = { PATH: `${folder.path}/bin:${process.env.PATH ?? ""}` };
    const argv = ["-c", text, "agent", `${folder.path}/agent`, ...args];
    const { status, stdout, stderr } = spawnSync("sh", argv, {
      input,
      encoding: "utf8",
      env,
      timeout: 30_000,
    });
    assert.deepEqual([status, stderr], [0, ""]);
    return stdout;
  };
  const install = (aheadSeconds: number): string => {
    const args = ["15", "1", "1", String(LEDGER.length), "0", "5000"];
    run(INSTALL_AGENT, aheadSeconds, args, `ap${LEDGER}`);
    return readFileSync(`${folder.path}/agent/ledger`, "utf8");
  };
  const show = (aheadSeconds: number): string =>
    run(SHOW_AGENT, aheadSeconds, ["5000", ""]).split("@slipway ledger\n")[1]?.split("@slipway log")[0] ?? "";

  for (const [ahead, here] of [
    [900, "a1 1700000900\nb2 1700000960\n"],
    [-900, "a1 1699999100\nb2 1699999160\n"],
    [2, LEDGER],
  ] as const) {
    it(`must be told by that clock there, and by ours here: ${ahead}s ahead`, () => {
      assert.equal(install(ahead), here);
      assert.equal(show(ahead), LEDGER);
    });
  }
});
