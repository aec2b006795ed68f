import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { END } from "../../../../provider/docker-host/apply/stop-containers";

const [ONE, OTHER] = ["a".repeat(64), "b".repeat(64)];

describe("containers whose daemon is not there", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "shim-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** A process with a shim's name and arguments over one that does `work`; it has said that both are there. */
  const shim = async (id: string, work: string) => {
    const file = join(folder, "containerd-shim");
    writeFileSync(file, `#!/bin/sh\nsh -c "$WORK" &\nwait\nwait\n`);
    chmodSync(file, 0o755);
    const child = spawn(file, ["-namespace", "moby", "-id", id], { env: { ...process.env, WORK: work } });
    await once(child.stdout, "data");
    return { child, ended: once(child, "close") };
  };

  it("must each have their time to end, and then end with their shims", async () => {
    const goodbye = join(folder, "goodbye");
    const one = await shim(ONE, "echo there; exec sleep 1000");
    const late = `trap 'sleep 1; : >${goodbye}; exit' TERM; echo there; while :; do sleep 0.1; done`;
    const other = await shim(OTHER, late);
    const end = spawn("/bin/sh", ["-s", "--", "20", ONE, OTHER]);
    end.stdin.end(END);
    assert.deepEqual(await once(end, "close"), [0, null]);
    await Promise.all([one.ended, other.ended]);
    assert.ok(existsSync(goodbye));
  });
});
