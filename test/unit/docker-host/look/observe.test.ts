import assert from "node:assert/strict";
import { SlipwayError } from "../../../../provider/errors";
import { observe } from "../../../../provider/docker-host/look/observe";
import type { HostSession } from "../../../../provider/host/session";
import { FakeClock } from "../../../support/fake-clock";
import { desiredEngine, observedEngine } from "../../../support/observed-engine";

const around = { clock: new FakeClock(), signal: new AbortController().signal };
const NEVER = new Promise<never>(() => {});

const LOOKED = "\n== os\nID=debian\n\n== init\nsystemd\n\n== look\n";

/** A machine whose service is active; `engine` is what the look itself heard. */
function machine(docker: object, engine = ""): HostSession {
  const stdout = `${LOOKED}package docker.io 26.1.5+dfsg1-9 installed\nactive yes\nenabled yes\n${engine}end yes\n`;
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
    await assert.rejects(observe(machine(mute), desiredEngine("26.1.5").wish, undefined, around), {
      code: "engine-unreachable",
      message: /takes the call and does not answer \(after 30s\)/,
    });
  });

  it("must not take an active daemon whose API is not there for one that does not run", async () => {
    const unreachable = new SlipwayError({ code: "engine-unreachable", what: "asking", why: "no socket" });
    const session = { ...machine({}), docker: () => Promise.reject(unreachable) } as unknown as HostSession;
    const clock = { now: () => 0, wall: () => 0, sleep: () => NEVER };
    const { wish } = desiredEngine("26.1.5");
    const { observed } = await observe(session, wish, undefined, { ...around, clock });
    assert.deepEqual([observed.daemon, observed.unheard], [undefined, true]);
  });

  it("must ask the API no more when the look heard the engine", async () => {
    const words = [
      '{"Version":"29.1.0","ApiVersion":"1.52"}',
      '{"Driver":"overlayfs","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]],"Containers":3,"Images":2}',
      '[{"Id":"b"},{"Id":"c","State":"paused"},{"Id":"a","State":"running"},{"Id":"d","State":"restarting"}]',
    ];
    const engine = `engine ${Buffer.from(words.join("\n")).toString("base64")}\n`;
    const { observed } = await observe(machine({}, engine), desiredEngine("29.x").wish, undefined, around);
    const { daemon } = observed;
    assert.deepEqual(daemon?.running, ["a", "b"]);
    assert.deepEqual([daemon.version, daemon.apiVersion], ["29.1.0", "1.52"]);
    assert.deepEqual(daemon.halted, ["c", "d"]);
    assert.deepEqual([daemon.imageStore, daemon.containers, daemon.images], ["containerd", 3, 2]);
  });

  it("must look again with root's rights where something is closed", async () => {
    const asked: boolean[] = [];
    const session = {
      ...machine({}),
      facts: () => Promise.resolve({ ...observedEngine().facts, sudo: "passwordless" }),
      script: (_text: string, _args: readonly string[], { sudo }: { sudo: boolean }) => {
        asked.push(sudo);
        const line = sudo ? "config eyJkZWJ1ZyI6dHJ1ZX0=" : "closed /etc/docker/daemon.json";
        return Promise.resolve({
          kind: "exited",
          code: 0,
          stdout: `${LOOKED}${line}\nend yes\n`,
          stderr: "",
        });
      },
    } as unknown as HostSession;
    const { observed } = await observe(session, desiredEngine("28.x").wish, undefined, around);
    assert.deepEqual(asked, [false, true]);
    assert.deepEqual(observed.daemonConfig, { debug: true });
  });
});
