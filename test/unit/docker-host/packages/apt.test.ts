import assert from "node:assert/strict";
import { apt } from "../../../../provider/docker-host/packages/apt";
import type { CommandOutcome, HostSession } from "../../../../provider/host/session";
import { packageHost } from "../../../support/package-host";

const ORDER = { install: [{ name: "docker-ce" }], remove: [], allowDowngrade: false };
const WORDS = { stdout: "Remv runc [1.1]\n", stderr: "" };

/** What apt would remove, when its trial ends this way. */
const removals = (outcome: CommandOutcome): Promise<readonly string[]> => {
  const session = {
    target: "root@h:22",
    redact: (text: string) => text,
    exec: () => Promise.resolve(outcome),
  };
  return apt.removals(session as unknown as HostSession, ORDER, new AbortController().signal);
};

describe("apt's trial of an installation", () => {
  it("must say what would go, and leave what cannot be done to the run itself", async () => {
    assert.deepEqual(await removals({ kind: "exited", code: 0, ...WORDS }), ["runc"]);
    assert.deepEqual(await removals({ kind: "exited", code: 100, ...WORDS, stdout: "" }), []);
  });

  it("must not be taken for one that removes nothing when its end was not heard, or it was killed", async () => {
    await assert.rejects(async () => removals({ kind: "lost", ...WORDS, stdout: "" }), {
      code: "connection-lost",
    });
    await assert.rejects(async () => removals({ kind: "killed", signal: "KILL", ...WORDS, stdout: "" }), {
      code: "engine-install-failed",
    });
  });
});

describe("apt", () => {
  it("must wait for dpkg's lock with a hold and its end, too", async () => {
    const { session, calls, run } = packageHost();
    const texts: string[] = [];
    const script: HostSession["script"] = (text, args, options) => {
      texts.push(text);
      return session.script(text, args, options);
    };
    const waiting = { ...session, script };
    await apt.hold(waiting, ["docker-ce"], run);
    await apt.unhold(waiting, ["docker-ce"], run);
    // 300 seconds, and no service is left alone meanwhile
    assert.deepEqual(calls, ["script 300  apt-mark hold docker-ce", "script 300  apt-mark unhold docker-ce"]);
    for (const text of texts) assert.match(text, /wait_for_locks$/m);
  });
});
