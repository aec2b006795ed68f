import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { SWITCH_PROGRAM } from "../../../provider/switch/program";
import { KEEP_RUNNING } from "../../../provider/switch/start-switch";
import { formatOrder } from "../../../provider/switch/switch-order";
import { bridgedOrder } from "../../support/switch-order";
import { TemporaryFolder } from "../../support/temporary-folder";

const SHELLS = [["dash"], ["bash", "--posix"], ["busybox", "sh"]].filter(
  ([command = ""]) => spawnSync(command, ["-c", ":"]).error === undefined,
);
const COUNT = 'echo run >>"$1/runs"; runs=$(grep -c run "$1/runs")';

describe("KEEP_RUNNING", () => {
  let folder: TemporaryFolder;
  const keep = ([command = "", ...args]: readonly string[], program: string): string | number | null => {
    folder.file("program", `${COUNT}\n${program}\n`);
    const argv = [...args, "-c", KEEP_RUNNING, path.join(folder.path, "program"), folder.path];
    const { status, signal } = spawnSync(command, argv, { timeout: 8_000 });
    return signal ?? status;
  };
  const runs = (): number => readFileSync(path.join(folder.path, "runs"), "utf8").split("\n").length - 1;

  beforeEach(() => {
    folder = new TemporaryFolder();
  });
  afterEach(() => folder.remove());

  for (const shell of SHELLS) {
    it(`must start the program again when it was killed with the loop that does so, in ${shell.join(" ")}`, () => {
      assert.equal(keep(shell, '[ "$runs" != 1 ] || kill -KILL "$PPID" $$; [ "$runs" = 3 ]'), 0);
      assert.equal(runs(), 3);
    });

    it(`must not start a second one while the first lives, in ${shell.join(" ")}`, () => {
      const first = 'kill -KILL "$PPID"; sleep 0.5; : >"$1/over"';
      assert.equal(keep(shell, `if [ "$runs" = 1 ]; then ${first}; else [ -e "$1/over" ]; fi`), 0);
      assert.equal(runs(), 2);
    });

    it(`must end when somebody takes its folder away, in ${shell.join(" ")}`, () => {
      assert.equal(keep(shell, 'rm "$0"; exit 1'), 0);
      assert.ok(!existsSync(path.join(folder.path, "program")));
    });
  }

  it("must find a program that waits while another one of the same folder lives", () => {
    folder
      .file("order", formatOrder(bridgedOrder(), { count4: 5, count6: 0 }))
      .file("program", SWITCH_PROGRAM)
      .file("pid", `${process.pid} ${startOf(process.pid)}\n`);
    const { status } = spawnSync("/bin/sh", [path.join(folder.path, "program"), folder.path]);
    assert.equal(status, 75);
    assert.ok(!existsSync(path.join(folder.path, "events")), "it did nothing");
  });
});

function startOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}
