import assert from "node:assert/strict";
import type Docker from "dockerode";
import { isSlipwayError } from "../../../provider/errors";
import { desiredOf } from "../../../provider/edge-proxy/desired";
import { executeSteps } from "../../../provider/edge-proxy/execute";
import type { ExecuteContext } from "../../../provider/edge-proxy/execute-context";
import { ensureImage } from "../../../provider/edge-proxy/image";
import { parseProxy } from "../../../provider/edge-proxy/inputs";
import { observeHost } from "../../../provider/edge-proxy/observe";
import { type Operation, verify } from "../../../provider/edge-proxy/operation";
import type { HostSession } from "../../../provider/host/session";
import { silentLog } from "../../../provider/log";
import { IdleClock } from "../../support/idle-clock";

const PROXY = parseProxy({ name: "edge", host: { host: "203.0.113.1" } });

/** An engine that takes every call and answers none. */
function frozen(): ExecuteContext {
  const never = (): Promise<never> => new Promise(() => {});
  const one = { inspect: never, start: never };
  const docker = {
    getContainer: () => one,
    getImage: () => one,
    getNetwork: () => one,
    listContainers: never,
  };
  const session = { target: "root@host:22", docker: never, facts: never, exec: never, script: never };
  return {
    session: session as unknown as HostSession,
    docker: docker as unknown as Docker,
    clock: new IdleClock(),
    log: silentLog,
    signal: new AbortController().signal,
  };
}

async function mustGiveUp(work: Promise<unknown>, words: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(isSlipwayError(error, "engine-unreachable"), String(error));
    assert.match(error.message, words);
    return true;
  });
}

describe("an EdgeProxy on a host whose engine hangs", () => {
  it("must look at the host, and for the image, for a limited time", async () => {
    const looking = observeHost(frozen(), desiredOf(PROXY, "p/s"));
    await mustGiveUp(looking, /^looking at the proxy "edge" on root@host:22: .*\(waited 1m\)/);
    await mustGiveUp(
      ensureImage(frozen(), PROXY, { log: silentLog, random: Math.random }),
      /^looking for haproxy:3\.2 on/,
    );
  });

  it("must wait for its container for a limited time", () =>
    mustGiveUp(
      executeSteps([verify("edge", "edge", 80, "run")], frozen()),
      /^verify edge on .*\(waited 1m\)/,
    ));

  it("must look at what it exchanges for a limited time", () => {
    const operation: Operation = {
      kind: "exchange",
      proxy: "edge",
      next: "edge.next",
      restart: "unless-stopped",
      way: { kind: "plain", why: "" },
      ports: [],
      oldTcp: [],
      drainMs: 1_000,
    };
    const steps = [{ operation, cause: "another image" }];
    return mustGiveUp(
      executeSteps(steps, frozen()),
      /^looking at the containers of "edge" on .*\(waited 1m\)/,
    );
  });
});
