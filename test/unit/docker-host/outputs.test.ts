import assert from "node:assert/strict";
import { outputsOf, withApplied } from "../../../provider/docker-host/outputs";
import { planEngine } from "../../../provider/docker-host/plan/plan";
import { formerWish } from "../../../provider/docker-host/wish/wish";
import type { Properties } from "../../../provider/handler";
import { desiredEngine, observedEngine, runningDaemon } from "../../support/observed-engine";

const connection = { host: "192.0.2.1" };
const inputs = { connection, dockerVersion: "28.x", source: "distro" };
const rest = { "docker.io": "28.5.2-1", "docker-cli": "28.5.2-1" };
const whole = { ...rest, "docker-buildx": "0.13.1-1" };
const seen = (installed: Readonly<Record<string, string>>) =>
  observedEngine(
    { daemon: runningDaemon("28.5.2"), daemonConfig: { "live-restore": true } },
    { installed, held: Object.keys(installed) },
  );
const outputs = (installed: Readonly<Record<string, string>>): Properties =>
  outputsOf(inputs, connection, { hostKey: "SHA256:x" }, seen(installed), []);

describe("the outputs of a DockerHost", () => {
  const due = (olds: Properties): readonly string[] => {
    const names = Object.keys(whole);
    const desired = { ...desiredEngine("28.x", {}, formerWish(olds)), names };
    return planEngine(desired, seen(rest)).map(({ cause }) => cause);
  };

  it("must have a package missed that an up left and a read did not see", () => {
    const left = outputs(whole);
    const read = withApplied(outputs(rest), formerWish(left) ?? {});
    assert.deepEqual(Object.keys(read.packages as Properties), Object.keys(rest));
    assert.equal(due(read)[0], "docker-buildx is gone");
    const again = withApplied(outputs(rest), formerWish(read) ?? {});
    assert.equal(due(again)[0], "docker-buildx is gone");
  });

  it("must go by the packages that were seen where an older state tells no more", () => {
    const older = { ...outputs(whole), __packages: undefined };
    assert.equal(due(older)[0], "docker-buildx is gone");
    assert.deepEqual(due(outputs(rest)), []);
  });
});
