import assert from "node:assert/strict";
import { sudoError } from "../../../../provider/host/command/sudo-error";

describe("sudoError", () => {
  it("must show sudo's words without our prompt", () => {
    const prompt = "<slipway-sudo-00>";
    const call = { shape: { kind: "password", prompt }, password: "x" } as const;
    const words = `${prompt}Sorry, try again.\n${prompt}\nsudo: 1 incorrect password attempt`;
    assert.equal(
      sudoError("limited@web:22", call, 2, 1, words).parts.evidence,
      "Sorry, try again.\nsudo: 1 incorrect password attempt",
    );
  });
});
