import assert from "node:assert/strict";
import { withChangeMark } from "../../../../provider/docker-host/packages/change-mark";
import { execute } from "../../../../provider/docker-host/apply/execute";
import { systemd } from "../../../../provider/docker-host/init/systemd";
import type { Operation } from "../../../../provider/docker-host/plan/operation";
import { apt } from "../../../../provider/docker-host/packages/apt";
import { SlipwayError } from "../../../../provider/errors";
import { silentLog } from "../../../../provider/log";
import { FakeClock } from "../../../support/fake-clock";
import { packageHost } from "../../../support/package-host";

const isHalfDone = (): Promise<boolean> => Promise.resolve(false);
const INSTALL: Operation = {
  ...{ kind: "install", packages: [{ name: "docker.io" }], remove: [], cause: "none" },
  ...{ downgrade: false, lowers: false },
};
const OTHERS: readonly Operation[] = [
  { kind: "refresh-lists", needed: { kind: "distribution" }, cause: "" },
  { kind: "hold", packages: ["docker.io"], cause: "" },
];

const WORDS: readonly (readonly [string, string])[] = [
  ["write /var/lib/slipway/engine-change", "mark"],
  ["slipway-unmark", "unmark"],
  [" update", "refresh"],
  [" install ", "install"],
  ["apt-mark hold", "hold"],
];

/** Runs a plan on a host where calls that hold `fails` fail; what was done to the mark, and what else, in order. */
async function marks(plan: readonly Operation[], fails = "nothing", isHalf: () => boolean = () => false) {
  const host = packageHost((call) => call.includes(fails));
  const signal = new AbortController().signal;
  const around = { session: host.session, family: apt, init: systemd, clock: new FakeClock(), signal };
  const isHalfDone = (): Promise<boolean> => Promise.resolve(isHalf());
  const failure = await execute(plan, { ...around, log: silentLog, holder: "me", isHalfDone }).then(
    () => undefined,
    (error: unknown) => error,
  );
  const done = host.calls.flatMap((call) => WORDS.find(([text]) => call.includes(text))?.[1] ?? []);
  return { done, failure };
}

describe("the mark of a change", () => {
  it("must stand for as long as packages change, and no longer", async () => {
    const [refresh, hold] = OTHERS as [Operation, Operation];
    const { done, failure } = await marks([refresh, INSTALL, hold]);
    assert.equal(failure, undefined);
    assert.deepEqual(done, ["refresh", "mark", "install", "unmark", "hold"]);
  });

  it("must not be left by a run that failed before or after it changed packages", async () => {
    const [refresh, hold] = OTHERS as [Operation, Operation];
    // of all sources, then of what Docker comes from alone
    assert.deepEqual((await marks([refresh, INSTALL], " update")).done, ["refresh", "refresh"]);
    const after = await marks([INSTALL, hold], "apt-mark hold");
    assert.ok(after.failure instanceof SlipwayError);
    assert.deepEqual(after.done, ["mark", "install", "unmark", "hold"]);
  });

  it("must not be left by a package manager that refused and left nothing half done", async () => {
    const { done, failure } = await marks([INSTALL], " install ");
    assert.ok(failure instanceof SlipwayError && failure.code === "engine-install-failed");
    assert.deepEqual(done, ["mark", "install", "unmark"]);
  });

  it("must be seen by a look without root's rights, whatever root's umask is", async () => {
    const { session, calls, run } = packageHost();
    await withChangeMark({ session, holder: "me", log: silentLog, ...run, isHalfDone }, () =>
      Promise.resolve(),
    );
    assert.equal(calls[0], "run mkdir -p -m 0755 -- /var/lib/slipway");
  });

  it("must go together with the guard that a killed run left over Docker's services", async () => {
    const { session, calls, run } = packageHost();
    const around = { ...{ session, family: apt, init: systemd, clock: new FakeClock() }, ...run };
    const plan: readonly Operation[] = [{ kind: "forget-change", cause: "" }];
    await execute(plan, { ...around, log: silentLog, holder: "me", isHalfDone });
    assert.match(calls[0] ?? "", /systemctl daemon-reload/);
    assert.match(calls[1] ?? "", /slipway-unmark/);
  });

  it("must stay while something is half done, or nobody can tell", async () => {
    assert.deepEqual((await marks([INSTALL], " install ", () => true)).done, ["mark", "install"]);
    const unknown = (): boolean => {
      throw new SlipwayError({ code: "connection-lost", what: "looking", why: "it broke" });
    };
    const { done, failure } = await marks([INSTALL], " install ", unknown);
    assert.deepEqual(done, ["mark", "install"]);
    assert.ok(
      failure instanceof SlipwayError && failure.code === "engine-install-failed",
      "the first failure",
    );
  });
});
