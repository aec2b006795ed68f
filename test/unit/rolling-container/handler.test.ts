import assert from "node:assert/strict";
import type { HandlerContext, Properties } from "../../../provider/handler";
import { silentLog } from "../../../provider/log";
import { rollingContainerHandler as handler } from "../../../provider/rolling-container/handler";
import { UNKNOWN } from "../../../provider/values";
import { FakeClock } from "../../support/fake-clock";

const INPUTS: Properties = {
  name: "web",
  hosts: [{ host: "10.0.0.1", user: "deploy" }],
  image: "web:1",
  ports: [{ container: 3000, host: 80 }],
  __salt: "00",
};

function contextWith(said: string[] = []): HandlerContext {
  return {
    urn: "",
    name: "web",
    log: { ...silentLog, keep: (text) => void said.push(text) },
    clock: new FakeClock(),
    random: () => 0,
    signal: new AbortController().signal,
    holder: "",
    stack: "p/s",
  };
}

/** Of a resource that has a URN, as all of a program do. */
async function claimOf(resource: string, more: Properties): Promise<readonly string[]> {
  const context = { ...contextWith(), urn: `urn:pulumi:dev::shop::slipway:RollingContainer::${resource}` };
  const { failures } = await handler.check({}, { ...INPUTS, ...more }, context);
  return failures.map(({ property, reason }) => `${property} ${reason}`);
}

async function failuresOf(more: Properties): Promise<readonly string[]> {
  const { failures } = await handler.check({}, { ...INPUTS, ...more }, contextWith());
  return failures.map(({ property, reason }) => `${property} ${reason}`);
}

describe("RollingContainer check", () => {
  it("must add the targets and the hash of the spec, and write no defaults", async () => {
    const { inputs, failures } = await handler.check({}, INPUTS, contextWith());
    assert.deepEqual(failures, []);
    const { specHash, ...others } = inputs;
    assert.deepEqual(others, { ...INPUTS, targets: ["deploy@10.0.0.1:22"] });
    assert.match(String(specHash), /^1:[0-9a-f]{64}$/);
  });

  it("must accept what an earlier check computed", async () => {
    const { inputs } = await handler.check({}, INPUTS, contextWith());
    assert.deepEqual((await handler.check(inputs, inputs, contextWith())).failures, []);
  });

  it("must leave the hash unknown only when the spec is not known yet", async () => {
    const hashOf = async (more: Properties): Promise<unknown> =>
      (await handler.check({}, { ...INPUTS, ...more }, contextWith())).inputs.specHash;
    assert.equal(await hashOf({ env: { URL: UNKNOWN } }), UNKNOWN);
    assert.equal(await hashOf({ image: UNKNOWN, memory: UNKNOWN }), await hashOf({}));
    assert.deepEqual(
      await failuresOf({ hosts: UNKNOWN, image: UNKNOWN, ports: UNKNOWN, update: UNKNOWN }),
      [],
    );
  });

  it("must say every mistake with its path", async () => {
    const update = {
      minHealthyTime: "20m",
      healthyDeadline: "20m",
      parallelism: "0%",
      switch: "blue",
      strategy: "atomic",
      failureAction: "pause",
    };
    assert.deepEqual(
      await failuresOf({
        name: "a.b",
        hosts: [],
        image: "no spaces",
        replicas: 0,
        pull: "often",
        update,
        imgae: "x",
      }),
      [
        "hosts needs at least one host",
        "name must be letters, digits, _ and -, two to 63 of them, and no dots",
        "image must be an image reference",
        "replicas must be a whole number from 1 to 100, not 0",
        'update.switch must be one of "auto", "bridged", "plain", not "blue"',
        'update.parallelism must be a number of hosts such as 2, or a share such as "25%"',
        'update.failureAction cannot be "pause" with the strategy "atomic": one failure puts every host back',
        "update.minHealthyTime must be less than healthyDeadline",
        "update.healthyDeadline must be less than progressDeadline",
        'pull must be one of "missing", "always", "never", not "often"',
        "imgae is not a known argument",
      ],
    );
  });

  it("must refuse bridged for what can never be", async () => {
    const bridged = { update: { switch: "bridged" } };
    assert.deepEqual(await failuresOf(bridged), []);
    assert.deepEqual(await failuresOf({ ...bridged, ports: [] }), []);
    assert.deepEqual(await failuresOf({ ...bridged, mounts: [{ source: "files", target: "/files" }] }), [
      'update.switch cannot be "bridged": both would write to one mount',
    ]);
  });

  it("must refuse what only one can have", async () => {
    assert.deepEqual(await failuresOf({ replicas: 2 }), [
      "replicas cannot be more than 1 with a port published on the host: only one can have it. A route through an EdgeProxy leads to all of them",
    ]);
    assert.deepEqual(await failuresOf({ networks: ["host"] }), [
      'ports cannot be published on the network "host": the container has the host\'s ports',
    ]);
    assert.deepEqual(await failuresOf({ route: { port: 80 } }), ["route.proxy is required"]);
  });

  it("must read tasks and secretFiles, and say what is wrong with them without a value", async () => {
    const task = { command: ["migrate"], timeout: "1m", env: { TOKEN: "a-secret" } };
    assert.deepEqual(await failuresOf({ preDeploy: [task], postDeploy: [{ command: UNKNOWN }] }), []);
    assert.deepEqual(
      await failuresOf({
        preDeploy: [{ command: [] }, { timeout: "soon", command: ["a"], env: { "a b": "a-secret" } }],
        secretFiles: { "a/b": "a-secret", "..": "a-secret", ".env": "", ok: "x" },
      }),
      [
        'secretFiles has the name "a/b": letters, digits, and _ . - are allowed',
        'secretFiles has the name "..": letters, digits, and _ . - are allowed',
        "preDeploy[0].command is required",
        'preDeploy[1].env has the name "a b"',
        'preDeploy[1].timeout must be a duration such as "30s" or "2m", not "soon"',
      ],
    );
  });
});

