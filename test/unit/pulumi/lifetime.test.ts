import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { lifetimeOf } from "../../../provider/pulumi/lifetime";

class ToldProcess extends EventEmitter {
  readonly exits: number[] = [];
  exit(code: number): void {
    this.exits.push(code);
  }
}

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe("lifetimeOf", () => {
  it("must end at once between calls: that is how Pulumi ends every operation", async () => {
    const host = new ToldProcess();
    const lifetime = lifetimeOf(host);
    await lifetime.during(() => Promise.resolve());
    await soon();
    assert.deepEqual(host.exits, []);
    host.emit("SIGINT");
    assert.deepEqual(host.exits, [0]);
  });

  it("must abort the calls that run, and end when the last one has", async () => {
    const host = new ToldProcess();
    const lifetime = lifetimeOf(host);
    const call = lifetime.during(
      () =>
        new Promise<string>((resolve) =>
          lifetime.signal.addEventListener("abort", () => setImmediate(() => resolve("tidied up"))),
        ),
    );
    host.emit("SIGINT");
    assert.deepEqual(host.exits, []);
    assert.equal(await call, "tidied up");
    await soon();
    assert.deepEqual(host.exits, [0]);
  });
});
