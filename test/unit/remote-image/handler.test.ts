import assert from "node:assert/strict";
import path from "node:path";
import type { HandlerContext, Properties } from "../../../provider/handler";
import { silentLog } from "../../../provider/log";
import { remoteImageHandler as handler } from "../../../provider/remote-image/handler";
import { UNKNOWN } from "../../../provider/values";
import { FakeClock } from "../../support/fake-clock";
import { TemporaryFolder } from "../../support/temporary-folder";

const context: HandlerContext = {
  urn: "urn:web",
  name: "web",
  log: silentLog,
  clock: new FakeClock(),
  random: () => 0,
  signal: new AbortController().signal,
  holder: "test",
  stack: "shop/dev",
};
const SALT = "5a".repeat(16);

describe("remoteImageHandler", () => {
  let folder: TemporaryFolder;
  before(() => (folder = new TemporaryFolder().file("Dockerfile", "FROM scratch\n")));
  after(() => folder.remove());

  const check = async (more: Properties = {}, salt = SALT) =>
    handler.check(
      {},
      { name: "web", host: { host: "h" }, context: folder.path, __salt: salt, ...more },
      context,
    );
  const refOf = async (more: Properties = {}, salt = SALT): Promise<unknown> =>
    (await check(more, salt)).inputs.ref;

  it("must compute the same ref in every preview when there are no build arguments", async () => {
    const { inputs, failures } = await check();
    assert.deepEqual(failures, []);
    assert.match(String(inputs.ref), /^web:[0-9a-f]{12}$/);
    assert.equal(await refOf({}, "00"), inputs.ref);
    assert.equal(inputs.contextBytes, 13);
    assert.deepEqual(inputs.targets, ["root@h:22"]);
  });

  it("must key the ref with the salt when there are build arguments", async () => {
    const buildArgs = { TOKEN: "short" };
    assert.notEqual(await refOf({ buildArgs }, "00"), await refOf({ buildArgs }));
    assert.equal(await refOf({ buildArgs }), await refOf({ buildArgs }));
  });

  for (const more of [
    { dockerfileInline: "FROM scratch" },
    { labels: { a: "b" } },
    { target: "x" },
    { platform: "linux/arm64" },
    { noCache: true },
    { pull: true },
    { network: "host" },
    { extraHosts: ["a:1.2.3.4"] },
    { cacheFrom: ["web:1"] },
    { triggers: [1] },
    { builder: "classic" },
    { secrets: { id: "value" } },
  ]) {
    it(`must compute another ref with ${Object.keys(more).join()}`, async () => {
      assert.deepEqual((await check(more)).failures, []);
      assert.notEqual(await refOf(more), await refOf());
    });
  }

  it("must compute the same ref for another host, other tags, another secret value and spelled-out defaults", async () => {
    const other = { host: { host: "other" }, tags: ["1"], timeout: "1h", keepOnDelete: true };
    const ways = { distribute: "copy", keepImages: 3, pruneBuildCache: "10g", cacheTo: ["inline"] };
    const defaults = { dockerfile: "./Dockerfile", buildArgs: {}, labels: {}, pull: false, builder: "auto" };
    assert.equal(await refOf({ ...other, ...ways, ...defaults }), await refOf());
    assert.equal(await refOf({ secrets: { id: "a" } }), await refOf({ secrets: { id: "b" } }));
  });

  it("must leave unknown what rests on an unknown", async () => {
    assert.equal(await refOf({ buildArgs: { A: UNKNOWN } }), UNKNOWN);
    assert.equal(await refOf({ name: UNKNOWN }), UNKNOWN);
    const { inputs, failures } = await check({ context: UNKNOWN, host: UNKNOWN });
    assert.deepEqual(failures, []);
    for (const key of ["ref", "contextHash", "contextBytes", "targets"]) assert.equal(inputs[key], UNKNOWN);
  });

  it("must name the folder and the field when something is missing", async () => {
    const nowhere = path.join(folder.path, "nowhere");
    assert.deepEqual((await check({ context: nowhere })).failures, [
      { property: "context", reason: `there is no folder ${nowhere}` },
    ]);
    assert.deepEqual((await check({ dockerfile: "other" })).failures, [
      { property: "dockerfile", reason: `there is no file other in ${folder.path}` },
    ]);
  });

  for (const [more, property] of [
    [{ host: undefined }, "hosts"],
    [{ name: "Web" }, "name"],
    [{ tags: ["ok", "-x"] }, "tags[1]"],
    [{ context: "https://example.org/x.git#main" }, "context"],
    [{ dockerfile: "../Dockerfile" }, "dockerfile"],
    [{ dockerfile: "Dockerfile", dockerfileInline: "FROM x" }, "dockerfileInline"],
    [{ buildArgs: { "A=B": "x" } }, "buildArgs.A=B"],
    [{ buildArgs: { DOCKER_HOST: "x" }, builder: "buildkit" }, "buildArgs.DOCKER_HOST"],
    [{ labels: { "slipway.stack": "x" } }, "labels.slipway.stack"],
    [{ target: "--x" }, "target"],
    [{ platform: "linux arm64" }, "platform"],
    [{ cacheFrom: ["--x"] }, "cacheFrom[0]"],
    [{ network: "-x" }, "network"],
    [{ extraHosts: ["a"] }, "extraHosts[0]"],
    [{ secrets: { id: "x" }, builder: "classic" }, "secrets"],
    [{ push: true }, "push"],
    [{ distribute: "registry" }, "distribute"],
    [{ distribute: "carrier pigeon" }, "distribute"],
    [{ cacheTo: ["inline"], builder: "classic" }, "cacheTo"],
    [{ cacheTo: ["--x"] }, "cacheTo[0]"],
    [{ keepImages: -1 }, "keepImages"],
    [{ pruneBuildCache: "much" }, "pruneBuildCache"],
    [{ registries: [{ address: "r", username: "u" }] }, "registries[0].password"],
    [{ timeout: "soon" }, "timeout"],
    [{ timeout: "0s" }, "timeout"],
    [{ timeout: "600h" }, "timeout"],
    [{ builder: "kaniko" }, "builder"],
    [{ contxt: "x" }, "contxt"],
  ] as const) {
    it(`must refuse ${JSON.stringify(more)}`, async () => {
      const { failures } = await check(more);
      assert.deepEqual(
        failures.map((failure) => failure.property),
        [property],
      );
    });
  }

  it("must take an image that a refresh did not find for a change, on one host and on several", async () => {
    const one = { name: "web", host: { host: "h" }, context: "x" };
    const two = { name: "web", hosts: [{ host: "h" }, { host: "i" }], context: "x" };
    const diff = async (olds: Properties) => (await handler.diff("web", olds, olds, context)).changes;
    assert.equal(await diff({ ...one, imageId: "sha256:1" }), undefined);
    assert.equal(await diff({ ...one, imageId: "" }), true);
    assert.equal(await diff({ ...two, imageId: { "root@h:22": "a", "root@i:22": "b" } }), undefined);
    assert.equal(await diff({ ...two, imageId: { "root@h:22": "a", "root@i:22": "" } }), true);
  });

  it("must reach no host when only the connection changed", async () => {
    const recorded = { size: 1, createdAt: "t", architecture: "amd64", layers: 2, builder: "classic" };
    const { inputs: before } = await check();
    const olds = { ...before, ...recorded, imageId: "sha256:1", hostKeys: { "root@h:22": "SHA256:k" } };
    const { inputs: news } = await check({ host: { host: "h", user: "deploy" }, keepOnDelete: true });
    const outputs = await handler.update("web", olds, news, context);
    assert.deepEqual(outputs, {
      ...news,
      ...recorded,
      imageId: "sha256:1",
      hostKeys: { "deploy@h:22": "SHA256:k" },
    });
  });
});
