import assert from "node:assert/strict";
import { prepareSource } from "../../../../provider/docker-host/apply/prepare-source";
import { systemd } from "../../../../provider/docker-host/init/systemd";
import type { PackageFamily } from "../../../../provider/docker-host/packages/package-family";
import type { HostSession } from "../../../../provider/host/session";
import { silentLog } from "../../../../provider/log";
import { FakeClock } from "../../../support/fake-clock";
import { desiredEngine, observedEngine } from "../../../support/observed-engine";

const desired = desiredEngine("28.5.2");
const after = { installed: { "docker.io": "28.5.2" }, half: ["docker-ce-cli"] };
// of somebody, for the mark went with the repair
const left = { desired, observed: observedEngine({}, { ...after, interrupted: "by somebody" }) };

/** What is done on a machine whose packages are in this state, and what the rest is planned on. */
async function prepared(interrupted: "no" | "by us") {
  const done: string[] = [];
  const note = (what: string) => (): Promise<string> => {
    done.push(what);
    return Promise.resolve("");
  };
  const seen = { desired, observed: observedEngine({}, { interrupted }) };
  const session = { run: () => Promise.resolve(""), writeFile: () => Promise.resolve() };
  const around = {
    session: session as unknown as HostSession,
    family: { repair: note("repair"), refresh: note("refresh") } as unknown as PackageFamily,
    init: systemd,
    clock: new FakeClock(),
    log: silentLog,
    holder: "me",
    signal: new AbortController().signal,
    isHalfDone: () => Promise.resolve(false),
  };
  const look = (): Promise<typeof left> => note("look")().then(() => left);
  const next = await prepareSource(seen, around, look);
  return { done, packages: next.observed.packages, isSame: next === seen };
}

describe("what comes before packages are planned", () => {
  it("must look at the machine anew after a repair, and plan on that", async () => {
    const { done, packages, isSame } = await prepared("by us");
    assert.deepEqual([done, isSame], [["repair", "refresh", "look"], false]);
    assert.deepEqual(packages.installed, after.installed);
  });

  it("must ask nobody for a repair of what only the installation can mend", async () => {
    const { packages } = await prepared("by us");
    assert.deepEqual([packages.interrupted, packages.half], ["no", after.half]);
  });

  it("must not look twice where nothing was repaired", async () => {
    const { done, isSame } = await prepared("no");
    assert.deepEqual([done, isSame], [["refresh"], true]);
  });
});
