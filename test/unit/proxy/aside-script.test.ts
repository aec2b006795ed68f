import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { ASIDE } from "../../../provider/proxy/aside-script";
import { type FileServer, HAPROXY_ARMS, writeHaproxy } from "../../support/haproxy-files";
import { TemporaryFolder } from "../../support/temporary-folder";

const SHELLS = [["dash"], ["bash"], ["busybox", "sh"]].filter(
  ([command = ""]) => spawnSync(command, ["-c", ":"]).error === undefined,
);
const ID = "78b5a1324395".padEnd(64, "0");
const DOCKER = `#!/bin/sh
case "$*" in
  *inspect*) echo "172.18.0.4  " ;;
${HAPROXY_ARMS}
esac
`;

describe("who steps aside for a restart", () => {
  const folder = new TemporaryFolder();
  after(() => folder.remove());
  const proxy = `${folder.path}/proxies/edge`;

  beforeEach(() => {
    folder
      .file("bin/docker", DOCKER, 0o755)
      .file("proxies/edge/conf/50-web.cfg", "# slipway\n    server s1 78b5a1324395:3000\n")
      .file("told", "");
  });

  const runs = (...workers: Parameters<typeof writeHaproxy>[1]): void => writeHaproxy(folder, workers);
  const shell = (call: string, [command = "sh", ...args]: readonly string[] = ["sh"]): string => {
    const text = ASIDE.replaceAll("/var/lib/slipway/proxy", `${folder.path}/proxies`);
    const { stdout, stderr } = spawnSync(command, [...args, "-c", `${text}\n${call}`], {
      encoding: "utf8",
      env: { FAKE: folder.path, HOME: folder.path, PATH: `${folder.path}/bin:${process.env.PATH ?? ""}` },
    });
    assert.equal(stderr, "");
    return stdout;
  };
  const told = (): string =>
    existsSync(`${folder.path}/told`) ? readFileSync(`${folder.path}/told`, "utf8") : "";

  const mine: FileServer = { place: "s1", container: "78b5a1324395" };
  const other: FileServer = { place: "s2", container: "8ffada9fb1b9", address: "172.18.0.5" };

  for (const sh of SHELLS) {
    it(`must be drained where another one serves, in ${sh.join(" ")}`, () => {
      runs([24, [mine, other]]);
      assert.equal(shell(`aside web ${ID}`, sh), `web ${proxy} s1\n`);
      assert.equal(told(), "@1 set server service.web/s1 state drain\n");
    });
  }

  for (const [what, beside] of [
    ["it is alone", []],
    ["the other one is down", [{ ...other, state: "0 0" }]],
    ["the other one is drained", [{ ...other, state: "2 8" }]],
    ["the other one is in maintenance", [{ ...other, state: "2 1" }]],
    ["the other one has no address", [{ ...other, state: "2 32" }]],
  ] as const) {
    it(`must keep its requests where ${what}`, () => {
      runs([24, [mine, ...beside]]);
      assert.equal(shell(`aside web ${ID}`), "");
      assert.equal(told(), "");
    });
  }

  it("must not take one for serving that only a former process knows", () => {
    runs([24, [mine]], [8, [mine, other]]);
    assert.equal(shell(`aside web ${ID}`), "");
  });

  it("must keep its requests where the proxy does not answer, and where no route knows it", () => {
    folder.file("proc", "");
    assert.equal(shell(`aside web ${ID}`), "");
    runs([24, [mine, other]]);
    assert.equal(shell(`aside shop ${ID}; aside web ${"a".repeat(64)}`), "");
    assert.equal(told(), "");
  });

  it("must wait for what it has open in every process, as long as it may", () => {
    runs([24, [mine, other]], [8, [{ ...mine, open: 2 }]]);
    const waited = `drained ${proxy} web ${ID} 1 && read -r up _ </proc/uptime && echo "\${began%.*} \${up%.*}"`;
    const [began, ended] = shell(waited).split(" ").map(Number);
    assert.ok((ended ?? 0) - (began ?? 0) >= 1);
    runs([24, [mine, { ...other, open: 9 }]], [8, [mine]]);
    assert.equal(shell(`up=none; drained ${proxy} web ${ID} 60; echo $up`), "none\n");
  });

  it("must be ready again, where it still has its place", () => {
    runs([24, [mine, other]]);
    shell(`echo "web ${proxy} s1" | all_back ${ID}`);
    assert.equal(told(), "@1 set server service.web/s1 state ready\n");
  });

  it("must not be ready again where a deployment took it out, or gave its place away", () => {
    runs([24, [{ ...mine, container: "slipway-free" }, other]]);
    shell(`back web ${proxy} s1 ${ID}`);
    runs([24, [mine, other]]);
    folder.file("proxies/edge/conf/50-web.cfg", "# slipway\n    server s2 8ffada9fb1b9:3000\n");
    shell(`back web ${proxy} s1 ${ID}`);
    assert.equal(told(), "");
  });
});
