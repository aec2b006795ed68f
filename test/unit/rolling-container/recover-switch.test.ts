import assert from "node:assert/strict";
import type { Found } from "../../../provider/rolling-container/found";
import { formatSteps } from "../../../provider/rolling-container/operation";
import { recover } from "../../../provider/rolling-container/recover";
import { settleSwitches } from "../../../provider/rolling-container/recover-switch";
import type { ObservedSwitch } from "../../../provider/switch/observed-switch";
import { observedSwitch } from "../../support/observed-switch";
import { desiredService, foundContainer, foundHost, wantedContainer } from "../../support/rollout";

function recovered(
  containers: readonly Found[],
  seen: Partial<ObservedSwitch>,
  wasFollowed = false,
): readonly string[] {
  const found = foundHost(containers, { switches: { web: observedSwitch(seen) } });
  return recover(found, { ...desiredService(), wasFollowed }).map(
    (row) => `${row.found}: ${formatSteps(row.steps).replaceAll("\n", "; ")}`,
  );
}

const live = foundContainer();
const stopped = foundContainer({ state: "exited" });
const copy = wantedContainer({ name: "web.try" });
const next = wantedContainer({ name: "web.next", state: "created" });

describe("recover what a switch left", () => {
  it("must do nothing where none is left", () => {
    assert.deepEqual(recovered([live], {}), []);
  });

  it("must wait for a program that is at work, and do nothing beside it", () => {
    const program = { pid: 7, phase: "oldstopped" };
    assert.deepEqual(recovered([stopped, copy, next], { program, rules: 4, copyAlive: true }), [
      "the switch of web still at work (oldstopped): wait for the switch of web (nobody acts beside it)",
    ]);
  });

  it("must wait for a copy that still answers what it took, and never cut it off", () => {
    const program = { pid: 7, phase: "clearing" };
    const found = foundHost([live, copy], { switches: { web: observedSwitch({ program }) } });
    assert.deepEqual(recovered([live, copy], { program }), [
      "a copy of web that still answers what it took: wait for the switch of web (nobody acts beside it)",
    ]);
    assert.deepEqual(settleSwitches(found, new Set([1])), []);
  });

  it("must remove rules that lead to a dead copy before anything else", () => {
    const dead = ["rules of web that lead nowhere: remove the rules of web (their copy is dead)"];
    assert.deepEqual(recovered([live, next], { rules: 4, copyAlive: false, unfinished: "ruled" }), dead);
    assert.deepEqual(recovered([live], { rules: 4 }), dead);
    assert.deepEqual(
      recovered([live, foundContainer({ name: "web.try", state: "exited" })], { rules: 4 }),
      dead,
    );
  });

  it("must let the host finish what a dead program left, once", () => {
    const left = { rules: 4, copyAlive: true, unfinished: "oldstopped" };
    assert.deepEqual(recovered([stopped, copy, next], left), [
      "a switch of web interrupted after oldstopped: let the host finish the switch of web (it knows what it did)",
    ]);
    const after = recovered([stopped, copy, next], left, true);
    assert.match(after.join(), /^web stopped, web\.next \(created\): start web/);
    assert.doesNotMatch(after.join(), /remove web\.try/, "the copy serves until somebody else does");
  });

  it("must let one that is stuck try again", () => {
    const program = { pid: 7, phase: "stuck" };
    assert.match(
      recovered([stopped, copy], { program, rules: 4, copyAlive: true }).join(),
      /^a switch of web stuck: let/,
    );
  });

  it("must end rules and copy that nobody needs, once the live one has shown that it serves", () => {
    assert.deepEqual(recovered([live, copy], { rules: 4, copyAlive: true }), [
      "rules of web without need: gate web: running for 1s (it has to serve before the copy goes); end the switch of web (the live one serves); stop web.try (the live one serves); remove web.try (the live one serves)",
    ]);
  });
});
