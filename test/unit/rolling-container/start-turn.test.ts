import assert from "node:assert/strict";
import { inStartTurn } from "../../../provider/rolling-container/start-turn";

describe("inStartTurn", () => {
  it("must start three at once on one machine, the others in their order, and go on after a failure", async () => {
    const begun: string[] = [];
    const queued: string[] = [];
    const ends = new Map<string, (error?: Error) => void>();
    const start = (name: string, machine = "a"): Promise<void> =>
      inStartTurn(
        machine,
        () => {
          begun.push(name);
          return new Promise((resolve, reject) =>
            ends.set(name, (error) => (error === undefined ? resolve() : reject(error))),
          );
        },
        (before) => queued.push(`${name} behind ${before}`),
      );
    const one = start("one");
    const all = [start("two"), start("three"), start("four"), start("five"), start("other", "b")];
    await Promise.resolve();
    assert.deepEqual(begun, ["one", "two", "three", "other"]);
    assert.deepEqual(queued, ["four behind 3", "five behind 4"]);
    ends.get("one")?.(new Error("no"));
    await assert.rejects(one, /no/);
    assert.deepEqual(begun, ["one", "two", "three", "other", "four"]);
    ends.get("two")?.();
    await all[0];
    assert.deepEqual(begun, ["one", "two", "three", "other", "four", "five"]);
    for (const end of ends.values()) end();
    await Promise.all(all);
  });
});
