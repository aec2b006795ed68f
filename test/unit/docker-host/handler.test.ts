import assert from "node:assert/strict";
import { systemClock } from "../../../provider/clock";
import { refusalAhead, refusalByState } from "../../../provider/docker-host/diff";
import { dockerHostHandler } from "../../../provider/docker-host/handler";
import { wishOf } from "../../../provider/docker-host/wish/wish";
import { SlipwayError } from "../../../provider/errors";
import type { HandlerContext, Properties } from "../../../provider/handler";
import { silentLog } from "../../../provider/log";
import { UNKNOWN } from "../../../provider/values";
import { FakeClock } from "../../support/fake-clock";

const context: HandlerContext = {
  urn: "",
  name: "h",
  log: silentLog,
  clock: new FakeClock(),
  random: () => 0,
  signal: new AbortController().signal,
  holder: "me",
  stack: "p/s",
};
const connection = { host: "192.0.2.1", user: "deploy" };
const state = {
  connection,
  dockerVersion: "26.1.5",
  version: "26.1.5",
  drift: [],
  targets: ["deploy@192.0.2.1:22"],
};
const check = (news: Properties) => dockerHostHandler.check({}, news, context);
const diff = (olds: Properties, news: Properties) => dockerHostHandler.diff("id", olds, news, context);

describe("dockerHostHandler.check", () => {
  // before the others: a preview looks at no further machine after two that do not answer
  it("must say of a key that is not where it previews that it did not look, not that the machine refuses", async () => {
    const lines: string[] = [];
    const note =
      (kind: string) =>
      (line: string): void =>
        void lines.push(`${kind}: ${line}`);
    const log = { ...silentLog, keep: note("keep"), warn: note("warn") };
    const around = { ...context, clock: systemClock, log };
    const elsewhere = { ...connection, hostKey: `SHA256:${"A".repeat(43)}`, privateKeyPath: "/nowhere/key" };
    await dockerHostHandler.check({}, { connection: elsewhere, dockerVersion: "28.x" }, around);
    assert.equal(lines.length, 1);
    assert.match(
      lines[0] ?? "",
      /^keep: could not look at deploy@192\.0\.2\.1:22 \(privateKeyPath cannot be read/,
    );
  });

  it("must compute the clear targets", async () => {
    const { inputs, failures } = await check({ connection, dockerVersion: "28.x" });
    assert.deepEqual(failures, []);
    assert.deepEqual(inputs.targets, ["deploy@192.0.2.1:22"]);
  });

  it("must not look ahead at a machine once something was changed: that is no preview", async () => {
    const lines: string[] = [];
    const keep = (line: string): void => void lines.push(line);
    const nobody = { host: "127.0.0.1", port: 1, hostKey: `SHA256:${"A".repeat(43)}`, dialErrorLimit: 1 };
    for (const isApplying of [false, true]) {
      const around = { ...context, isApplying, log: { ...silentLog, keep } };
      await dockerHostHandler.check({}, { connection: nobody, dockerVersion: "28.x" }, around);
    }
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /^could not look at root@127\.0\.0\.1:1/);
  });

  it("must leave alone what is not known yet", async () => {
    const { inputs, failures } = await check({
      connection: UNKNOWN,
      dockerVersion: UNKNOWN,
      daemonConfig: { mtu: UNKNOWN },
    });
    assert.deepEqual(failures, []);
    assert.equal(inputs.targets, UNKNOWN);
  });

  it("must name every mistake by its path", async () => {
    const { failures } = await check({
      connection,
      dockerVersion: "latest",
      source: { url: "https://x y", keyFingerprint: "12", key: "https://k" },
      daemonConfig: { hosts: [], "live-restore": false },
      liveRestore: true,
      dockerUsers: ["-rf"],
      hold: "yes",
      typo: 1,
    });
    assert.deepEqual(failures.map((failure) => failure.property).sort(), [
      "daemonConfig.hosts",
      "daemonConfig.live-restore",
      "dockerUsers[0]",
      "dockerVersion",
      "hold",
      "source.keyFingerprint",
      "source.url",
      "typo",
    ]);
  });
});

