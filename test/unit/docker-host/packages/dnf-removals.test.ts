import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dnf } from "../../../../provider/docker-host/packages/dnf";
import { parseTransaction } from "../../../../provider/docker-host/packages/dnf-removals";
import { PROTECT } from "../../../../provider/docker-host/packages/dnf-text";
import type { InstallOrder } from "../../../../provider/docker-host/packages/package-family";
import type { CommandOutcome, HostSession } from "../../../../provider/host/session";
import { fixture } from "../../../support/fixture";

const recorded = (name: string): string => fixture("docker-host", "dnf", name);
const PODMAN = "podman-with-a-very-long-name-that-does-not-fit-in-a-column";
const INSTALL = [{ name: "docker-ce", version: "3:26-1" }];

/** What dnf would take along, when its commands end as `answer` says. */
const removals = (
  order: Partial<InstallOrder>,
  answer: (line: string) => Partial<CommandOutcome>,
): { readonly calls: readonly string[]; readonly going: Promise<readonly string[]> } => {
  const calls: string[] = [];
  const session = {
    target: "root@h:22",
    redact: (text: string) => text,
    exec: (argv: readonly string[]) => {
      const line = argv.join(" ");
      calls.push(line);
      return Promise.resolve({ kind: "exited", code: 0, stdout: "", stderr: "", ...answer(line) });
    },
  } as unknown as HostSession;
  const whole = { install: [], remove: [], allowDowngrade: false, ...order };
  const going = dnf.removals(session, whole, new AbortController().signal);
  return { calls, going };
};

describe("dnf's trial of an installation", () => {
  for (const tool of ["dnf4", "dnf5"]) {
    it(`must read of ${tool}'s table what goes with what cannot stay, whatever its name's length`, () => {
      const going = parseTransaction(recorded(`trial-erasing-${tool}.txt`));
      assert.deepEqual([...(going ?? [])].sort(), ["cockpit-podman", "containerd", PODMAN, "runc"]);
    });

    it(`must read of ${tool}'s table what would be replaced by something else`, () => {
      assert.deepEqual(parseTransaction(recorded(`trial-replacing-${tool}.txt`)), ["containerd", "runc"]);
    });
  }

  it("must not take a package that goes up for one that goes", () => {
    assert.deepEqual(parseTransaction(recorded("trial-upgrade-dnf5.txt")), []);
  });

  it("must know what cannot be done by there being no table", () => {
    assert.equal(parseTransaction("Dependencies resolved.\nNothing to do.\nComplete!\n"), undefined);
    assert.equal(parseTransaction(""), undefined);
  });

  it("must say what would go only where it cannot be done without, and leave out what goes anyway", async () => {
    const erasing = recorded("trial-erasing-dnf4.txt");
    const { going } = removals({ install: INSTALL, remove: ["runc"] }, (line) => ({
      code: 1,
      stdout: line.includes("--allowerasing") ? erasing : "",
    }));
    assert.deepEqual(await going, ["cockpit-podman", "containerd", PODMAN]);
    const gentle = removals({ install: INSTALL }, (line) => ({
      code: 1,
      stdout: line.includes("--allowerasing") ? erasing : recorded("trial-upgrade-dnf5.txt"),
    }));
    assert.deepEqual(await gentle.going, []);
  });

  it("must leave what cannot be done to the run itself", async () => {
    assert.deepEqual(await removals({ install: INSTALL }, () => ({ code: 1 })).going, []);
  });

  it("must not be taken for one that takes nothing when its end was not heard, or it was killed", async () => {
    for (const order of [{ install: INSTALL }, { remove: ["docker-ce"] }]) {
      await assert.rejects(removals(order, () => ({ kind: "lost" })).going, { code: "connection-lost" });
      const killed = removals(order, () => ({ kind: "killed", signal: "KILL" }));
      await assert.rejects(killed.going, { code: "engine-install-failed" });
    }
  });
});

describe("rpm's trial of a removal", () => {
  const NEEDED = `error: Failed dependencies:
\tdocker-ce-cli is needed by (installed) docker-ce-3:26-1.noarch
\tcontainerd.io >= 1.6 is needed by (installed) docker-ce-3:26-1.noarch
\tcontainerd.io is needed by (installed) ctop-1-1.noarch
\t/usr/bin/docker is needed by (installed) cockpit-docker-ui-1.0~rc1-1.fc42.x86_64
`;
  const remove = ["docker-ce-cli", "containerd.io", "docker-ce"];

  it("must name who needs what goes, but those that go themselves", async () => {
    const { calls, going } = removals({ remove }, () => ({ code: 4, stderr: NEEDED }));
    assert.deepEqual(await going, ["cockpit-docker-ui", "ctop"]);
    assert.deepEqual(calls, ["rpm -e --test -- docker-ce-cli containerd.io docker-ce"]);
  });

  it("must find nobody where rpm would do it, and fail where it says nobody and would not", async () => {
    assert.deepEqual(await removals({ remove }, () => ({ code: 0 })).going, []);
    await assert.rejects(removals({ remove }, () => ({ code: 1, stderr: "error: rpmdb\n" })).going, {
      code: "engine-install-failed",
      message: /trying the removal/,
    });
  });
});

describe("what dnf is to take nothing of", () => {
  it("must be all that is installed, but what is named", () => {
    const folder = mkdtempSync(join(tmpdir(), "protect-"));
    try {
      const installed = "docker-ce\ndocker-ce-cli\ncontainerd.io\ncontainerdxio\npodman\n";
      const text = `rpm() { printf '${installed}'; }\n${PROTECT.replaceAll("/run/slipway", folder)}`;
      const protect = (...names: readonly string[]) =>
        spawnSync("/bin/sh", ["-c", text, "protect", ...names], { encoding: "utf8" }).status;
      const names = (): string => readFileSync(join(folder, "protected.conf"), "utf8");
      assert.equal(protect("docker-ce", "containerd.io", "absent"), 0);
      assert.equal(names(), "docker-ce-cli\ncontainerdxio\npodman\n");
      assert.equal(protect(), 0);
      assert.equal(names(), installed);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
