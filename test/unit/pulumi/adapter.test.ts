import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { SlipwayError } from "../../../provider/errors";
import { type Handler, type HandlerContext, PartialFailure } from "../../../provider/handler";
import { dynamicProvider } from "../../../provider/pulumi/adapter";
import { NO_SALT } from "../../../provider/resource";
import { UNKNOWN } from "../../../provider/values";
import { FakeClock } from "../../support/fake-clock";
import { Notes } from "../../support/notes";

const URN = "urn:pulumi:prod::shop::my:comp:Site$pulumi-nodejs:dynamic/slipway:RollingContainer::web";
const OURS = { __provider: "the text", __urn: URN };
const SALT = "5a".repeat(16);

const handler: Handler = {
  check: (_, news) => Promise.resolve({ inputs: { ...news, ref: "web:abc" }, failures: [] }),
  diff: () => Promise.resolve({ changes: false }),
  create: (inputs) =>
    Promise.resolve({ id: "web", outputs: { ...inputs, health: "healthy", gone: undefined } }),
  read: (id, outputs) => Promise.resolve({ id, outputs }),
  update: (_id, _olds, news) => Promise.resolve(news),
  delete: () => Promise.resolve(),
};

function provider(change: Partial<Handler> = {}, environment: NodeJS.ProcessEnv = {}) {
  const notes = new Notes();
  const lifetime = {
    signal: new AbortController().signal,
    during: <T>(call: () => Promise<T>) => call(),
  };
  const adapted = dynamicProvider(
    { ...handler, ...change },
    { send: notes.send, lifetime, clock: new FakeClock(), newSalt: () => SALT, environment },
  );
  return { ...adapted, notes };
}

const refused = (code: "engine-consent" | "rollout-failed") =>
  new SlipwayError({ code, what: 'swapping "web"', why: "it never became healthy", left: "v1 serves" });

describe("check", () => {
  it("must make a salt once, note the arguments, and keep what is ours", async () => {
    const { inputs } = await provider().check({}, { ...OURS, image: "web", __salt: "" });
    assert.deepEqual(inputs, { ...OURS, image: "web", ref: "web:abc", __salt: SALT, __args: ["image"] });
  });

  it("must tell the handler that something was created or updated in this process, which is no preview then", async () => {
    for (const call of ["create", "update"] as const) {
      const seen: unknown[] = [];
      const check: Handler["check"] = (_olds, news, { isApplying }) => {
        seen.push(isApplying);
        return Promise.resolve({ inputs: news, failures: [] });
      };
      const own = provider({ check });
      await own.check({}, OURS);
      await (call === "create" ? own.create(OURS) : own.update("web", OURS, OURS));
      await own.check({}, OURS);
      assert.deepEqual(seen, [false, true], call);
    }
  });

  it("must keep the salt of the old inputs", async () => {
    const { inputs } = await provider().check({ __salt: "00ff" }, { ...OURS, __salt: "" });
    assert.equal(inputs?.__salt, "00ff");
  });

  it("must take the fixed salt while nothing secret is hashed, so that previews are alike, and a random one from then on", async () => {
    const { check } = provider();
    const fixed = await check({}, { ...OURS, __salt: NO_SALT });
    assert.equal(fixed.inputs?.__salt, NO_SALT);
    const salted = await check({ __salt: NO_SALT }, { ...OURS, __salt: "" });
    assert.equal(salted.inputs?.__salt, SALT);
    const kept = await check({ __salt: SALT }, { ...OURS, __salt: NO_SALT });
    assert.equal(kept.inputs?.__salt, SALT);
  });

  it("must show the handler its salt and none of the adapter's keys", async () => {
    let seen: unknown;
    const check: Handler["check"] = (olds, news) => {
      seen = { olds, news };
      return Promise.resolve({ inputs: news, failures: [] });
    };
    const olds = { ...OURS, a: 1, __args: ["a"], __salt: SALT, __hashVersion: 1 };
    await provider({ check }).check(olds, { ...OURS, a: 2, __salt: "" });
    assert.deepEqual(seen, {
      olds: { a: 1, __salt: SALT, __hashVersion: 1 },
      news: { a: 2, __salt: SALT },
    });
  });

  // Pulumi prints the value of a property that a failure names, a secret's too
  it("must name the path of a failure in its reason only", async () => {
    const failures = [{ property: "secretFiles", reason: "is not available yet" }];
    const check: Handler["check"] = (_, inputs) => Promise.resolve({ inputs, failures });
    assert.deepEqual((await provider({ check }).check({}, OURS)).failures, [
      { property: "", reason: "secretFiles: is not available yet" },
    ]);
  });

  it("must make a failure of an error of ours, which Pulumi shows once and without a stack", async () => {
    const check: Handler["check"] = () => Promise.reject(refused("engine-consent"));
    assert.deepEqual((await provider({ check }).check({}, OURS)).failures, [
      { property: "", reason: 'swapping "web": it never became healthy. v1 serves.' },
    ]);
  });
});

