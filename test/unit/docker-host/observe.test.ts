import assert from "node:assert/strict";
import { observe } from "../../../provider/docker-host/observe";
import type { HostSession } from "../../../provider/host/session";
import { FakeClock } from "../../support/fake-clock";
import { desiredEngine, observedEngine } from "../../support/observed-engine";

const NEVER = new Promise<never>(() => {});

/** A machine whose service is active. */
function machine(docker: object): HostSession {
  const stdout = "package docker.io 26.1.5+dfsg1-9 installed\nactive yes\nenabled yes\nend yes\n";
  const session = {
    target: "root@h:22",
    facts: () => Promise.resolve(observedEngine().facts),
    script: () => Promise.resolve({ kind: "exited", code: 0, stdout, stderr: "" }),
    docker: () => Promise.resolve(docker),
  };
  return session as unknown as HostSession;
}

describe("observe", () => {
  it("must not take a daemon that never answers for one that does not run", async () => {
    const mute = { version: () => NEVER, info: () => NEVER, listContainers: () => NEVER };
    const around = { clock: new FakeClock(), signal: new AbortController().signal };
    await assert.rejects(observe(machine(mute), desiredEngine("26.1.5"), around), {
      code: "engine-unreachable",
      message: /takes the call and does not answer \(after 30s\)/,
    });
  });
});
