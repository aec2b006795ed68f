import assert from "node:assert/strict";
import { startDaemon } from "../../../../provider/docker-host/apply/service";
import { systemd } from "../../../../provider/docker-host/init/systemd";
import type { Clock } from "../../../../provider/clock";
import type { HostSession } from "../../../../provider/host/session";
import { silentLog } from "../../../../provider/log";
import { observedEngine } from "../../../support/observed-engine";

const done = (stdout: string) => Promise.resolve({ kind: "exited", code: 0, stdout, stderr: "" });

/** A restart under a container, from which the daemon goes back to the former daemon.json. */
async function fallBack(id: string, logDriver?: string) {
  let isWritten = false;
  const up = new Set<string>();
  const docker = {
    version: () => Promise.resolve({ Version: "28.5.2" }),
    info: () => Promise.resolve({ Plugins: { Log: ["journald"] } }),
    listContainers: () => Promise.resolve([]),
    getContainer: () => ({
      inspect: () => Promise.resolve({ State: { Running: up.has(id) }, HostConfig: {} }),
      start: () => Promise.resolve(id === "stuck" ? undefined : up.add(id)),
    }),
  };
  const session = {
    target: "root@host:22",
    redact: (text: string) => text,
    docker: () => Promise.resolve(docker),
    facts: () => Promise.resolve(observedEngine().facts),
    exec: (argv: readonly string[]) =>
      argv.includes("restart") && logDriver === undefined && !isWritten
        ? Promise.resolve({ kind: "exited", code: 1, stdout: "", stderr: "bip is taken" })
        : done("600"),
    run: () => Promise.resolve("/etc/docker/daemon.json\n"),
    script: () => done(""),
    writeFile: () => {
      isWritten = true;
      return Promise.resolve();
    },
  } as unknown as HostSession;
  let looks = 0;
  let limit = (): void => {};
  const clock: Clock = {
    now: () => 0,
    wall: () => 0,
    sleep: (ms) =>
      new Promise((resolve) => {
        if (ms === 60_000) limit = resolve;
        else if (ms < 1_000 && ++looks < 5) setImmediate(resolve);
        else if (ms < 1_000) limit();
      }),
  };
  const ranBefore = { containers: [id], healthy: [], outlived: false };
  const manner = { configBefore: "{}", ranBefore, ...(logDriver !== undefined && { logDriver }) };
  const context = { session, init: systemd, clock, signal: new AbortController().signal, log: silentLog };
  const failure = await startDaemon("restart", manner, context).catch(String);
  return { isUp: up.has(id), failure: String(failure) };
}

describe("a daemon that goes back to the former daemon.json", () => {
  it("must have those started anew who ran", async () => {
    for (const logDriver of [undefined, "nonsense"]) {
      const { isUp, failure } = await fallBack("web", logDriver);
      assert.ok(isUp, logDriver ?? "a start that fails");
      assert.match(failure, /was put back, and (the daemon|Docker 28\.5\.2) runs with it\./);
    }
  });

  it("must say who does not run again beside its own failure", async () => {
    const { failure } = await fallBack("stuck");
    assert.match(failure, /could not start it.*runs with it; 1 containers .* stuck is not running/);
    assert.match(failure, /bip is taken/);
  });
});
