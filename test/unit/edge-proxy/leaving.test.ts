import assert from "node:assert/strict";
import { claims } from "../../../provider/edge-proxy/claims";
import { edgeProxyHandler as handler } from "../../../provider/edge-proxy/handler";
import { parseProxy } from "../../../provider/edge-proxy/inputs";
import { leaveMachine } from "../../../provider/edge-proxy/leaving";
import type { ProxyAccess } from "../../../provider/edge-proxy/observe";
import { SlipwayError } from "../../../provider/errors";
import type { HandlerContext, Properties } from "../../../provider/handler";
import { silentLog } from "../../../provider/log";
import { handlerContext } from "../../support/handler-context";

const ONE = "1".repeat(32);
const TWO = "2".repeat(32);
const at = (host: string, machineId = ""): Properties => {
  const target = `root@${host}:22`;
  const machineIds = machineId === "" ? {} : { [target]: machineId };
  return { name: "edge", host: { host }, targets: [target], machineIds };
};

/** Deletes the proxy of these outputs; `machineId`: what the machine says, undefined when it does not answer. */
async function leave(outputs: Properties, machineId?: string, urn = "one") {
  const said: string[] = [];
  const did: string[] = [];
  const context: HandlerContext = {
    ...handlerContext("edge"),
    urn,
    log: { ...silentLog, keep: (text) => void said.push(text) },
  };
  const access = { session: { facts: () => Promise.resolve({ machineId }) } } as unknown as ProxyAccess;
  await leaveMachine(
    {
      outputs,
      proxy: parseProxy(outputs),
      reach: (use) => {
        did.push("asked");
        const dead = new SlipwayError({ code: "dial-failed", what: "dialling", why: "no route" });
        return machineId === undefined ? Promise.reject(dead) : use(access);
      },
      remove: () => Promise.resolve(void did.push("removed")),
    },
    context,
  );
  return { said: said.join(), did: did.join() };
}

const claim = (urn: string, address: string, machineId: string, more = {}): void =>
  claims.claim(urn, {
    ...{ name: "edge", address, machineId, containerId: "", abandonUnreachable: false },
    ...more,
  });

describe("an EdgeProxy that is deleted", () => {
  afterEach(() => {
    for (const urn of ["one", "two"]) claims.forget(urn, claims.of(urn)?.address ?? "");
  });

  it("must be removed where nobody else has it", async () => {
    assert.deepEqual(await leave(at("a", ONE), ONE), { said: "", did: "asked,removed" });
    claim("one", "a:22", ONE);
    assert.equal((await leave(at("a", ONE), ONE)).did, "asked,removed");
  });

  it("must stay for the one that replaced it under another address of the same machine, which is not even asked", async () => {
    claim("one", "b:22", ONE);
    const { said, did } = await leave(at("a", ONE), ONE);
    assert.equal(did, "");
    assert.equal(said, 'the proxy "edge" stays on root@a:22: b:22 is the same machine, and has it');
  });

  it("must stay where no id was recorded and the machine says that it is the same", async () => {
    claim("one", "b:22", ONE);
    assert.equal((await leave(at("a"), ONE)).did, "asked");
  });

  it("must stay for another name of the resource, and not for another proxy of the machine", async () => {
    claim("two", "a:22", "");
    assert.equal((await leave(at("a", ONE), ONE)).did, "");
    claim("two", "a:22", ONE, { name: "other" });
    assert.equal((await leave(at("a", ONE), ONE)).did, "asked,removed");
  });

  it("must be removed from a machine that its replacement has left", async () => {
    claim("one", "b:22", TWO);
    assert.equal((await leave(at("a", ONE), ONE)).did, "asked,removed");
  });

  it("must leave a dead machine where the one that replaced it says so", async () => {
    claim("one", "b:22", TWO);
    await assert.rejects(leave(at("a", ONE)), { code: "dial-failed" });
    claim("one", "b:22", TWO, { abandonUnreachable: true });
    assert.match((await leave(at("a", ONE))).said, /does not answer \(no route\); the proxy was left there/);
  });

  it("must have claimed nothing where the engine gave no URN: all of those would be one", () => {
    claim("", "b:22", ONE);
    assert.equal(claims.of(""), undefined);
  });

  it("must be known to the run by its diff, with its container, whatever it changes", async () => {
    const olds = { ...at("a", ONE), containerId: "c" };
    await handler.diff("edge", olds, at("b"), { ...handlerContext("edge"), urn: "two" });
    assert.deepEqual(claims.of("two"), {
      ...{ name: "edge", address: "a:22", machineId: ONE, containerId: "c", abandonUnreachable: false },
    });
  });
});
