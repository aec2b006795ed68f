import assert from "node:assert/strict";
import type { Found, HostFound } from "../../../provider/rolling-container/found";
import { formatSteps } from "../../../provider/rolling-container/operation";
import { recover } from "../../../provider/rolling-container/recover";
import { observedSwitch } from "../../support/observed-switch";
import { desiredService, LIMITS, wantedContainer } from "../../support/rollout";
import { formerContainer, renamedHost } from "../../support/renamed-host";

function recovered(
  former: readonly Found[],
  now: readonly Found[] = [],
  given: Partial<HostFound> = {},
): readonly string[] {
  const rows = recover(renamedHost(former, now, given), desiredService());
  return rows.flatMap(({ found, steps }) => [`${found}:`, ...formatSteps(steps).split("\n")]);
}

const ALWAYS = { ...LIMITS, restart: "always" };
const NO = { ...LIMITS, restart: "no" };

describe("recover under a service's former name", () => {
  const live = formerContainer();
  const stopped = formerContainer({ state: "exited", limits: ALWAYS });
  const candidate = formerContainer({ name: "shop.next", limits: NO });
  const kept = formerContainer({ name: "shop.aaaaaaaa" });

  it("must leave one that serves there to the planner", () => {
    assert.deepEqual(recovered([live]), []);
  });

  it("must finish what a run under that name left, before anybody has the port under the new one", () => {
    assert.deepEqual(recovered([kept]), [
      "no live one, shop.aaaaaaaa (running):",
      "* rename shop.aaaaaaaa to shop (it serves)",
      "restart policy of shop: unless-stopped (it serves)",
    ]);
    assert.deepEqual(recovered([candidate]), [
      "shop.next (running) under the former name:",
      "gate shop.next: running for 3s (healthy, it gets the name) <- if it fails: remove shop.next",
      "* rename shop.next to shop (it passed its gate)",
      "+ restart policy of shop.next: unless-stopped (it serves from now on)",
    ]);
    assert.deepEqual(recovered([formerContainer({ state: "paused" }), { ...candidate, state: "paused" }]), [
      "shop.next (paused) under the former name:",
      "remove shop.next (the service has a new name)",
    ]);
  });

  it("must let the candidate of the new name go forward, or else bring back who served before", () => {
    assert.deepEqual(recovered([stopped], [wantedContainer({ name: "web.next", limits: NO })]), [
      "shop stopped in a switch, web.next (running):",
      "gate web.next: running for 3s (healthy, it goes forward) <- if it fails: remove web.next, start shop, restart policy of shop: unless-stopped",
      "* restart policy of web.next: unless-stopped (it serves)",
      "* rename web.next to web (it passed its gate)",
      "restart policy of shop: no (it serves no more)",
    ]);
  });

  it("must make one of the new name that stands still a kept one while the former one serves", () => {
    assert.deepEqual(recovered([live], [wantedContainer({ state: "exited" })]), [
      "web (exited), shop (running):",
      "restart policy of web: no (it serves no more)",
      "rename web to web.bbbbbbbb (it does not serve)",
    ]);
  });

  it("must not start who served there while a copy of the new name serves, unless it is any good", () => {
    const copy = wantedContainer({ name: "web.try" });
    const seen = observedSwitch({ rules: 4, copyAlive: true });
    assert.deepEqual(recovered([stopped], [copy], { switches: { web: seen } }), [
      "shop stopped in a switch:",
      "start shop (the live one first) <- stop shop",
      "gate shop: running for 1s (it has to serve again)",
      "restart policy of shop: unless-stopped (it serves again)",
    ]);
  });
});
