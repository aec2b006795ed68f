import assert from "node:assert/strict";
import { recordedHostKeyOf } from "../../../../provider/host/machine/recorded-host-key";

describe("recordedHostKeyOf", () => {
  const hostKeys = {
    "root@web:22": "SHA256:a",
    "deploy@web:2222": "SHA256:b",
    "root@[fd00::1]:22": "SHA256:c",
  };
  const keyOf = (parts: object): string | undefined =>
    recordedHostKeyOf({ hostKeys }, { host: "web", hostKeyPolicy: "accept-new", ...parts });

  it("must be the machine's, whoever logs in", () => {
    assert.equal(keyOf({}), "SHA256:a");
    assert.equal(keyOf({ user: "deploy" }), "SHA256:a");
    assert.equal(keyOf({ user: "a@b", port: 2222 }), "SHA256:b");
    assert.equal(keyOf({ user: "deploy", host: "fd00::1" }), "SHA256:c");
  });

  it("must be no other machine's", () => {
    assert.equal(keyOf({ port: 2200 }), undefined);
    assert.equal(keyOf({ host: "eb" }), undefined);
  });

  it("must be none where keys are not learnt, or where none was seen", () => {
    assert.equal(keyOf({ hostKeyPolicy: "strict" }), undefined);
    assert.equal(recordedHostKeyOf({}, { host: "web", hostKeyPolicy: "accept-new" }), undefined);
    const unseen = { hostKeys: { "root@web:22": "" } };
    assert.equal(recordedHostKeyOf(unseen, { host: "web", hostKeyPolicy: "accept-new" }), undefined);
  });
});
