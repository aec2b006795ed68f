import assert from "node:assert/strict";
import { inSwitch } from "../../../provider/health-policy/observe";
import { observedContainer } from "../../support/observed-container";

describe("inSwitch", () => {
  const live = observedContainer({ state: "exited", restartPolicy: "always" });
  const next = observedContainer({ name: "web.next", state: "created", restartPolicy: "no" });
  const copy = observedContainer({ name: "web.try", restartPolicy: "no" });

  it("must name a service whose containers change places, though nobody holds its lock", () => {
    assert.deepEqual(inSwitch([live, next]), ["web"]);
    assert.deepEqual(inSwitch([observedContainer(), copy]), ["web"]);
    assert.deepEqual(inSwitch([observedContainer(), { ...next, state: "running" }]), ["web"]);
  });

  it("must leave to the policy what stopped or became unhealthy by itself", () => {
    assert.deepEqual(inSwitch([live]), []);
    assert.deepEqual(inSwitch([observedContainer(), next]), []);
    assert.deepEqual(inSwitch([observedContainer(), { ...copy, state: "exited" }]), []);
  });
});
