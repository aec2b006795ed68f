import assert from "node:assert/strict";
import type { HandlerContext, Properties } from "../../../provider/handler";
import { healthPolicyHandler } from "../../../provider/health-policy/handler";
import { readPolicy } from "../../../provider/health-policy/inputs";
import { lookForRepairs } from "../../../provider/health-policy/look";
import type { Reach } from "../../../provider/health-policy/reach";
import { silentLog } from "../../../provider/log";
import { Fields, UNKNOWN } from "../../../provider/values";
import { FakeClock } from "../../support/fake-clock";
import { ManualClock } from "../../support/manual-clock";

const HOSTS = [{ host: "203.0.113.1", user: "deploy" }, { host: "203.0.113.2" }];
const INPUTS = { name: "health", hosts: HOSTS };

function contextWith(kept: string[], signal = new AbortController().signal): HandlerContext {
  return {
    urn: "",
    name: "health",
    log: { ...silentLog, keep: (text) => void kept.push(text) },
    clock: new FakeClock(),
    random: () => 0,
    signal,
    holder: "",
    stack: "",
  };
}

async function failuresOf(news: Properties): Promise<readonly string[]> {
  const { failures } = await healthPolicyHandler.check({}, news, contextWith([]));
  return failures.map(({ property, reason }) => `${property} ${reason}`);
}

describe("healthPolicyHandler.check", () => {
  it("must name the targets and write no defaults", async () => {
    const { inputs, failures } = await healthPolicyHandler.check({}, INPUTS, contextWith([]));
    assert.deepEqual(failures, []);
    assert.deepEqual(inputs, { ...INPUTS, targets: ["deploy@203.0.113.1:22", "root@203.0.113.2:22"] });
  });

  it("must leave the targets open while a host is not known", async () => {
    for (const hosts of [UNKNOWN, [UNKNOWN], [{ host: UNKNOWN }]]) {
      const { inputs, failures } = await healthPolicyHandler.check({}, { ...INPUTS, hosts }, contextWith([]));
      assert.deepEqual([inputs.targets, failures], [UNKNOWN, []]);
    }
  });

  it("must collect every mistake", async () => {
    const wrong = {
      scope: { label: "" },
      maxRestarts: 0,
      backoff: "soon",
      maxUnavailable: "1",
      watchdog: true,
    };
    assert.deepEqual(await failuresOf({ name: "health", hosts: [], ...wrong }), [
      "hosts needs at least one host",
      "scope.label is required",
      "maxRestarts must be a whole number from 1 to 100, not 0",
      'backoff must be a duration such as "30s" or "2m", not "soon"',
      'maxUnavailable must be a whole number from 1, not "1"',
      "watchdog is not a known argument",
    ]);
  });

  it("must not let an agent look all the time, nor tell where nothing is", async () => {
    assert.deepEqual(await failuresOf({ ...INPUTS, watch: true, watchInterval: "1s", notify: "chat" }), [
      "watchInterval must be from 5s to 1h",
      "notify must be the address of a webhook: https://…",
    ]);
    const notify = "https://chat.example/hook";
    assert.deepEqual(await failuresOf({ ...INPUTS, watch: false, notify }), [
      "notify is the agent's: it needs watch: true",
    ]);
    assert.deepEqual(await failuresOf({ ...INPUTS, notify }), [
      "notify is the agent's: it needs watch: true",
    ]);
    assert.deepEqual(await failuresOf({ ...INPUTS, watch: UNKNOWN, notify }), []);
    assert.deepEqual(await failuresOf({ ...INPUTS, watch: true, notify, watchInterval: "30s" }), []);
  });

  it("must not take a budget that is never used up", async () => {
    const short = "window is too short: maxRestarts with backoff between them do not find room in it";
    assert.deepEqual(await failuresOf({ ...INPUTS, window: "0s" }), [short]);
    assert.deepEqual(await failuresOf({ ...INPUTS, window: "20s" }), [short]);
    assert.deepEqual(await failuresOf({ ...INPUTS, window: "21s" }), []);
    assert.deepEqual(await failuresOf({ ...INPUTS, window: "0s", maxRestarts: 1 }), [short]);
    assert.deepEqual(await failuresOf({ ...INPUTS, backoff: "5m" }), [short]);
  });

  it("must not take one host by a name under which its key is no secret", async () => {
    const [host] = HOSTS;
    assert.deepEqual(await failuresOf({ name: "health", host }), [
      "host is not a known argument; did you mean hosts?",
    ]);
  });

  it("must not let a name or a label bring the agent a setting of its own", async () => {
    const scope = { label: "a=b\nrepair 0" };
    assert.deepEqual(await failuresOf({ ...INPUTS, scope, services: ["web\nrepair 0"] }), [
      "services[0] is no name of a service",
      "scope.label has more than one line",
    ]);
  });
});

describe("healthPolicyHandler.diff", () => {
  it("must not look while something is not known", async () => {
    const kept: string[] = [];
    const hosts = [{ host: "203.0.113.1", privateKey: UNKNOWN }];
    const answer = await healthPolicyHandler.diff("health", {}, { ...INPUTS, hosts }, contextWith(kept));
    assert.deepEqual([answer, kept], [{ changes: undefined }, []]);
  });
});

describe("lookForRepairs", () => {
  const policy = readPolicy(new Fields(INPUTS));
  const reach = (on: () => Promise<never>) => (): Reach => ({ targets: ["root@a:22", "root@b:22"], on });

  it("must name each host that it could not look at, and see no change", async () => {
    const kept: string[] = [];
    const on = () => Promise.reject(new Error("nobody there"));
    const context = { ...contextWith(kept), clock: new ManualClock() };
    assert.equal(await lookForRepairs(policy, {}, reach(on), context), false);
    assert.deepEqual(kept, [
      "could not look at root@a:22: nobody there",
      "could not look at root@b:22: nobody there",
    ]);
  });

  it("must take three seconds at most, for all hosts together", async () => {
    const kept: string[] = [];
    const clock = new ManualClock();
    const looking = lookForRepairs(
      policy,
      {},
      reach(() => new Promise(() => {})),
      { ...contextWith(kept), clock },
    );
    await clock.advance(2_999);
    assert.deepEqual(kept, []);
    await clock.advance(1);
    assert.equal(await looking, false);
    assert.deepEqual(kept, [
      "could not look at root@a:22: no answer within 3s",
      "could not look at root@b:22: no answer within 3s",
    ]);
  });

  it("must stop when the run is being stopped", async () => {
    const stop = new AbortController();
    const context = { ...contextWith([], stop.signal), clock: new ManualClock() };
    const looking = lookForRepairs(
      policy,
      {},
      reach(() => new Promise(() => {})),
      context,
    );
    stop.abort(new Error("stopped"));
    await assert.rejects(looking, /stopped/);
  });
});

describe("healthPolicyHandler.update, beside the connection", () => {
  it("must not take an argument that went with a rotated key for a change of the connection alone", async () => {
    const hosts = [{ host: "127.0.0.1", port: 1, dialErrorLimit: 1, privateKeyPath: "/nowhere" }];
    const olds = { name: "health", hosts: [{ host: "127.0.0.1", port: 1 }], repair: false, report: [] };
    const kept: string[] = [];
    const update = healthPolicyHandler.update("health", olds, { name: "health", hosts }, contextWith(kept));
    await assert.rejects(update, /privateKeyPath cannot be read/);
    assert.deepEqual(kept, []);
  });
});
