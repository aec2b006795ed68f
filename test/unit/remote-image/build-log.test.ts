import assert from "node:assert/strict";
import { BuildKitLog, ClassicLog } from "../../../provider/remote-image/build-log";
import { redactor } from "../../../provider/secret";

const redact = redactor(["hunter2!"]);

describe("ClassicLog", () => {
  const messages = [
    { stream: "Step 1/2 : FROM scratch" },
    { stream: "\n" },
    { stream: "Step 2/2 : RUN make\n" },
    { status: "Downloading", id: "abc", progressDetail: { current: 1 } },
    { stream: "\u001b[31mred hunter2!\u001b[0m\n" },
    { error: "exit code 7: hunter2!", errorDetail: { code: 7 } },
  ];
  const text = messages.map((message) => `${JSON.stringify(message)}\r\n`).join("");

  for (const size of [1, 7, 10_000]) {
    it(`must tell the step, the error and the last lines, in pieces of ${size}`, () => {
      const shown: string[] = [];
      const log = new ClassicLog(redact, (line) => shown.push(line));
      for (let at = 0; at < text.length; at += size) log.push(text.slice(at, at + size));
      assert.deepEqual(log.end(), {
        step: "Step 2/2 : RUN make",
        error: "exit code 7: [secret]",
        tail: "Step 1/2 : FROM scratch\nStep 2/2 : RUN make\nred [secret]",
      });
      assert.deepEqual(shown, ["Step 1/2 : FROM scratch", "Step 2/2 : RUN make", "red [secret]"]);
    });
  }

  it("must keep the last 20 lines only", () => {
    const log = new ClassicLog(redact, () => {});
    for (let n = 1; n <= 1_000; n++) log.push(`${JSON.stringify({ stream: `line ${n}\n` })}\n`);
    const { tail, error } = log.end();
    assert.equal(tail.split("\n").length, 20);
    assert.ok(tail.endsWith("line 1000"));
    assert.equal(error, undefined);
  });
});

describe("BuildKitLog", () => {
  it("must tell the failing step, not the one that ran beside it", () => {
    const shown: string[] = [];
    const log = new BuildKitLog(redact, (line) => shown.push(line));
    const lines = [
      "#1 [internal] load build definition from Dockerfile",
      "#1 transferring dockerfile: 68B done",
      "#1 DONE 0.0s",
      "#5 [2/3] RUN make",
      "#5 0.312 compiling hunter2!",
      "#6 [other 1/1] RUN sleep",
      '#5 ERROR: process "make" did not complete successfully: exit code: 7',
      "------",
      " > [2/3] RUN make:",
      "ERROR: failed to solve: process make",
    ];
    for (const line of lines) log.line(line);
    assert.deepEqual(log.end(), {
      step: "[2/3] RUN make",
      error: 'process "make" did not complete successfully: exit code: 7',
      tail: [...shown, 'ERROR: process "make" did not complete successfully: exit code: 7'].join("\n"),
    });
    assert.deepEqual(shown, [
      "[internal] load build definition from Dockerfile",
      "[2/3] RUN make",
      "compiling [secret]",
      "[other 1/1] RUN sleep",
    ]);
  });

  it("must tell how far all layers are that a step loads, and keep none of it for a failure", () => {
    const shown: string[] = [];
    const log = new BuildKitLog(redact, (line) => shown.push(line));
    const lines = [
      "#4 [1/2] FROM docker.io/library/debian:12",
      "#4 sha256:aa 0B / 30MB 0.1s",
      "#4 sha256:bb 500kB / 10MB 0.1s",
      "#4 sha256:aa 15.50MB / 30.00MB 0.4s",
      "#4 sha256:bb 10MB / 10MB 0.5s done",
      "#4 extracting sha256:bb 0.1s done",
    ];
    for (const line of lines) log.line(line);
    const from = "[1/2] FROM docker.io/library/debian:12";
    const percents = [0, 1, 40, 63].map((percent) => `${from}: ${percent} %`);
    assert.deepEqual(shown, [from, ...percents, "extracting sha256:bb 0.1s done"]);
    assert.equal(log.end().tail, `${from}\nextracting sha256:bb 0.1s done`);
  });

  it("must show what a line is in the end that a step writes over itself by carriage returns", () => {
    const shown: string[] = [];
    const log = new BuildKitLog(redact, (line) => shown.push(line));
    for (const line of ["#5 [2/2] RUN make", "#5 0.31 10%\r 50%\rFAILED HERE\r", "#5 0.32 next\r"])
      log.line(line);
    assert.deepEqual(shown, ["[2/2] RUN make", "FAILED HERE", "next"]);
    assert.equal(log.end().tail, shown.join("\n"));
  });

  it("must tell an error that belongs to no step", () => {
    const log = new BuildKitLog(redact, () => {});
    log.line("ERROR: failed to solve: dockerfile parse error on line 1");
    assert.equal(log.end().error, "dockerfile parse error on line 1");
  });
});
