import assert from "node:assert/strict";
import { PartialFailure, type Properties } from "../../../provider/handler";
import { driftIn, recordedOwnership } from "../../../provider/rolling-container/outputs";
import { orWhatRuns } from "../../../provider/rolling-container/what-runs";
import { desiredService } from "../../support/rollout";

const INPUTS = { name: "web", hosts: [{ host: "10.0.0.1" }], image: "web:2" };
const lost = new Error("the connection was lost");

function failing(olds: Properties | undefined, look: () => Promise<Properties>): Promise<unknown> {
  const wanted = desiredService({ hosts: [{ host: "10.0.0.1" }] });
  const hostKeys = { "root@10.0.0.1:22": "SHA256:a" };
  const run = {
    request: { wanted, inputs: INPUTS, olds },
    recorded: recordedOwnership(olds ?? {}),
    hostKeys,
    machineIds: {},
    look,
  };
  return orWhatRuns(run, () => Promise.reject(lost)).catch((error: unknown) => error);
}

describe("orWhatRuns", () => {
  it("must leave a first create in the state when the host can no longer be asked what it left", async () => {
    const error = await failing(undefined, () => Promise.reject(lost));
    assert.ok(error instanceof PartialFailure, String(error));
    assert.equal(error.cause, lost);
    const targets = ["root@10.0.0.1:22"];
    const hostKeys = { "root@10.0.0.1:22": "SHA256:a" };
    assert.deepEqual(error.outputs, {
      ...INPUTS,
      containers: [],
      previous: [],
      targets,
      hostKeys,
      machineIds: {},
    });
    assert.match(String(driftIn(error.outputs)), /not known/);
  });

  it("must keep the old state when an update loses the host", async () => {
    assert.equal(await failing({ ...INPUTS, containers: [] }, () => Promise.reject(lost)), lost);
  });

  it("must tell the state of a container that it does not know, and only then", async () => {
    const container = { host: "root@10.0.0.1:22", name: "web", slot: 1, id: "1", state: "running" };
    const look = (): Promise<Properties> => Promise.resolve({ containers: [container], previous: [] });
    const error = await failing(undefined, look);
    assert.ok(error instanceof PartialFailure);
    assert.deepEqual(error.outputs.containers, [container]);
    assert.equal(await failing({ ...INPUTS, containers: [container] }, look), lost);
  });
});
