import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseLook } from "../../../../provider/docker-host/look/look";
import { LOOK } from "../../../../provider/docker-host/look/observe";

const FACTS = "\n== os\nID=debian\nVERSION_CODENAME=trixie\n\n== architecture\nx86_64\n";
const look = (...lines: readonly string[]) =>
  parseLook(`${FACTS}\n== look\n${[...lines, "end yes"].join("\n")}\n`);

describe("the look at a machine", () => {
  it("must be one text that a plain sh runs to its end, with the facts", () => {
    const { stdout, status } = spawnSync("/bin/sh", ["-c", LOOK, "look", "", "root", "nobody-there"], {
      encoding: "utf8",
    });
    assert.equal(status, 0);
    const seen = parseLook(stdout);
    assert.ok(seen !== undefined && seen.memory > 0 && seen.disk > 0);
    assert.ok(seen.facts.os.id !== "" && seen.facts.architecture !== "");
    assert.equal(seen.users["nobody-there"], "missing");
  });

  it("must say that daemon.json's folder is closed, behind which there seems to be none", () => {
    const folder = mkdtempSync(join(tmpdir(), "look-"));
    try {
      chmodSync(folder, 0o755);
      mkdirSync(join(folder, "docker"), { mode: 0o000 });
      const text = LOOK.replaceAll("/etc/docker/", `${folder}/docker/`);
      const other = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
      const how = { encoding: "utf8", cwd: "/", ...other } as const;
      const { stdout } = spawnSync("/bin/sh", ["-c", text, "look", ""], how);
      assert.ok(parseLook(stdout)?.closed.includes(`${folder}/docker`));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("must not run sudo, which logs every call", () => {
    assert.doesNotMatch(LOOK, /\bsudo\b/);
  });

  it("must be no answer when it was cut off", () => {
    assert.equal(parseLook(`${FACTS}\n== look\npackage docker.io 1 installed\n`), undefined);
    assert.equal(parseLook("end yes\n"), undefined);
  });

  it("must tell what an interrupted run of ours left from what somebody else's did", () => {
    const half = "package docker-ce 5:28.5.2-1 half-configured";
    assert.equal(look("package docker-ce 5:28.5.2-1 installed")?.packages.interrupted, "no");
    assert.equal(look(half)?.packages.interrupted, "by somebody");
    assert.equal(look(half, "ours yes")?.packages.interrupted, "by us");
    assert.equal(look("interrupted yes")?.packages.interrupted, "by somebody");
    assert.deepEqual(look(half)?.packages.installed, {});
    assert.deepEqual(look(half)?.packages.half, ["docker-ce"]);
    assert.equal(look(half, "interrupted yes", "busy yes")?.packages.interrupted, "no");
  });

  it("must tell a mark that was left from one of a change that goes on, or was cut off", () => {
    const half = "package docker-ce 5:28.5.2-1 half-configured";
    assert.equal(look("ours yes")?.packages.hasStaleMark, true);
    assert.equal(look("ours yes", "busy yes")?.packages.hasStaleMark, false);
    assert.equal(look(half, "ours yes")?.packages.hasStaleMark, false);
    assert.equal(look()?.packages.hasStaleMark, false);
  });

  it("must name the engines of others", () => {
    const seen = look(
      "snap movable",
      "rootless ann",
      "rootless ann",
      "rootless bob",
      "unpackaged /opt/my dockerd",
    );
    assert.equal(seen?.snap, "movable");
    assert.deepEqual(seen.rootless, ["ann", "bob"]);
    assert.equal(seen.unpackaged, "/opt/my dockerd");
    assert.equal(look()?.snap, undefined);
  });
});
