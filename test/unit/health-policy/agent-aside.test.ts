import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { formatHealthcheck } from "../../../provider/health/label";
import { HEALTHCHECK_DEFAULTS } from "../../../provider/health/policy";
import { AgentHost } from "../../support/agent-host";
import { type FileServer, writeHaproxy } from "../../support/haproxy-files";

const [A, B] = ["78b5a1324395", "8ffada9fb1b9"] as const;
const MINE: FileServer = { place: "s1", container: A };
const OTHER: FileServer = { place: "s2", container: B, address: "172.18.0.5" };
const DRAINED = "@1 set server service.web/s1 state drain";
const READY = "@1 set server service.web/s1 state ready";

describe("the agent, where a proxy leads to its containers", () => {
  let host: AgentHost;
  beforeEach(() => {
    host = new AgentHost(["sh"], "label slipway.service\nmax_restarts 2\n");
    host.folder.file("proxies/edge/conf/50-web.cfg", `    server s1 ${A}:3000\n    server s2 ${B}:3000\n`);
    writeHaproxy(host.folder, [[24, [MINE, OTHER]]]);
  });
  afterEach(() => host.remove());

  const isNow = (health?: "unhealthy" | "starting"): AgentHost =>
    host.engine([
      { id: A, name: "web", ...(health === undefined ? {} : { health }) },
      { id: B, name: "web-2", service: "web", slot: "2" },
    ]);

  it("must take one out of the way of requests before it restarts it, until it is well", () => {
    assert.deepEqual(isNow("unhealthy").turn(1_000), [A]);
    assert.deepEqual(host.read("told"), [DRAINED]);
    isNow("starting").turn(1_005);
    isNow("unhealthy").turn(1_008);
    assert.deepEqual(host.read("told"), [DRAINED]);
    isNow().turn(1_010);
    assert.deepEqual(host.read("told"), [DRAINED, READY]);
    isNow().turn(1_015);
    assert.deepEqual(host.read("told"), [DRAINED, READY]);
  });

  it("must note each place once, however often it is restarted", () => {
    isNow("unhealthy").turn(1_000);
    isNow("unhealthy").turn(1_010);
    assert.equal(host.read("agent/ledger").length, 2);
    assert.equal(host.read(`run/health.agent/aside.${A}`).length, 1);
  });

  describe("while an up is at work", () => {
    const PAGE = formatHealthcheck({
      ...HEALTHCHECK_DEFAULTS,
      test: { kind: "http", port: 3_000, path: "/up" },
    });
    const checked = (more: object = {}): AgentHost =>
      host.engine([
        { id: A, name: "web", check: PAGE, where: "1 bridge 172.18.0.4", ...more },
        { id: B, name: "web-2", service: "web", slot: "2" },
      ]);
    beforeEach(() => {
      isNow("unhealthy").turn(1_000);
      const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
      const stat = readFileSync(`/proc/${process.pid}/stat`, "utf8");
      const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
      host.folder.file("agent/hold", `${boot} ${process.pid} ${start}\n`);
    });

    it("must give one back its requests that is well, and do nothing else", () => {
      assert.deepEqual(isNow("unhealthy").turn(1_100), []);
      isNow("starting").turn(1_105);
      assert.deepEqual(host.read("told"), [DRAINED]);
      isNow().turn(1_110);
      assert.deepEqual(host.read("told"), [DRAINED, READY]);
      isNow().turn(1_115);
      assert.deepEqual(host.read("calls"), []);
    });

    it("must leave one aside whose check has failed, though not often enough yet", () => {
      host.folder.file("said", `${A} 503\n`);
      checked().turn(1_100);
      assert.deepEqual(host.read("told"), [DRAINED]);
      host.folder.file("said", `${A} 200\n`);
      checked().turn(1_110);
      assert.deepEqual(host.read("told"), [DRAINED, READY]);
    });
  });

  it("must drain before the restart", () => {
    isNow("unhealthy").turn(1_000);
    const calls = host.read("calls");
    const drained = calls.findIndex((call) => call.includes("dial-stdio"));
    assert.ok(drained >= 0 && drained < calls.indexOf(`restart ${A}`));
  });

  for (const [what, happens] of [
    ["a deployment has begun", 'mkdir -p "$FAKE/locks"; echo >"$FAKE/locks/slipway.lock.web"'],
    ["a deployment has been through", `sed -i 's/|web|1|/|web.0a1b2c3d|1|/' "$FAKE/list"`],
  ] as const) {
    it(`must not restart it when ${what} while what it had open ended`, () => {
      host.folder.file("meanwhile", happens);
      assert.deepEqual(isNow("unhealthy").turn(1_000), []);
      assert.deepEqual(host.read("told"), [DRAINED, READY]);
      assert.deepEqual(host.read("agent/ledger"), []);
    });
  }

  it("must give it back its requests when it is given up", () => {
    isNow("unhealthy");
    for (const at of [1_000, 1_010, 1_030]) host.turn(at);
    assert.match(host.events().join("\n"), /gave-up web/);
    host.turn(1_035);
    assert.equal(host.read("told").at(-1), READY);
  });

  it("must give it back its requests when nobody else serves any more", () => {
    isNow("unhealthy").turn(1_000);
    writeHaproxy(host.folder, [
      [
        24,
        [
          { ...MINE, state: "2 8" },
          { ...OTHER, state: "0 0" },
        ],
      ],
    ]);
    host.turn(1_005);
    assert.equal(host.read("told").at(-1), READY);
  });

  it("must put right what a turn that was killed has left, when it is taken away, too", () => {
    host.folder.file(`run/health.agent/aside.${A}`, `web ${host.folder.path}/proxies/edge s1\n`);
    isNow().turn(1_000);
    assert.deepEqual(host.read("told"), [READY]);
    assert.deepEqual(host.read(`run/health.agent/aside.${A}`), []);
    host.folder.file(`run/health.agent/aside.${A}`, `web ${host.folder.path}/proxies/edge s1\n`);
    isNow("unhealthy");
    assert.deepEqual(host.leave(), []);
    assert.deepEqual(host.read("told"), [READY, READY]);
  });
});
