import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  LOCK_TAKEN,
  LOCK_WAIT,
  runFailure,
  toldLine,
} from "../../../../provider/docker-host/packages/lock-wait";
import { packageScripts } from "../../../../provider/docker-host/packages/package-script";
import { packageHost } from "../../../support/package-host";

describe("the wait for a package manager's lock", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "locks-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  /** How a run ends that may not wait at all, and what it says; the lock holds `content`. */
  const wait = (content: string) => {
    writeFileSync(join(folder, "rpmdb_lock.pid"), content);
    const text = `left=0 locks="${folder}/nothing.pid ${folder}/nothing ${folder}/rpmdb_lock.pid"\n${LOCK_WAIT}\nwait_for_locks; echo done`;
    const { status, stdout } = spawnSync("/bin/sh", ["-c", text], { encoding: "utf8" });
    return { code: status, stdout };
  };

  it("must name the process whose number dnf 4 has left in its lock, while that lives", () => {
    const { code, stdout } = wait(String(process.pid));
    assert.equal(code, LOCK_TAKEN);
    assert.match(
      toldLine(stdout.trim()),
      new RegExp(`^waiting for \\S.* \\(process ${process.pid}\\), which holds the package manager's lock$`),
    );
  });

  it("must not wait for a lock of a process that is gone, or of none", () => {
    const { pid } = spawnSync("/bin/true");
    for (const content of [String(pid), ""]) assert.deepEqual(wait(content), { code: 0, stdout: "done\n" });
  });

  it("must say who held it when it was not freed in time, and that nothing was changed", () => {
    const { session } = packageHost();
    const stdout = "slipway waits for dnf (process 7)\nslipway waits for packagekitd (process 8)\n";
    const error = runFailure(session, "installing", { kind: "exited", code: LOCK_TAKEN, stdout, stderr: "" });
    assert.match(
      error.message,
      /packagekitd \(process 8\) holds the package manager's lock \(after 5m\)\. No package was changed/,
    );
  });

  it("must end what would use the package manager the same way, whatever it is", async () => {
    const stdout = "slipway waits for dnf (process 7)\n";
    const host = packageHost();
    const session = {
      ...host.session,
      script: () => Promise.resolve({ kind: "exited", code: LOCK_TAKEN, stdout, stderr: "" } as const),
    };
    const { script, command } = packageScripts(["/run/lock"]);
    await assert.rejects(script(session, "holding", ":", [], host.run), /dnf \(process 7\) holds/);
    await assert.rejects(command(session, "removing", ["true"], host.run), /dnf \(process 7\) holds/);
  });
});
