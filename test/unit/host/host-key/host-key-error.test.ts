import assert from "node:assert/strict";
import type { HostKeyDemand } from "../../../../provider/host/host-key/host-key";
import { hostKeyError } from "../../../../provider/host/host-key/host-key-error";

describe("hostKeyError", () => {
  const presented = Buffer.from(
    "AAAAC3NzaC1lZDI1NTE5AAAAIEIHKj+sVa9WcD/q2DJUJaf43Kptc8xYuUQA4bOFj9vC",
    "base64",
  );
  const demand: HostKeyDemand = {
    accepted: [],
    revoked: [],
    acceptNew: false,
    authority: "none",
    fromFiles: false,
    source: "hostKey",
  };
  const messageFor = (parts: Partial<HostKeyDemand>) =>
    hostKeyError(
      { host: "web" },
      { ...demand, ...parts },
      { kind: "mismatch", expected: ["SHA256:x"] },
      presented,
    ).message;

  // hostKey and a recorded key go before known_hosts: a line there changes nothing
  it("must offer a known_hosts line for another key only where known_hosts was asked", () => {
    assert.doesNotMatch(messageFor({}), /known_hosts|ssh-ed25519 AAAA/);
    assert.match(
      messageFor({ fromFiles: true, source: "~/.ssh/known_hosts" }),
      /into known_hosts:\nweb ssh-ed25519 AAAA/,
    );
  });
});