describe("diff", () => {
  const recorded = { ...OURS, __args: ["image", "env"], image: "a", env: { A: "1" }, health: "healthy" };
  const same = { __args: ["image", "env"], image: "a", env: { A: "1" } };

  it("must say no change for equal arguments, whatever our own keys are", async () => {
    const news = { ...same, __provider: "another text", __urn: "another urn", __salt: "x" };
    assert.deepEqual(await provider().diff("web", recorded, news), { changes: false, replaces: [] });
  });

  it("must leave a changed, an added and a removed argument to Pulumi's own comparison", async () => {
    const changed = { ...same, env: { A: "2" } };
    const added = { ...same, __args: ["image", "env", "init"], init: true };
    const removed = { __args: ["image"], image: "a" };
    for (const news of [changed, added, removed]) {
      assert.deepEqual(await provider().diff("web", recorded, news), { replaces: [] });
    }
  });

  it("must not count a computed value that no earlier release recorded", async () => {
    const news = { ...same, newInThisRelease: "x" };
    assert.deepEqual(await provider().diff("web", recorded, news), { changes: false, replaces: [] });
  });

  it("must count a computed value that changed", async () => {
    const diff = provider().diff("web", { ...recorded, ref: "a" }, { ...same, ref: "b" });
    assert.deepEqual(await diff, { replaces: [] });
  });

  it("must say yes to drift, which the inputs do not show", async () => {
    const diff: Handler["diff"] = () => Promise.resolve({ changes: true });
    assert.equal((await provider({ diff }).diff("web", recorded, same)).changes, true);
  });

  it("must say yes after a partial failure, also when a refresh has cleared Pulumi's own mark", async () => {
    const failed = { ...recorded, __failed: true };
    assert.equal((await provider().diff("web", failed, same)).changes, true);
    const read = await provider().read("web", failed);
    assert.equal(read.props?.__failed, true);
  });

  it("must take an unknown value for a change, and never replace for it", async () => {
    const diff: Handler["diff"] = () =>
      Promise.resolve({ changes: undefined, replaces: ["connection", "image"] });
    const news = { ...same, image: "b", connection: { host: UNKNOWN } };
    assert.deepEqual(await provider({ diff }).diff("web", recorded, news), { replaces: ["image"] });
  });

  it("must use the string that Pulumi uses for unknown values", () => {
    assert.equal(UNKNOWN, pulumi.runtime.unknownValue);
  });
});

