import assert from "node:assert/strict";
import { type ErrorCode, SlipwayError } from "../../../../provider/errors";
import { AttemptFailed } from "../../../../provider/host/transport/attempt-failed";
import { onTheWayTo } from "../../../../provider/host/transport/bastion";
import { isUnreachable, orAbandoned, withAbandonHint } from "../../../../provider/host/machine/unreachable";

function failure(code: ErrorCode, cause?: Error): SlipwayError {
  return new SlipwayError({
    code,
    what: "reaching sshd",
    host: "root@a:22",
    why: "no",
    next: "Check it",
    cause,
  });
}

describe("a host that is given up", () => {
  const silent = failure("dial-failed", new Error("ECONNREFUSED"));
  const answering = [
    ...(["authentication-failed", "host-key-mismatch", "host-key-unknown", "host-key-revoked"] as const),
    ...(["handshake-failed", "connection-lost", "engine-unreachable"] as const),
  ].map((code) => failure(code));
  const cut = failure("dial-failed", new AttemptFailed("login-cut", "cut"));
  const behind = { host: "b", user: "root" };
  const answeringOrUnknown = [
    ...answering,
    cut,
    failure("dial-failed", new AttemptFailed("on-the-way", "the bastion was lost")),
    onTheWayTo(behind, silent),
    onTheWayTo({ ...behind, host: "c" }, onTheWayTo(behind, silent)),
  ];

  it("must be left as it is when it does not answer and the program said so, and only then", async () => {
    const said: string[] = [];
    const give = (error: Error, abandonUnreachable: boolean): Promise<void> =>
      orAbandoned({ abandonUnreachable, say: (why) => void said.push(why) }, () => Promise.reject(error));
    await give(silent, true);
    assert.deepEqual(said, ["no"]);
    await assert.rejects(give(silent, false), silent);
    for (const error of answeringOrUnknown) await assert.rejects(give(error, true), error);
    assert.deepEqual(said, ["no"]);
  });

  it("must be told what the program can say when it does not answer", () => {
    assert.match(
      String(withAbandonHint(silent)),
      /on root@a:22: no\. Check it\. .*if it is gone for good, set abandonUnreachable: true\.$/,
    );
    for (const error of answeringOrUnknown) assert.equal(withAbandonHint(error), error);
  });

  it("must be told apart by the code and not by the words", () => {
    assert.ok(isUnreachable(silent));
    assert.ok(!isUnreachable(new Error("dial-failed")));
  });
});
