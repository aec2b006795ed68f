import assert from "node:assert/strict";
import { isSameOnHost } from "../../../../provider/docker-host/wish/same-on-host";
import type { Properties } from "../../../../provider/handler";

describe("isSameOnHost", () => {
  const news: Properties = { connection: { host: "192.0.2.1" }, dockerVersion: "26.1.5" };
  const olds: Properties = { ...news, version: "26.1.5", drift: [] };

  it("must hold when only the way there or a word of consent changed", () => {
    const more = { connection: { host: "192.0.2.1", user: "deploy" }, allowDaemonRestart: true, adopt: true };
    assert.equal(isSameOnHost(olds, { ...news, ...more }), true);
    assert.equal(isSameOnHost({ ...olds, ...more, hold: true }, news), true);
  });

  it("must not hold when an argument is taken away, or was given", () => {
    const arguments_ = [{ dockerUsers: ["deploy"] }, { daemonConfig: { mtu: 1400 } }, { hold: false }];
    for (const one of arguments_) {
      assert.equal(isSameOnHost({ ...olds, ...one }, news), false);
      assert.equal(isSameOnHost(olds, { ...news, ...one }), false);
    }
  });

  it("must not hold for a machine that drifted", () => {
    assert.equal(isSameOnHost({ ...olds, drift: ["hold"] }, news), false);
  });
});
