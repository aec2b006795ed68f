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

describe("apt's trial of a removal", () => {
  const REMOVAL = { install: [], remove: ["docker-ce"], allowDowngrade: false };
  const trial = (code: number) => {
    const options: unknown[] = [];
    const host = packageHost(() => code !== 0);
    const exec: HostSession["exec"] = (argv, given) => {
      options.push(given?.sudo);
      return Promise.resolve({
        kind: "exited",
        code,
        ...WORDS,
        stdout: argv.includes("-s") ? WORDS.stdout : "",
      });
    };
    const going = apt.removals({ ...host.session, exec }, REMOVAL, host.run.signal);
    return { going, options };
  };

  it("must be made as root, for whom it will be done", async () => {
    const { going, options } = trial(0);
    assert.deepEqual(await going, ["runc"]);
    assert.deepEqual(options, [true]);
  });

  it("must not be taken for one that takes nothing along when it cannot be done", async () => {
    await assert.rejects(trial(100).going, /trying the removal .*exit code 100/);
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

describe("apt's repair", () => {
  const CONFIGURE = "dpkg --configure -a";
  const steps = (calls: readonly string[]): readonly string[] =>
    calls.map((call) => {
      if (call.includes(CONFIGURE)) return "configure";
      const [words = ""] = /(-s |--no-remove )?--fix-broken install$/.exec(call) ?? [];
      return words;
    });

  it("must bring in what a package needs before dpkg has to be done with it", async () => {
    let configured = 0;
    const { session, calls, run } = packageHost((call) => call.includes(CONFIGURE) && configured++ === 0);
    await apt.repair(session, run);
    assert.deepEqual(steps(calls), [
      "configure",
      "-s --fix-broken install",
      "--no-remove --fix-broken install",
      "configure",
    ]);
  });

  it("must not go on past what dpkg is still not done with", async () => {
    const { session, run } = packageHost((call) => call.includes(CONFIGURE));
    await assert.rejects(apt.repair(session, run), /finishing an interrupted installation .*exit code 1/);
  });

  it("must ask dpkg once where nothing is missing", async () => {
    const { session, calls, run } = packageHost();
    await apt.repair(session, run);
    assert.equal(steps(calls).filter((step) => step === "configure").length, 1);
  });

  it("must take nothing of others off, and name it; parts of an engine may have to go", async () => {
    const going = (name: string) =>
      packageHost(
        () => false,
        (call) => (call.includes(" -s ") ? `Remv ${name} [1]\n` : ""),
      );
    const theirs = going("lab-notes");
    await assert.rejects(apt.repair(theirs.session, theirs.run), {
      code: "engine-install-failed",
      message: /what lab-notes needs is not there, and apt would remove it\. Nothing was removed/,
    });
    assert.deepEqual(steps(theirs.calls), ["configure", "-s --fix-broken install"]);
    const ours = going("docker.io");
    await apt.repair(ours.session, ours.run);
    assert.equal(steps(ours.calls).at(-1), "--fix-broken install");
  });

  it("must end at a lock that is not freed, and at a killed dpkg", async () => {
    const { session, run } = packageHost();
    for (const end of [
      { kind: "exited", code: 75 },
      { kind: "killed", signal: "KILL" },
    ] as const) {
      const script = () => Promise.resolve({ ...end, stdout: "", stderr: "" });
      await assert.rejects(apt.repair({ ...session, script }, run), { code: "engine-install-failed" });
    }
  });
});
