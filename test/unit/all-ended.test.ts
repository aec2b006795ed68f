import assert from "node:assert/strict";
import { isSlipwayError, SlipwayError } from "../../provider/errors";
import { allEnded } from "../../provider/all-ended";

const down = (host: string) =>
  new SlipwayError({ code: "dial-failed", what: "dialling", host, why: "no answer" });

describe("allEnded", () => {
  it("must give the results in their order", async () => {
    assert.deepEqual(await allEnded([Promise.resolve(1), Promise.resolve(2)]), [1, 2]);
  });

  it("must throw one failure as it is", async () => {
    const error = down("a");
    await assert.rejects(allEnded([Promise.resolve(1), Promise.reject(error)]), (thrown) => thrown === error);
  });

  it("must name every failure, and keep the code of the first", async () => {
    await assert.rejects(allEnded([Promise.reject(down("a")), Promise.reject(down("b"))]), (error) => {
      assert.ok(isSlipwayError(error, "dial-failed"));
      assert.match(error.message, /on a: no answer[^]*on b: no answer/);
      return true;
    });
  });

  it("must not end before all of the work has", async () => {
    const events: string[] = [];
    let end = (): void => {};
    const slow = new Promise<void>((resolve) => (end = resolve)).then(() => void events.push("work"));
    const all = allEnded([Promise.reject(down("a")), slow]).catch(() => void events.push("thrown"));
    await new Promise(setImmediate);
    end();
    await all;
    assert.deepEqual(events, ["work", "thrown"]);
  });
});
