import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { readyScript } from "../../../../provider/host/command/ready-script";
import type { CommandOptions, CommandOutcome, ReadyScript } from "../../../../provider/host/session";
import { FakeClock } from "../../../support/fake-clock";

/** A command as it was started: its limit, and what it was given to read. */
interface Started {
  readonly timeoutMs: number | undefined;
  readonly input: Promise<string>;
}

const inputOf = ({ stdin = "" }: CommandOptions): Promise<string> =>
  typeof stdin === "string" || Buffer.isBuffer(stdin) ? Promise.resolve(String(stdin)) : text(stdin);

describe("readyScript", () => {
  let clock: FakeClock;
  let started: Started[];

  const ready = (): ReadyScript => {
    const exec = async (_argv: readonly string[], options: CommandOptions): Promise<CommandOutcome> => {
      const input = inputOf(options);
      started.push({ timeoutMs: options.timeoutMs, input });
      return { kind: "exited", code: 0, stdout: await input, stderr: "" };
    };
    const context = { exec, onPressure: () => () => {}, now: () => clock.now(), end: "end" };
    return readyScript(context, [], { readyMs: 5_000, timeoutMs: 30_000 });
  };

  beforeEach(() => {
    clock = new FakeClock();
    started = [];
  });

  it("must run a text by what waits for it, with all of the text's time left", async () => {
    const script = ready();
    clock.advance(5_000);
    const outcome = await script.run("echo hello");
    assert.match(outcome.stdout, /echo hello/);
    assert.equal(started.length, 1);
    assert.ok((started[0]?.timeoutMs ?? 0) - 5_000 >= 30_000);
  });

  it("must be started anew for a text that comes so late that its time would not be enough", async () => {
    const script = ready();
    clock.advance(5_001);
    const outcome = await script.run("echo hello");
    assert.match(outcome.stdout, /echo hello/);
    assert.deepEqual(
      started.map(({ timeoutMs }) => timeoutMs),
      [35_000, 30_000],
    );
    assert.equal(await started[0]?.input, "", "the one that waited does nothing, and ends");
  });
});
