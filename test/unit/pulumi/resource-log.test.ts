import assert from "node:assert/strict";
import { engineAddress, sendMessages } from "../../../provider/pulumi/engine-log";
import { resourceLog } from "../../../provider/pulumi/resource-log";
import { redactor } from "../../../provider/secret";
import { ManualClock } from "../../support/manual-clock";
import { Notes } from "../../support/notes";

function logged(debug = false) {
  const clock = new ManualClock();
  const notes = new Notes();
  const log = resourceLog({ urn: "u", send: notes.send, clock, redact: redactor(["topsecret"]), debug });
  return { clock, notes, log };
}

describe("resourceLog", () => {
  it("must show at most five live lines a second, the newest when its time has come", async () => {
    const { clock, notes, log } = logged();
    for (let ms = 0; ms < 1_000; ms += 10) {
      log.progress(`at ${ms}`);
      await clock.advance(10);
    }
    await log.flush();
    assert.deepEqual(notes.lines, [
      "live at 0",
      "live at 190",
      "live at 390",
      "live at 590",
      "live at 790",
      "live at 990",
    ]);
  });

  it("must not show a live line after the call has ended", async () => {
    const { clock, notes, log } = logged();
    log.progress("first");
    log.progress("second");
    await log.flush();
    await clock.advance(1_000);
    log.progress("third");
    await log.flush();
    assert.deepEqual(notes.lines, ["live first"]);
  });

  it("must give live lines a stream of their own, or the display takes what stays for short-lived", async () => {
    const { notes, log } = logged();
    log.progress("a");
    log.keep("b");
    await log.flush();
    assert.deepEqual(
      notes.messages.map(({ streamId, ephemeral }) => ({ streamId, ephemeral })),
      [
        { streamId: 1, ephemeral: true },
        { streamId: 0, ephemeral: false },
      ],
    );
  });

  it("must keep debug lines, and only when they are wanted", async () => {
    for (const [debug, lines] of [
      [true, ["kept docker ps [secret]"]],
      [false, []],
    ] as const) {
      const { notes, log } = logged(debug);
      log.debug("docker ps topsecret");
      await log.flush();
      assert.deepEqual(notes.lines, lines);
    }
  });
});

describe("engineAddress", () => {
  it("must be the last argument that looks like one", () => {
    const argv = [
      "node",
      "index.js",
      "--logtostderr",
      "-v=9",
      "--tracing",
      "http://localhost:9411/x",
      "127.0.0.1:41",
    ];
    assert.equal(engineAddress(argv), "127.0.0.1:41");
    assert.equal(engineAddress(["node", "index.js:3"]), undefined);
  });
});

describe("sendMessages", () => {
  const message = { severity: "info", urn: "u", text: "hello", streamId: 0, ephemeral: false } as const;

  it("must print what stays where there is no engine", async () => {
    const printed: string[] = [];
    const send = sendMessages(["node", "x"], (line) => printed.push(line));
    await send(message);
    await send({ ...message, ephemeral: true });
    await send({ ...message, severity: "warning" });
    assert.deepEqual(printed, ["hello", "warning: hello"]);
  });

  it("must not fail for an engine that is gone", async () => {
    // nothing listens on port 1
    await sendMessages(["node", "x", "127.0.0.1:1"])(message);
  });
});