describe("create, update, read, delete", () => {
  const inputs = { ...OURS, __salt: SALT, __args: ["image"], image: "a" };

  it("must carry our keys into the outputs, and nothing undefined", async () => {
    const { id, outs } = await provider().create(inputs);
    assert.equal(id, "web");
    assert.deepEqual(outs, { ...inputs, health: "healthy" });
    assert.deepEqual((await provider().update("web", inputs, inputs)).outs, inputs);
    assert.deepEqual((await provider().read("web", inputs)).props, inputs);
  });

  it("must clear the mark of a partial failure by the update that succeeds", async () => {
    const { outs } = await provider().update("web", { ...inputs, __failed: true }, inputs);
    assert.equal(outs?.__failed, undefined);
  });

  it("must answer without an id when it is proven gone", async () => {
    const read: Handler["read"] = () => Promise.resolve(undefined);
    assert.deepEqual(await provider({ read }).read("web", inputs), { id: "", props: {} });
  });

  it("must keep what is recorded when the engine does not answer, and say so", async () => {
    const stopped = new SlipwayError({
      code: "engine-unreachable",
      what: "w",
      host: "root@a:22",
      why: "refused",
    });
    const { read, notes } = provider({ read: () => Promise.reject(stopped) });
    assert.deepEqual(await read("web", { ...OURS, image: "web" }), {
      id: "web",
      props: { ...OURS, image: "web" },
    });
    assert.match(notes.lines.join("\n"), /not refreshed: w on root@a:22: refused/);
    const down = provider({
      read: () => Promise.reject(new SlipwayError({ code: "dial-failed", what: "w", why: "y" })),
    });
    await assert.rejects(down.read("web", OURS), (error: Error) => error.message === "w: y.");
  });

  it("must name the way out when a machine is gone for good", async () => {
    const parts = { code: "dial-failed", what: "reaching it", why: "no answer", next: "Check it" } as const;
    const { delete: remove } = provider({ delete: () => Promise.reject(new SlipwayError(parts)) });
    await assert.rejects(remove("web", OURS), (error: Error) =>
      /Check it\. If the machine is gone .* set abandonUnreachable: true/.test(error.message),
    );
  });

  it("must report a partial failure with the provider and the URN, or the resource could never be used again", async () => {
    const update: Handler["update"] = () =>
      Promise.reject(new PartialFailure("web", { image: "old" }, refused("rollout-failed")));
    const message = 'swapping "web": it never became healthy. v1 serves.';
    await assert.rejects(provider({ update }).update("web", inputs, inputs), {
      message,
      id: "web",
      reasons: [message],
      properties: { ...OURS, __salt: SALT, __args: ["image"], image: "old", __failed: true },
    });
  });

  it("must throw the message alone, with the stack only for SLIPWAY_DEBUG=1", async () => {
    const gone: Partial<Handler> = { delete: () => Promise.reject(refused("rollout-failed")) };
    const thrown = (environment: NodeJS.ProcessEnv): Promise<unknown> =>
      provider(gone, environment)
        .delete("web", inputs)
        .catch((error: unknown) => error);
    const quiet = await thrown({});
    assert.ok(quiet instanceof Error);
    assert.equal(quiet.message, 'swapping "web": it never became healthy. v1 serves.');
    // what Pulumi's host prints of it
    assert.equal(`${String(quiet)}: ${quiet.stack}`, "web: the reason is shown with the resource");
    const loud = await thrown({ SLIPWAY_DEBUG: "1" });
    assert.match((loud as Error).stack ?? "", /adapter\.test\.ts/);
  });

  it("must give the context: name, stack and holder from the URN", async () => {
    let context: HandlerContext | undefined;
    const create: Handler["create"] = (news, given) => {
      context = given;
      return Promise.resolve({ id: "web", outputs: news });
    };
    await provider({ create }).create(inputs);
    assert.equal(context?.urn, URN);
    assert.equal(context.name, "web");
    assert.equal(context.stack, "shop/prod");
    assert.match(context.holder, /^shop\/prod, \S+@\S+$/);
  });

  it("must let no known secret out, in messages and errors", async () => {
    const host = { host: "h", password: "hunter2", proxy: { host: "b", privateKey: "line one\nline two" } };
    const registries = [{ address: "r.example", username: "u", password: "pa55word" }];
    const text = "hunter2, line two, pa55word, s3cret at r.example";
    const create: Handler["create"] = (_, { log }) => {
      log.keep(text);
      return Promise.reject(new Error(text));
    };
    const subject = provider({ create });
    const given = { ...inputs, hosts: [host], registries, secretFiles: { db: "s3cret" } };
    const clear = "[secret], [secret], [secret], [secret] at r.example";
    await assert.rejects(subject.create(given), { message: clear });
    assert.deepEqual(subject.notes.lines, [`kept ${clear}`]);
  });

  it("must have sent every message before it answers", async () => {
    const create: Handler["create"] = (news, { log }) => {
      log.progress("building");
      log.keep("built");
      log.warn("old base image");
      log.debug("docker build");
      return Promise.resolve({ id: "web", outputs: news });
    };
    const subject = provider({ create });
    await subject.create(inputs);
    assert.deepEqual(subject.notes.lines, ["live building", "kept built", "warning old base image"]);
    assert.ok(subject.notes.messages.every(({ urn }) => urn === URN));
  });
});