describe("RollingContainer diff", () => {
  const container = { host: "deploy@10.0.0.1:22", name: "web", slot: 1, id: "1", state: "running" };
  const olds = { ...INPUTS, specHash: "1:a", containers: [container] };

  it("must leave the verdict to Pulumi where nothing drifted, and say how a swap will go", async () => {
    const said: string[] = [];
    const news = { ...INPUTS, image: "web:2", specHash: "1:a" };
    assert.deepEqual(await handler.diff("web", olds, news, contextWith(said)), { changes: undefined });
    assert.deepEqual(said, [
      "switch: bridged, without a gap: a copy serves while the containers change places; plain where the host does not allow it",
    ]);
    assert.deepEqual(await handler.diff("web", olds, { ...olds }, contextWith()), { changes: undefined });
  });

  it("must say which tasks a swap runs, and where, without their words", async () => {
    const said: string[] = [];
    const tasks = {
      preDeploy: [{ command: ["migrate", "s3cret"] }],
      postDeploy: [{ command: ["a"] }, { command: ["b"] }],
    };
    await handler.diff("web", olds, { ...INPUTS, ...tasks, image: "web:2" }, contextWith(said));
    assert.equal(
      said[1],
      "tasks: the preDeploy task before anything is swapped, 2 postDeploy tasks when every host serves, in containers of the new version on deploy@10.0.0.1:22",
    );
  });

  it("must say the gap to expect as far as it can be known", async () => {
    const foreseen = async (news: Properties, lastRollout?: Properties): Promise<string> => {
      const said: string[] = [];
      const before = lastRollout === undefined ? olds : { ...olds, lastRollout };
      await handler.diff("web", before, { ...INPUTS, image: "web:2", ...news }, contextWith(said));
      return said.join();
    };
    const plain = { from: "aaaaaaaa", switch: "plain", gapMs: 430 };
    assert.match(await foreseen({}, plain), /bridged.*plain, as the last one was \(a gap of 430ms\)$/);
    assert.match(await foreseen({}, { ...plain, switch: "bridged", gapMs: 0 }), /, as the last time$/);
    assert.match(await foreseen({ update: { switch: "bridged" } }), /; refused where the host does not/);
    assert.equal(
      await foreseen({ update: { switch: "plain" } }, plain),
      'switch: plain, with a gap of one stop and one start (switch is "plain"); the last one (a gap of 430ms)',
    );
    assert.match(await foreseen({ ports: [] }), /^switch: without a gap: the new one must be healthy/);
  });

  it("must show drift that refresh saw", async () => {
    for (const state of ["missing", "exited", "paused"]) {
      const drifted = { ...olds, containers: [{ ...container, state }] };
      assert.deepEqual(await handler.diff("web", drifted, olds, contextWith()), { changes: true });
    }
  });
});

describe("RollingContainer check of a whole program", () => {
  it("must refuse two resources with one service on one machine, whoever logs in", async () => {
    const name = "claimed";
    assert.deepEqual(await claimOf("one", { name }), []);
    assert.deepEqual(await claimOf("one", { name }), [], "Pulumi asks more than once");
    const hosts = [{ host: "10.0.0.2" }, { host: "10.0.0.1", user: "root" }];
    assert.deepEqual(await claimOf("two", { name, hosts }), [
      'name is the service of the resource "one" on root@10.0.0.1:22 already: give one of them another name',
    ]);
  });

  it("must let them share a name on other machines, and where a machine is not known yet", async () => {
    const name = "shared";
    assert.deepEqual(await claimOf("one", { name }), []);
    assert.deepEqual(await claimOf("two", { name, hosts: [{ host: "10.0.0.2" }] }), []);
    for (const resource of ["three", "four"]) {
      assert.deepEqual(await claimOf(resource, { name, hosts: [{ host: UNKNOWN }] }), []);
    }
  });
});

describe("RollingContainer update", () => {
  it("must touch nothing when only the connection changed", async () => {
    const said: string[] = [];
    const { inputs } = await handler.check({}, INPUTS, contextWith());
    const containers = [{ host: "deploy@10.0.0.1:22", name: "web", slot: 1, id: "1", state: "running" }];
    const hostKeys = { "deploy@10.0.0.1:22": "SHA256:x" };
    const olds = { ...inputs, containers, hostKeys, revision: "aaaaaaaa" };
    const moved = { ...INPUTS, hosts: [{ host: "10.0.0.1", user: "root", privateKey: "k" }] };
    const news = (await handler.check({}, moved, contextWith())).inputs;
    assert.deepEqual(await handler.update("web", olds, news, contextWith(said)), {
      ...olds,
      ...news,
      containers: [{ ...containers[0], host: "root@10.0.0.1:22" }],
      hostKeys: { "root@10.0.0.1:22": "SHA256:x" },
    });
    assert.deepEqual(said, ["connection only, nothing touched"]);
  });

  it("must take and forget abandonUnreachable without asking a machine that is dead", async () => {
    const before = (await handler.check({}, INPUTS, contextWith())).inputs;
    const containers = [{ host: "deploy@10.0.0.1:22", name: "web", slot: 1, id: "1", state: "running" }];
    const olds = { ...before, containers, hostKeys: {}, revision: "aaaaaaaa" };
    const after = { ...before, abandonUnreachable: true };
    const willing = await handler.update("web", olds, after, contextWith());
    assert.deepEqual(willing, { ...olds, abandonUnreachable: true });
    assert.deepEqual(await handler.update("web", willing, before, contextWith()), olds);
  });
});
