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
[ ! -f "$FAKE/meanwhile" ] || sh "$FAKE/meanwhile" "$*" </dev/null
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
      .file("told", "")
      .file("meanwhile", "");
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

  for (const sh of SHELLS) {
    it(`must be waited for in all proxies side by side, in ${sh.join(" ")}`, () => {
      runs([24, [{ ...mine, open: 2 }, other]]);
      const free = readFileSync(`${folder.path}/worker.24`, "utf8").replace("s1,0,0,2", "s1,0,0,0");
      // what it has open ends when both have been asked for it
      folder.file("free", free).file(
        "meanwhile",
        `case "$1" in */edge/*) : >"$FAKE/one" ;; */other/*) : >"$FAKE/two" ;; esac
         [ ! -f "$FAKE/one" ] || [ ! -f "$FAKE/two" ] || mv -f "$FAKE/free" "$FAKE/worker.24" 2>/dev/null
         exit 0`,
      );
      const waited = `read -r from _ </proc/uptime
        printf '%s\\n' "web ${proxy} s1" "web ${folder.path}/proxies/other s1" | all_drained ${ID} 4
        read -r up _ </proc/uptime; echo "\${from%.*} \${up%.*}"`;
      const [began, ended] = shell(waited, sh).split(" ").map(Number);
      for (const mark of ["one", "two", "free"]) folder.drop(mark);
      assert.ok((ended ?? 0) - (began ?? 0) < 4);
    });
  }

  it("must not let two go aside at once that serve for one another", () => {
    runs([24, [mine, other]]);
    // whoever asks waits a moment for the other one to ask as well; who is drained serves no more
    folder
      .file(
        "proxies/edge/conf/50-web.cfg",
        "    server s1 78b5a1324395:3000\n    server s2 8ffada9fb1b9:3000\n",
      )
      .file(
        "meanwhile",
        `for place in s1 s2; do
           grep -q "/$place state drain" "$FAKE/told" && sed -i "s/\\( $place [0-9.]*\\) 2 0 /\\1 2 8 /" "$FAKE/worker.24"
         done
         echo >>"$FAKE/asks"
         pair=$((($(wc -l <"$FAKE/asks") + 1) / 2 * 2)) turns=0
         while [ "$(wc -l <"$FAKE/asks")" -lt $pair ] && [ $turns -lt 10 ]; do turns=$((turns + 1)); sleep 0.05; done
         exit 0`,
      );
    const both = shell(`aside web ${ID} & aside web ${"8ffada9fb1b9".padEnd(64, "0")} & wait`);
    assert.equal(both.split("\n").length - 1, 1);
    assert.equal(told().split("\n").length - 1, 1);
  });

  it("must be ready again only when the proxy knows where it is now", () => {
    runs([24, [mine, other]]);
    folder.file("new", readFileSync(`${folder.path}/worker.24`, "utf8"));
    runs([24, [{ ...mine, address: "172.18.0.9" }, other]]);
    folder.file(
      "meanwhile",
      `case "$1" in *dial-stdio*) echo asked >>"$FAKE/told" ;; esac
       [ "$(grep -c asked "$FAKE/told")" -lt 5 ] || mv -f "$FAKE/new" "$FAKE/worker.24" 2>/dev/null
       exit 0`,
    );
    shell(`back web ${proxy} s1 ${ID}`);
    const lines = told().trim().split("\n");
    assert.ok(lines.indexOf("@1 set server service.web/s1 state ready") >= 5, told());
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
