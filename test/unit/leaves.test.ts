import assert from "node:assert/strict";
import { formatDuration, parseDuration } from "../../provider/duration";
import { formatError, isSlipwayError, SlipwayError } from "../../provider/errors";
import { retry } from "../../provider/retry";
import { redactor, stripControl, tail } from "../../provider/secret";
import { FakeClock } from "../support/fake-clock";

describe("parseDuration", () => {
  it("must read compose's notation", () => {
    const read = ["30s", "2m", "1m30s", "500ms", "1.5s", "1h", "0s"].map(parseDuration);
    assert.deepEqual(read, [30_000, 120_000, 90_000, 500, 1_500, 3_600_000, 0]);
  });

  it("must refuse what is no duration", () => {
    for (const text of ["", "30", "s", "30 s", "-1s", "1d", "1s2", "s1"])
      assert.equal(parseDuration(text), undefined, text);
  });

  it("must write what a person reads", () => {
    assert.deepEqual([250, 1_500, 120_000, 95_000].map(formatDuration), ["250ms", "1.5s", "2m", "1m35s"]);
  });
});

describe("SlipwayError", () => {
  it("must say what, where, why, after how long, what is left and what to do, in this order", () => {
    const text = formatError({
      code: "rollout-failed",
      what: 'swapping "web"',
      host: "root@10.0.0.1:22",
      why: "the new container exited with code 3",
      after: "after 2s, healthyDeadline 2m",
      left: "web (4f1c) serves on",
      next: "Mend the image and run pulumi up again",
      evidence: "boom",
    });
    assert.equal(
      text,
      'swapping "web" on root@10.0.0.1:22: the new container exited with code 3 (after 2s, healthyDeadline 2m). ' +
        "web (4f1c) serves on. Mend the image and run pulumi up again.\nboom",
    );
  });

  it("must be told apart by code", () => {
    const error: unknown = new SlipwayError({ code: "port-taken", what: "w", why: "y" });
    assert.ok(
      isSlipwayError(error, "port-taken") &&
        !isSlipwayError(error, "rollout-failed") &&
        !isSlipwayError(new Error("x")),
    );
  });
});

describe("redactor", () => {
  it("must black out a secret raw, base64 and url-encoded", () => {
    const redact = redactor(["s3cr&t/value"]);
    const forms = [
      "s3cr&t/value",
      Buffer.from("s3cr&t/value").toString("base64"),
      encodeURIComponent("s3cr&t/value"),
    ];
    for (const form of forms) assert.ok(!redact(`before ${form} after`).includes(form.slice(0, -2)), form);
  });

  it("must black out every line of a key", () => {
    const redact = redactor(["-----BEGIN KEY-----\nabcdefgh\n-----END KEY-----\n"]);
    assert.equal(redact("x abcdefgh y"), "x [secret] y");
  });

  it("must leave ordinary text alone when a secret is very short", () => {
    assert.equal(redactor(["a", ""])("banana"), "banana");
  });
});

describe("stripControl", () => {
  it("must take colours, titles, clipboard writes and direction overrides out and keep the text", () => {
    const text =
      "\u001b[31mred\u001b[0m \u001b]52;c;aGk=\u0007clip \u001b]0;t\u001b\\title \u202eevil\u0000 tab\there";
    assert.equal(stripControl(text), "red clip title evil tab\there");
  });

  it("must make lines of carriage returns", () => {
    assert.equal(stripControl("10%\r50%\r\ndone"), "10%\n50%\ndone");
  });

  it("must keep the last lines only", () => {
    assert.equal(tail("1\n2\n3\n4\n", 2), "3\n4");
  });
});

describe("retry", () => {
  const policy = { attempts: 4, firstPauseMs: 100, longestPauseMs: 250 };

  it("must double the jittered pause up to its limit and throw the last error", async () => {
    const clock = new FakeClock();
    let tries = 0;
    const run = retry(policy, { clock, random: () => 1, isTransient: () => true }, () =>
      Promise.reject(new Error(`try ${++tries}`)),
    );
    await assert.rejects(run, /try 4/);
    assert.deepEqual(clock.sleeps, [100, 200, 250]);
  });

  it("must not try again what is final", async () => {
    let tries = 0;
    const attempt = (): Promise<never> => Promise.reject(new Error(`try ${++tries}`));
    await assert.rejects(
      retry(policy, { clock: new FakeClock(), random: () => 0, isTransient: () => false }, attempt),
      /try 1/,
    );
    assert.equal(tries, 1);
  });
});
