import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { formatHealthcheck } from "../../../provider/health/label";
import { HEALTHCHECK_DEFAULTS, type HealthTest } from "../../../provider/health/policy";
import { AgentHost } from "../../support/agent-host";

const check = (test: HealthTest, more: object = {}): string =>
  formatHealthcheck({ ...HEALTHCHECK_DEFAULTS, retries: 2, ...more, test });
const http = (more: object = {}, path = "/up"): string => check({ kind: "http", port: 3_000, path }, more);

/** A process that began long ago, and one that is just beginning. */
const OLD = "1 bridge 172.17.0.2";
const YOUNG = `${process.pid} bridge 172.17.0.2`;

describe("the agent's own checks", () => {
  let host: AgentHost;
  beforeEach(() => (host = new AgentHost(["sh"])));
  afterEach(() => host.remove());

  const page = (more: object = {}): AgentHost =>
    host.engine([{ id: "a1", name: "web", check: http(), where: OLD, ...more }]);
  const answering = (status: string, at: number): readonly string[] => {
    host.folder.file("said", `a1 ${status}\n`);
    return host.turn(at);
  };

  it("must ask a page at the container's own address, and restart it when it fails as often as its check says", () => {
    page();
    assert.deepEqual(answering("200", 1_000), []);
    assert.deepEqual(host.read("asked").slice(0, 2), [
      'url = "http://172.17.0.2:3000/up"',
      'output = "/dev/null"',
    ]);
    assert.deepEqual(answering("503", 1_030), []);
    assert.deepEqual(answering("503", 1_045), ["a1"]);
    assert.deepEqual(host.events(), ["restarted web: its check fails"]);
  });

  it("must begin to count anew after a good answer", () => {
    page();
    for (const [at, status] of ["503", "399", "503", "200", "503"].entries())
      assert.deepEqual(answering(status, 1_000 + 30 * at), []);
  });

  it("must keep to the check's interval as long as all is well", () => {
    page();
    answering("200", 1_000);
    const asked = host.read("asked").length;
    answering("200", 1_029);
    assert.equal(host.read("asked").length, asked);
    answering("200", 1_030);
    assert.ok(host.read("asked").length > asked);
  });

  it("must take the status that the check wants", () => {
    page({ check: check({ kind: "http", port: 3_000, path: "/up", status: 204 }, { retries: 1 }) });
    assert.deepEqual(answering("204", 1_000), []);
    assert.deepEqual(answering("200", 1_030), ["a1"]);
  });

  it("must grant a start its time", () => {
    page({ where: YOUNG, check: http({ retries: 1, startPeriodMs: 86_400_000 }) });
    assert.deepEqual(answering("503", 1_000), []);
    page({ where: OLD, check: http({ retries: 1 }) });
    assert.deepEqual(answering("503", 1_030), ["a1"]);
  });

  it("must not hold against a container what it failed before it was restarted", () => {
    page({ check: http({ retries: 1 }) });
    assert.deepEqual(answering("503", 1_000), ["a1"]);
    page({ where: YOUNG, check: http({ retries: 1, startPeriodMs: 86_400_000 }) });
    for (const at of [1_015, 1_030, 1_100]) assert.deepEqual(answering("503", at), []);
    page({ where: OLD, check: http({ retries: 1, startPeriodMs: 1_000 }) });
    assert.deepEqual(answering("503", 1_130), ["a1"]);
  });

  it("must not hold against a container what it failed before somebody restarted it", () => {
    page();
    assert.deepEqual(answering("503", 1_000), []);
    page({ where: YOUNG, check: http({ startPeriodMs: 86_400_000 }) });
    assert.deepEqual(answering("503", 1_015), []);
    page();
    assert.deepEqual(answering("503", 1_030), []);
    assert.deepEqual(answering("503", 1_045), ["a1"]);
  });

  it("must ask at every turn what fails and may, for it has just been started", () => {
    page({ where: YOUNG, check: http({ startPeriodMs: 86_400_000 }) });
    answering("503", 1_000);
    const asked = host.read("asked").length;
    answering("200", 1_005);
    assert.ok(host.read("asked").length > asked);
  });

  it("must not hold it against one that it has no address to be asked at", () => {
    for (const where of ["1 none invalid IP", "1 none ", "1 ipv6 invalid IP fd00::5"]) {
      page({ check: http({ retries: 1 }), where });
      host.folder.file("asked", "");
      const [asked = ""] = (answering(where.includes("fd00") ? "200" : "000", 1_000), host.read("asked"));
      assert.equal(asked, where.includes("fd00") ? 'url = "http://[fd00::5]:3000/up"' : "");
      assert.deepEqual(host.events(), []);
    }
  });

  it("must count one that has just been started among those of its service that are not there", () => {
    const two = (first: string): AgentHost =>
      host.engine([
        {
          id: "a1",
          name: "web",
          service: "web",
          check: http({ retries: 1, startPeriodMs: 86_400_000 }),
          where: first,
        },
        { id: "b2", name: "web-2", service: "web", slot: "2", health: "unhealthy" },
        { id: "c3", name: "web-3", service: "web", slot: "3" },
        { id: "d4", name: "web-4", service: "web", slot: "4" },
      ]);
    two(YOUNG);
    assert.deepEqual(answering("503", 1_000), []);
    two(OLD);
    assert.deepEqual(answering("200", 1_015), ["b2"]);
  });

  it("must be the ones that count, whatever Docker says of a HEALTHCHECK of the image's", () => {
    page({ health: "unhealthy" });
    assert.deepEqual([...answering("200", 1_000), ...answering("200", 1_030)], []);
    page({ check: http({ retries: 1 }) });
    assert.deepEqual(answering("503", 1_060), ["a1"]);
    page({ health: "unhealthy", check: check({ kind: "command", argv: ['"kind":"http"'] }) });
    assert.deepEqual(answering("200", 1_130), ["a1"]);
  });

  it("must not let one for starting count that only Docker calls so", () => {
    host.engine([
      { id: "a1", name: "web", service: "web", health: "starting", check: http(), where: OLD },
      { id: "b2", name: "web-2", service: "web", slot: "2", health: "unhealthy" },
      { id: "c3", name: "web-3", service: "web", slot: "3" },
    ]);
    assert.deepEqual(answering("200", 1_000), ["b2"]);
  });

  it("must grant an answer the time that its check does, a minute at most", () => {
    for (const [timeoutMs, seconds] of [
      [30_000, 30],
      [45_500, 46],
      [300_000, 60],
      [0, 1],
    ] as const) {
      host.folder.file("asked", "").drop("run/health.agent/streaks");
      page({ check: http({ timeoutMs }) });
      answering("200", 1_000);
      assert.ok(host.read("asked").includes(`max-time = ${seconds}`), host.read("asked").join("\n"));
    }
  });

  it("must not hold it against one that it was not asked in time", () => {
    page({ check: http({ retries: 1 }) });
    host.folder.file("said", "b2 200\n");
    assert.deepEqual(host.turn(1_000), []);
    assert.deepEqual(answering("503", 1_001), ["a1"]);
  });

  describe("without curl", () => {
    const many = (count: number, more: object): AgentHost =>
      host.withoutCurl().engine(
        Array.from({ length: count }, (_, at) => ({
          id: `a${at}`,
          name: `web${at}`,
          check: http(more),
          where: `1 bridge 172.17.0.${at + 2}`,
        })),
      );
    const wget = (program: string): unknown =>
      host.folder.file(
        "bin/wget",
        `#!/bin/sh\nfor last; do :; done\necho "$last" >>"$FAKE/asked"\n${program}\n`,
        0o755,
      );

    it("must ask side by side, so that one which hangs does not hold the others up", () => {
      many(3, { retries: 1 });
      // each answers when all have been asked
      wget(`turns=0
        while [ "$(wc -l <"$FAKE/asked")" -lt 3 ]; do turns=$((turns + 1)); [ $turns -lt 20 ] || exit 1; sleep 0.05; done
        echo '  HTTP/1.1 200 OK' >&2`);
      assert.deepEqual(host.turn(1_000), []);
    });

    it("must ask no more when that has taken long, and those first at the next turn who were not", () => {
      many(30, { retries: 1 });
      host.uptime(86_400);
      wget(`[ "$(wc -l <"$FAKE/asked")" -lt 20 ] || echo 86451.00 1 >"$FAKE/uptime"
        echo '  HTTP/1.1 200 OK' >&2`);
      assert.deepEqual(host.turn(1_000), []);
      const first = host.read("asked");
      assert.equal(first.length, 20);
      host.uptime(86_400).folder.file("asked", "");
      assert.deepEqual(host.turn(1_100), []);
      assert.equal(host.read("asked").filter((url) => !first.includes(url)).length, 10);
    });
  });

  it("must not ask by a path that something could read as more than a path", () => {
    page({ check: http({ retries: 1 }, '/a" b') });
    assert.deepEqual(answering("000", 1_000), []);
    assert.deepEqual(host.read("asked"), []);
  });

  it("must see whether a port is listened on", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const own = { id: "a1", name: "db", where: `${process.pid} bridge ` } as const;
    try {
      host.engine([{ ...own, check: check({ kind: "tcp", port }, { retries: 1 }) }]);
      assert.deepEqual(host.turn(1_000), []);
      assert.equal(readFileSync(`${host.folder.path}/run/health.agent/streaks`, "utf8"), "a1 0 1000\n");
    } finally {
      server.close();
    }
    await once(server, "close");
    host.engine([{ ...own, where: "1 bridge ", check: check({ kind: "tcp", port }, { retries: 1 }) }]);
    assert.deepEqual(host.turn(1_030), ["a1"]);
  });
});
