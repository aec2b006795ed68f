import assert from "node:assert/strict";
import { engineMessage } from "../../../provider/container/engine-status";

describe("engineMessage", () => {
  it("must give the engine's own words", () => {
    const answered = Object.assign(new Error("(HTTP code 409) conflict - x"), {
      json: { message: "in use" },
    });
    assert.equal(engineMessage(answered), "in use");
    // an answer to a build or a pull comes without its JSON
    const streamed = new Error("(HTTP code 400) unexpected - dockerfile parse error - line 1");
    assert.equal(engineMessage(streamed), "dockerfile parse error - line 1");
    assert.equal(engineMessage(new Error("socket hang up")), "socket hang up");
  });
});
