import assert from "node:assert/strict";
import { executeSteps } from "../../../provider/edge-proxy/execute";
import { type Operation, type Step, step } from "../../../provider/edge-proxy/operation";
import { isSlipwayError, type SlipwayError } from "../../../provider/errors";
import { FakeEngine } from "../../support/fake-engine";

const remove = (name: string): Operation => ({ kind: "remove", name });

/** Two that are made, and a start of the second. */
const STEPS: readonly Step[] = [
  { operation: { kind: "create", name: "one", options: {} }, cause: "missing", undo: [remove("one")] },
  { operation: { kind: "create", name: "two", options: {} }, cause: "missing", undo: [remove("two")] },
  step({ kind: "start", name: "two" }, "missing"),
];

async function failureOf(engine: FakeEngine): Promise<SlipwayError> {
  let failure: unknown;
  await executeSteps(STEPS, engine.access()).catch((error: unknown) => (failure = error));
  assert.ok(isSlipwayError(failure), String(failure));
  return failure;
}

describe("executeSteps", () => {
  it("must take back all that can be when one of it cannot, and say which", async () => {
    const engine = new FakeEngine();
    engine.failing.set("start two", 500).set("remove two", 500);
    const { message } = await failureOf(engine);
    assert.deepEqual(engine.calls, ["create one", "create two", "start two", "remove two", "remove one"]);
    assert.match(message, /What was done could not be taken back: remove two: /);
  });

  it("must wait only once for an engine that hangs while it takes back", async () => {
    const engine = new FakeEngine();
    engine.failing.set("start two", 500);
    engine.hanging.add("remove two").add("remove one");
    const { message } = await failureOf(engine);
    assert.deepEqual(engine.calls.slice(3), ["remove two", "remove one"]);
    assert.match(message, /could not be taken back: remove two: /);
    assert.ok(engine.clock.now() < 140_000, String(engine.clock.now()));
  });
});
