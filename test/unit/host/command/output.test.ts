import assert from "node:assert/strict";
import { FramedOutput, OUTPUT_CAP } from "../../../../provider/host/command/output";

describe("FramedOutput", () => {
  it("must part noise from output wherever the marker is cut", () => {
    const whole = Buffer.from("Welcome!\n<M1>out\n");
    for (let cut = 0; cut <= whole.length; cut++) {
      const output = new FramedOutput("<M1>");
      output.push(whole.subarray(0, cut));
      output.push(whole.subarray(cut));
      assert.equal(output.text(), "out\n", `cut at ${cut}`);
      assert.equal(output.noise(), "Welcome!\n");
    }
  });

  it("must give nothing before the marker", () => {
    const output = new FramedOutput("<M1>");
    output.push(Buffer.from("not yet"));
    assert.equal(output.started, false);
    assert.equal(output.text(), "");
  });

  it("must hand on whole lines, the unfinished one at the end, and characters in one piece", () => {
    const lines: string[] = [];
    const output = new FramedOutput("M", (line) => lines.push(line));
    const bytes = Buffer.from("Mone\ntwö\nthree");
    for (const byte of bytes) output.push(Buffer.from([byte]));
    output.end();
    assert.deepEqual(lines, ["one", "twö", "three"]);
  });

  it("must keep the last bytes only", () => {
    const output = new FramedOutput("M");
    output.push(Buffer.from("M"));
    const chunk = Buffer.alloc(1024 * 1024, "a");
    for (let n = 0; n < 20; n++) output.push(chunk);
    output.push(Buffer.from("the end"));
    assert.equal(Buffer.byteLength(output.text()), OUTPUT_CAP);
    assert.ok(output.text().endsWith("athe end"));
  });
});
