import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { isSlipwayError } from "../../../provider/errors";
import { formatOrder, longestSwitchMs } from "../../../provider/switch/switch-order";
import { bridgedOrder } from "../../support/switch-order";

const COUNTS = { count4: 5, count6: 0 };

describe("formatOrder", () => {
  it("must write one name and value a line", () => {
    assert.deepEqual(formatOrder(bridgedOrder(), COUNTS).trim().split("\n"), [
      "service web",
      "way bridged",
      "socket /var/run/docker.sock",
      `old ${"a".repeat(64)}`,
      `next ${"b".repeat(64)}`,
      `copy ${"c".repeat(64)}`,
      "copy_address 172.18.0.3",
      "copy_address6 -",
      "rules4 5",
      "rules6 0",
      "old_restart unless-stopped",
      "stop_s 10",
      "drain_ms 30000",
      "deadline_ms 120000",
      "back_ms 60000",
      "tcp 0BB8",
      "host_tcp 0050",
      "relay_tcp 8000",
      "relay_tcp 8001",
      "old_min_ms 500",
      "old_deadline_ms 9000",
      "old_check http 3 3000 - /ready",
      "next_min_ms 1000",
      "next_deadline_ms 8000",
      "next_check http 3 3000 - /ready",
    ]);
  });

  it("must keep every byte of a command's words, and none of it on another line", () => {
    const words = ["sh", "-c", "echo \"$HOME\" 'a b'\n`id`; \\n\\\\ $(x) ", "", "ü\t", "trailing\n\n"];
    const next = {
      ...bridgedOrder().next,
      check: { test: { kind: "command" as const, argv: words }, timeoutMs: 1_000 },
    };
    const text = formatOrder(bridgedOrder({}, { next }), COUNTS);
    const decode = `while read -r name value; do case $name in next_arg) word=$(printf '%b.' "$value"); printf '%s\\0' "\${word%.}" ;; esac; done`;
    for (const shell of ["dash", "bash"]) {
      const printed = execFileSync(shell, ["-c", decode], { input: text });
      assert.deepEqual(printed.toString().split("\0").slice(0, -1), words, shell);
    }
  });

  it("must refuse what could be more than one line or another place", () => {
    for (const service of ["../web", "a b", "a\nb", ""])
      assert.throws(
        () => formatOrder(bridgedOrder({}, { service }), COUNTS),
        (error) => isSlipwayError(error, "internal"),
      );
    assert.throws(() => formatOrder(bridgedOrder({ id: "x; rm" }), COUNTS), /no container id/);
  });

  it("must say how long the program can take", () => {
    assert.equal(longestSwitchMs(bridgedOrder()), 250_000);
  });
});
