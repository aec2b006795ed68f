import assert from "node:assert/strict";
import { AgentHost } from "../../support/agent-host";

const [A, B, C, D] = ["a1", "b2", "c3", "d4"] as const;

describe("the agent from turn to turn", () => {
  let host: AgentHost;
  const on = (policy = "label slipway.service\n"): AgentHost => (host = new AgentHost(["sh"], policy));
  afterEach(() => host.remove());

  it("must not end before its restarts have", () => {
    on().engine([{ id: A, name: "web", health: "unhealthy" }]);
    host.folder.file("slow", "");
    host.turn(1_000);
    assert.equal(host.read("log-at-end").length, 1);
  });

  it("must keep its log short", () => {
    const log = (lines: number): string => Array.from({ length: lines }, (_, at) => `${at}\n`).join("");
    on().engine([{ id: A, name: "web" }]);
    host.folder.file("agent/log", log(1_000));
    host.turn();
    assert.equal(host.read("agent/log").length, 1_000);
    host.folder.file("agent/log", log(1_001));
    host.turn();
    assert.deepEqual([host.read("agent/log").length, host.read("agent/log").at(-1)], [500, "1000"]);
  });

  it("must count one that was restarted a moment ago among those that are not there, but not against itself", () => {
    const two = (first?: "unhealthy", second?: "unhealthy"): AgentHost =>
      host.engine([
        { id: A, name: "web", ...(first === undefined ? {} : { health: first }) },
        {
          id: B,
          name: "web-2",
          service: "web",
          slot: "2",
          ...(second === undefined ? {} : { health: second }),
        },
        { id: C, name: "web-3", service: "web", slot: "3" },
        { id: D, name: "web-4", service: "web", slot: "4" },
      ]);
    on("label slipway.service\nbackoff 2\n");
    assert.deepEqual(two("unhealthy").turn(1_000), [A]);
    assert.deepEqual(two(undefined, "unhealthy").turn(1_009), []);
    assert.deepEqual(two(undefined, "unhealthy").turn(1_010), [B]);
    host.folder.file("agent/ledger", "");
    assert.deepEqual(two("unhealthy").turn(1_100), [A]);
    assert.deepEqual(two("unhealthy").turn(1_101), []);
    assert.deepEqual(two("unhealthy").turn(1_102), [A]);
    // nor one of a time to come: it cannot be known
    host.folder.file("agent/ledger", `${B} 1300\n`);
    assert.deepEqual(two("unhealthy").turn(1_103), [A]);
    host.folder.file("agent/ledger", "");
    // whoever is restarted now is not there for the next one
    assert.deepEqual(two("unhealthy", "unhealthy").turn(1_106), [A]);
  });

  it("must wait a whole pause after a restart of a time to come, and count none beyond the window", () => {
    on().engine([{ id: A, name: "web", health: "unhealthy" }]);
    host.folder.file("agent/ledger", `${A} 1300\n`);
    assert.deepEqual([...host.turn(1_000), ...host.turn(1_009)], []);
    assert.deepEqual(host.turn(1_010), [A]);
    host.folder.file("agent/ledger", `${A} 1600\n${A} 90000\n${A} 90001\n`);
    assert.deepEqual(host.turn(1_000), [A]);
  });
});
