import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apk } from "../../../../provider/docker-host/packages/apk";
import { apt } from "../../../../provider/docker-host/packages/apt";
import { dnf } from "../../../../provider/docker-host/packages/dnf";
import { KEEP_FILES, PUT_FILES_BACK } from "../../../../provider/docker-host/packages/former-source";
import { packageHost } from "../../../support/package-host";

describe("the package source that was there before", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "former-source-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const run = (text: string): string => {
    const args = [join(folder, "kept"), join(folder, "source"), join(folder, "key")];
    const { status, stdout } = spawnSync("/bin/sh", ["-c", text, "former", ...args], { encoding: "utf8" });
    assert.equal(status, 0);
    return stdout;
  };
  const write = (name: string, text: string): void => {
    writeFileSync(join(folder, name), text);
  };

  it("must be there again, and nothing that came since", () => {
    write("source", "old");
    assert.equal(run(KEEP_FILES), "kept\n");
    write("source", "new");
    write("key", "new");
    run(PUT_FILES_BACK);
    assert.equal(readFileSync(join(folder, "source"), "utf8"), "old");
    assert.deepEqual([existsSync(join(folder, "key")), existsSync(join(folder, "kept"))], [false, false]);
  });

  it("must be none where there is none, whatever another run has left", () => {
    write("source", "old");
    run(KEEP_FILES);
    rmSync(join(folder, "source"));
    write("key", "old");
    assert.equal(run(KEEP_FILES), "");
    write("source", "new");
    run(PUT_FILES_BACK);
    assert.deepEqual([existsSync(join(folder, "source")), existsSync(join(folder, "key"))], [false, true]);
  });

  const repository = { url: "https://mirror.example", components: [], packages: [], content: "text" };
  for (const family of [apt, dnf, apk]) {
    it(`must be put back by ${family.kind} when the new one cannot be read, and taken off only where there was none`, async () => {
      const tried = async (kept: string) => {
        const isKeeping = (call: string): boolean => call.startsWith("script /run/slipway/former-source ");
        const host = packageHost(
          (call) => / update$|makecache/.test(call) && family.kind !== "apk",
          (call) => (isKeeping(call) ? kept : ""),
        );
        const failure = await family.addRepository(host.session, repository, host.run).catch(String);
        return { failure, kept: host.calls.filter(isKeeping).length, last: host.calls.at(-1) ?? "" };
      };
      const again = await tried("kept\n");
      assert.match(String(again.failure), /The former package source is there again/);
      assert.equal(again.kept, 2);
      assert.match(again.last, /^script \/run\/slipway\/former-source \S*slipway-docker/);
      const none = await tried("");
      assert.match(String(none.failure), /The package source was taken off the host again/);
      assert.equal(none.kept, 1);
    });
  }
});