describe("dockerHostHandler.check of a package source", () => {
  it("must refuse an address that holds a password, without repeating it, and still read one that is recorded", async () => {
    const url = "https://me:hunter22@mirror.example/debian";
    const source = { url, key: "https://me@mirror.example/key.asc", keyFingerprint: "A".repeat(40) };
    const { failures } = await check({ connection, dockerVersion: "28.x", source });
    assert.deepEqual(
      failures.map((failure) => failure.property),
      ["source.url", "source.key"],
    );
    for (const { reason } of failures) {
      assert.match(reason, /^must not hold a user or a password/);
      assert.doesNotMatch(reason, /hunter22/);
    }
    assert.equal(wishOf({ connection, dockerVersion: "28.x", source }).wish?.source.kind, "custom");
    const plain = { ...source, url: "https://mirror.example/a@b", key: undefined };
    assert.deepEqual(
      (await check({ connection: UNKNOWN, dockerVersion: "28.x", source: plain })).failures,
      [],
    );
  });
});

describe("dockerHostHandler.diff", () => {
  it("must look whether another address is another machine, and replace where Docker is to be removed", async () => {
    const news = { ...state, connection: { ...connection, port: 2222 } };
    assert.deepEqual(await diff(state, news), { changes: undefined });
    const removed = await diff({ ...state, uninstallOnDelete: true }, news);
    assert.deepEqual(removed, { changes: true, replaces: ["connection"] });
    // the same word may lead elsewhere once it is an alias of ssh_config
    const alias = { ...state, connection: { ...connection, sshConfig: true } };
    assert.deepEqual((await diff({ ...state, uninstallOnDelete: true }, alias)).replaces, ["connection"]);
    const renamed = await diff(state, { ...state, connection: { ...connection, user: "root", port: 22 } });
    assert.deepEqual(renamed, { changes: undefined });
  });

  it("must show drift, and a running version that is not wanted", async () => {
    assert.equal((await diff({ ...state, drift: ["hold"] }, state)).changes, true);
    assert.equal((await diff({ ...state, version: "" }, state)).changes, true);
    assert.equal((await diff({ ...state, version: "28.5.2" }, state)).changes, true);
  });

  it("must fail the preview of what is not allowed", async () => {
    await assert.rejects(diff(state, { ...state, dockerVersion: "20.10.24" }), /allowDowngrade: true/);
    await assert.rejects(diff(state, { ...state, dockerVersion: "28.x" }), /allowDaemonRestart: true/);
    await assert.rejects(diff(state, { ...state, daemonConfig: { mtu: 1400 } }), /mtu/);
  });

  it("must look at the machine beforehand for what is not allowed, too", async () => {
    const lines: string[] = [];
    const keep = (line: string): void => void lines.push(line);
    const news = { connection, dockerVersion: "28.x" };
    for (const isApplying of [false, true]) {
      const around = { ...context, isApplying, log: { ...silentLog, keep } };
      const asked = Promise.resolve(dockerHostHandler.diff("id", state, news, around));
      // once something is changed the update looks itself
      if (isApplying) assert.equal((await asked).changes, true);
      else await assert.rejects(asked, { code: "engine-consent" });
    }
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /not look.*: Docker 26\.1\.5 ran there.*28\.x is wanted/);
  });

  it("must go by the machine where it was looked at, and by the state where it was not", () => {
    const byState = refusalByState(state, { ...state, daemonConfig: { mtu: 1400 } });
    assert.match(byState?.message ?? "", /mtu/);
    assert.equal(refusalAhead(byState, { kind: "not seen" }), byState);
    assert.equal(refusalAhead(byState, { kind: "seen", missing: "allowDaemonRestart: true" }), byState);
    assert.equal(refusalAhead(byState, { kind: "seen", missing: undefined }), undefined);
    const error = new SlipwayError({ code: "daemon-config-invalid", what: "x", why: "y" });
    assert.equal(refusalAhead(byState, { kind: "refused", error }), error);
    assert.equal(refusalAhead(undefined, { kind: "refused", error }), undefined);
  });

  it("must let an allowed change and a satisfied range pass", async () => {
    const allowed = { ...state, dockerVersion: "28.x", allowDaemonRestart: true };
    assert.equal((await diff(state, allowed)).changes, true);
    assert.equal((await diff(state, { ...state, dockerVersion: ">=26" })).changes, undefined);
  });
});

describe("dockerHostHandler.update", () => {
  // nothing listens there: who asks this machine fails
  const dead = { host: "127.0.0.1", port: 1, hostKey: `SHA256:${"A".repeat(43)}`, dialErrorLimit: 1 };
  const olds = { ...state, connection: dead, hostKeys: {} };
  const update = (before: Properties, news: Properties) =>
    dockerHostHandler.update("id", before, news, context);

  it("must take a word for a machine that is dead without asking it", async () => {
    const news = { connection: dead, dockerVersion: "26.1.5", abandonUnreachable: true };
    assert.deepEqual(await update({ ...olds, adopt: true }, news), { ...olds, ...news });
  });
});
