import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import Docker from "dockerode";
import type { ObservedContainer } from "../../../provider/container/observed";
import type { HealthTest, ProbeResult } from "../../../provider/health/policy";
import { probe } from "../../../provider/health/probe";
import { formatRequest, hostCommands } from "../../../provider/health/probe-http";
import type { CommandOutcome, HostSession } from "../../../provider/host/session";
import { ManualClock } from "../../support/manual-clock";
import { observedContainer } from "../../support/observed-container";

const HTTP = { kind: "http", port: 3000, path: "/up" } as const;
const TCP = { kind: "tcp", port: 5432 } as const;

/** A server's end that answers whatever is written to it; undefined: never. */
function answering(text: string | undefined, heard: string[] = []): Duplex {
  return new Duplex({
    read: () => {},
    write(chunk: Buffer, _encoding, done) {
      heard.push(chunk.toString());
      if (text !== undefined) this.push(text);
      if (text !== undefined) this.push(null);
      done();
    },
  });
}

interface Fakes {
  readonly forward?: (address: string, port: number) => Promise<Duplex>;
  /** Exit codes and outputs by program; a program that is not here is not on the host. */
  readonly programs?: Readonly<Record<string, readonly [code: number, stdout: string]>>;
}

function sessionWith({ forward, programs = {} }: Fakes): HostSession {
  const session: Partial<HostSession> = {
    target: "root@host:22",
    forward: forward ?? (() => Promise.reject(new Error("not expected"))),
    exec: ([program = ""]) => {
      const [code, stdout] = programs[program] ?? [127, ""];
      const outcome: CommandOutcome = { kind: "exited", code, stdout, stderr: "" };
      return Promise.resolve(outcome);
    },
  };
  return session as HostSession;
}

const refusing = (reason: number) => () =>
  Promise.reject(new Error("wrapped", { cause: Object.assign(new Error("open failed"), { reason }) }));

async function ask(
  test: HealthTest,
  fakes: Fakes,
  container: Partial<ObservedContainer> = {},
  clock = new ManualClock(),
): Promise<ProbeResult> {
  const docker = new Docker({ host: "nowhere", port: 1, protocol: "http" });
  const options = { timeoutMs: 2_000, signal: new AbortController().signal, clock };
  return probe(sessionWith(fakes), docker, observedContainer(container), test, options);
}

describe("probe", () => {
  const http: readonly (readonly [answer: string, result: ProbeResult, test?: HealthTest])[] = [
    ["HTTP/1.1 200 OK\r\n\r\n", { verdict: "pass", durationMs: 0 }],
    ["HTTP/1.0 302 Found\r\nLocation: /login\r\n\r\n", { verdict: "pass", durationMs: 0 }],
    [
      "HTTP/1.1 404\r\n\r\n",
      { verdict: "fail", durationMs: 0, output: "GET /up: status 404, wanted 200 to 399" },
    ],
    [
      "HTTP/1.1 200 OK\r\n\r\n",
      { verdict: "fail", durationMs: 0, output: "GET /up: status 200, wanted 204" },
      { ...HTTP, status: 204 },
    ],
    ["SSH-2.0-OpenSSH\r\n", { verdict: "fail", durationMs: 0, output: "GET /up: no HTTP answer" }],
    ["", { verdict: "fail", durationMs: 0, output: "GET /up: closed without an answer" }],
  ];
  for (const [answer, result, test = HTTP] of http) {
    it(`must judge ${JSON.stringify(answer)} for ${JSON.stringify(test)}`, async () => {
      assert.deepEqual(await ask(test, { forward: () => Promise.resolve(answering(answer)) }), result);
    });
  }

  it("must ask at the container's own address, or at the host's with host networking", async () => {
    const asked: string[] = [];
    const forward = (address: string, port: number): Promise<Duplex> => {
      asked.push(`${address}:${port}`);
      return Promise.resolve(answering(""));
    };
    assert.equal((await ask(TCP, { forward })).verdict, "pass");
    assert.equal((await ask(TCP, { forward }, { networkMode: "host", address: undefined })).verdict, "pass");
    assert.deepEqual(asked, ["172.17.0.2:5432", "127.0.0.1:5432"]);
  });

  it("must give no verdict where there is no address", async () => {
    const result = await ask(HTTP, {}, { networkMode: "none", address: undefined });
    assert.deepEqual(result, { verdict: "cannot", reason: "it has no network; give it a command check" });
  });

  it("must take a refused connection for the container's answer", async () => {
    const output = "port 5432: connection refused";
    assert.deepEqual(await ask(TCP, { forward: refusing(2) }), { verdict: "fail", durationMs: 0, output });
  });

  it("must not take a lost line for an answer", async () => {
    await assert.rejects(ask(TCP, { forward: () => Promise.reject(new Error("line lost")) }), /line lost/);
  });

  it("must ask from the host itself where the server does not forward", async () => {
    const forward = refusing(1);
    const curl = await ask(HTTP, { forward, programs: { curl: [0, "204"] } });
    const wget = await ask(HTTP, { forward, programs: { wget: [8, "  HTTP/1.1 503 Down"] } });
    const bash = await ask(TCP, { forward, programs: { bash: [1, ""] } });
    const nothing = await ask(HTTP, { forward });
    assert.deepEqual(
      [curl.verdict, wget.verdict, bash.verdict, nothing.verdict],
      ["pass", "fail", "fail", "cannot"],
    );
  });

  it("must fail, hung, when no answer comes in time", async () => {
    const clock = new ManualClock();
    const silent = answering(undefined);
    const asking = ask(HTTP, { forward: () => Promise.resolve(silent) }, {}, clock);
    await clock.advance(1_999);
    assert.equal(silent.destroyed, false);
    await clock.advance(1);
    const output = "GET /up: no answer";
    assert.deepEqual(await asking, { verdict: "fail", durationMs: 2_000, output, hung: true });
    assert.equal(silent.destroyed, true, "the stream is not left open");
  });
});

describe("formatRequest", () => {
  it("must let no line break of a path into the request", () => {
    const request = formatRequest("fd00::2", { ...HTTP, path: "a b\r\nX: y/%2Fé?q=1" });
    assert.equal(
      request,
      "GET /a%20b%0D%0AX:%20y/%2F%C3%A9?q=1 HTTP/1.1\r\nHost: [fd00::2]:3000\r\nUser-Agent: slipway-health\r\nAccept: */*\r\nConnection: close\r\n\r\n",
    );
  });
});

describe("hostCommands", () => {
  it("must be arguments with the address as one word", () => {
    const [curl] = hostCommands("172.17.0.2", HTTP, 1_500);
    assert.equal(
      curl?.join(" "),
      "curl -q -s -g -o /dev/null --noproxy * -m 2 -w %{http_code} http://172.17.0.2:3000/up",
    );
  });
});
