import assert from "node:assert/strict";
import { AgentHost } from "../../support/agent-host";

const URL = "https://chat.example/T0/canary";
const SICK = [{ id: "a1", name: "web", health: "unhealthy" }] as const;
const MESSAGE = "Slipway restarted web on web1 (restart 1 of 3): its HEALTHCHECK fails";

/** GNU's: tells its version, and reads addresses from standard input where it is told to. */
const GNU_WGET = `#!/bin/sh
case $1 in --version) exit 0 ;; esac
printf '%s\\n' "$*" >>"$FAKE/wgot"
case "$*" in *'-i -') cat >>"$FAKE/asked" ;; esac
exit "$(cat "$FAKE/wget-exit")"
`;
const BUSYBOX_WGET = `#!/bin/sh
case $1 in --version) exit 1 ;; esac
printf '%s\\n' "$*" >>"$FAKE/wgot"
exit "$(cat "$FAKE/wget-exit")"
`;

describe("the agent's messages", () => {
  let host: AgentHost;
  afterEach(() => host.remove());

  const on = (said: string): AgentHost => {
    host = new AgentHost(["sh"]).engine(SICK);
    host.folder.file("agent/notify", `${URL}\n`);
    return answering(said);
  };
  /** What curl says of the answer: its status, and how much of a request went out. */
  const answering = (said: string): AgentHost => {
    host.folder.file("said", said);
    return host;
  };
  /** The text of each message that was sent, or tried. */
  const texts = (file = "curled"): readonly string[] =>
    host.read(file).map((line) => {
      const [json = ""] = /\{".*"\}/.exec(line) ?? [];
      return (JSON.parse(json) as { readonly text: string }).text;
    });

  it("must reach curl with the address by standard input, as JSON", () => {
    on("200 99").turn(1_000);
    assert.deepEqual(texts(), [MESSAGE]);
    assert.deepEqual(host.read("asked"), [`url = "${URL}"`]);
    assert.match(host.read("curled")[0] ?? "", /-H Content-Type: application\/json /);
    assert.doesNotMatch(host.read("curled").join("\n"), /canary/);
    assert.deepEqual(host.read("agent/unsent"), []);
  });

  it("must be JSON whatever the machine and the service are called", () => {
    on("200 99").folder.file("hostname", 'we"b\\1\u0007\n');
    const replica = (id: string, name: string) =>
      ({ id, name, service: 'o"d\\d', slot: id, health: "unhealthy" }) as const;
    host.engine([...SICK, replica("2", 'o"d\\d-2'), replica("3", 'o"d\\d-3')]).turn(1_000);
    assert.deepEqual([...texts()].sort(), [
      'Slipway restarted web on we"b\\1 (restart 1 of 3): its HEALTHCHECK fails',
      'Slipway restarts nothing of o"d\\d on we"b\\1: 2 of 2 are unhealthy at once',
    ]);
  });

  it("must go out at a later turn where they were refused or never came, once", () => {
    for (const refusal of ["503 99", "429 99", "302 99", "000 0"]) {
      on(refusal).turn(1_000);
      assert.deepEqual(host.read("agent/unsent"), [`1000 ${MESSAGE}`], refusal);
      host.engine([]).turn(1_015);
      assert.deepEqual(host.read("agent/unsent"), [`1000 ${MESSAGE}`], refusal);
      const before = texts().length;
      answering("200 99").turn(1_030);
      answering("200 99").turn(1_045);
      assert.deepEqual(texts().slice(before), [MESSAGE], refusal);
      host.remove();
    }
  });

  it("must not go out twice where nobody knows whether they came", () => {
    on("000 99").turn(1_000);
    host.engine([]).turn(1_015);
    assert.deepEqual(texts(), [MESSAGE]);
  });

  it("must be given up after an hour, and be twenty at most", () => {
    on("503 99").engine([]);
    const lines = Array.from({ length: 25 }, (_, at) => `${1_000 + at} word ${at}\n`);
    host.folder.file("agent/unsent", lines.join(""));
    host.turn(1_030);
    assert.equal(host.read("agent/unsent").length, 20);
    assert.equal(host.read("agent/unsent")[0], "1005 word 5");
    // one that fails ends it for the turn
    assert.deepEqual(texts(), ["word 0"]);
    host.turn(1_020 + 3_600);
    assert.deepEqual(host.read("agent/unsent"), [
      "1021 word 21",
      "1022 word 22",
      "1023 word 23",
      "1024 word 24",
    ]);
    host.turn(1_024 + 3_600);
    assert.deepEqual(host.read("agent/unsent"), []);
  });

  it("must not keep a repair waiting for a webhook that hangs", () => {
    on("").folder.file(
      "bin/curl",
      // ends when the second restart has been made, or is cut off
      '#!/bin/sh\ncat >/dev/null\nexec 9>&-\nn=0\nuntil grep -q "^restart b2" "$FAKE/calls"; do n=$((n + 1)); [ $n -lt 400 ] || { echo late >>"$FAKE/late"; exit 0; }; sleep 0.01; done\necho 200 99\n',
      0o755,
    );
    host.folder.file("agent/ledger", "a1 400\na1 500\na1 600\n");
    host.engine([...SICK, { id: "b2", name: "zoo", health: "unhealthy" }]);
    assert.deepEqual(host.turn(990), ["b2"]);
    assert.deepEqual(host.read("late"), []);
    assert.deepEqual([...host.events()].map((line) => line.split(" ")[0]).sort(), ["gave-up", "restarted"]);
  });

  it("must tell of a restart once and of giving up once, however often the agent looks", () => {
    host = new AgentHost(["sh"], "label slipway.service\nmax_restarts 1\n").engine(SICK);
    host.folder.file("agent/notify", `${URL}\n`).file("said", "200 99");
    for (const at of [1_000, 1_015, 1_030, 1_045, 1_700]) host.turn(at);
    assert.deepEqual(texts(), [
      "Slipway restarted web on web1 (restart 1 of 1): its HEALTHCHECK fails",
      "Slipway gave up on web on web1 after 1 restart within 600s: its HEALTHCHECK fails",
    ]);
  });

  describe("where there is no curl", () => {
    const withWget = (program: string, exit: number): AgentHost => {
      on("").folder.file("bin/wget", program, 0o755).file("wget-exit", `${exit}\n`);
      return host.withoutCurl();
    };

    it("must reach GNU's wget by standard input too, follow no redirect, and go out once more when refused", () => {
      withWget(GNU_WGET, 8).turn(1_000);
      assert.deepEqual(host.read("agent/unsent"), [`1000 ${MESSAGE}`]);
      host.folder.file("wget-exit", "0\n");
      host.engine([]).turn(1_015);
      assert.deepEqual(host.read("agent/unsent"), []);
      const wgot = host.read("wgot");
      assert.match(wgot[0] ?? "", / -t 1 --max-redirect=0 .*Content-Type: application\/json /);
      assert.doesNotMatch(wgot.join("\n"), /canary/);
      assert.equal(host.read("asked").at(-1), URL);
    });

    it("must go by busybox's wget, which can say nothing but whether it went well", () => {
      withWget(BUSYBOX_WGET, 1).turn(1_000);
      assert.deepEqual(texts("wgot"), [MESSAGE]);
      host.engine([]).turn(1_015);
      assert.equal(host.read("wgot").length, 1);
    });
  });
});
