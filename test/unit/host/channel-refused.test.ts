import assert from "node:assert/strict";
import { ChannelRefused } from "../../../provider/host/channel-refused";

describe("ChannelRefused", () => {
  it("must show the server's words without control sequences, ssh2's own in front, and give its reason", () => {
    const theirs = Object.assign(new Error("(SSH) Channel open failure: no \u001b[31mway\u0007"), {
      reason: 2,
    });
    const { message, words, reason, cause } = new ChannelRefused(theirs);
    assert.equal(message, "(SSH) Channel open failure: no way");
    assert.equal(words, "no way");
    assert.equal(reason, 2);
    assert.equal(cause, theirs);
  });
});
