import assert from "node:assert/strict";
import type { Found, HostFound } from "../../../provider/rolling-container/found";
import { formatSteps } from "../../../provider/rolling-container/operation";
import { recover } from "../../../provider/rolling-container/recover";
import { observedSwitch } from "../../support/observed-switch";
import { desiredService, foundContainer, LIMITS, wantedContainer } from "../../support/rollout";
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
      "shop.next (paused):",
      "stop shop.next (it does not serve)",
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

  it("must not leave a dead one there to be taken for who served, whoever is up under the new name", () => {
    const dead = formerContainer({ state: "dead" });
    assert.deepEqual(recovered([dead], [wantedContainer({ name: "web.next" })]), [
      "shop (dead):",
      "remove shop (the engine had begun to remove it, and it can never start again)",
    ]);
  });

  it("must bring back the one of the new name that was stopped in a switch where the former one is no good", () => {
    const last = wantedContainer({ state: "exited", limits: ALWAYS });
    const next = foundContainer({ name: "web.next", revision: "cccccccc" });
    assert.deepEqual(recovered([live], [last, next]), [
      "web (exited), shop (running):",
      "gate shop: running for 1s (it serves in place of the one that did last) <- if it fails: restart policy of shop: no, stop shop, remove web.next, start web, restart policy of web: unless-stopped",
      "* restart policy of web: no (it serves no more)",
      "rename web to web.bbbbbbbb (it does not serve)",
    ]);
  });

  it("must not start who served there beside a candidate that is up, where a stranger has the copy's name", () => {
    const stranger = formerContainer({ name: "shop.try", foreign: "somebody" });
    assert.deepEqual(recovered([stopped, candidate, stranger]), [
      "shop.next (running) under the former name:",
      "remove shop.next (the service has a new name)",
    ]);
    assert.deepEqual(recovered([stopped, stranger]).slice(0, 2), [
      "shop stopped in a switch:",
      "start shop (the live one first)",
    ]);
  });

  it("must stop what crashes or is paused under either name before it starts who served there", () => {
    const paused = foundContainer({ name: "web.next", state: "paused" });
    const start = ["shop stopped in a switch:", "start shop (the live one first)"];
    const web = [
      "web.next (paused):",
      "restart policy of web.next: no (it serves no more)",
      "stop web.next (it does not serve)",
    ];
    assert.deepEqual(recovered([stopped], [paused]).slice(0, 5), [...web, ...start]);
    const shop = formerContainer({ name: "shop.next", state: "restarting", limits: NO });
    assert.deepEqual(recovered([stopped, shop], [paused]).slice(0, 7), [
      ...web,
      ...["shop.next (restarting):", "stop shop.next (it does not serve)"],
      "shop stopped, shop.next (exited):",
      start[1],
    ]);
  });

  it("must not leave a copy there beside one of the new name that is up, unless it serves", () => {
    const copy = formerContainer({ name: "shop.try", state: "restarting" });
    assert.deepEqual(recovered([copy], [wantedContainer()]), [
      "the copy shop.try of an interrupted run:",
      "remove shop.try (nobody watches it)",
    ]);
    const shop = observedSwitch({ rules: 4, copyAlive: true });
    const serving = formerContainer({ name: "shop.try" });
    assert.deepEqual(recovered([serving], [wantedContainer()], { switches: { shop } }), []);
  });

  it("must not let a host that restarts give the port to a candidate there that stands still", () => {
    const idle = formerContainer({ name: "shop.next", state: "exited" });
    const quieted = [
      "shop.next would start with the host:",
      "restart policy of shop.next: no (it serves no more)",
    ];
    assert.deepEqual(recovered([live, idle]), quieted);
    assert.deepEqual(recovered([live, idle], [wantedContainer()]), quieted);
    assert.deepEqual(recovered([live, { ...idle, limits: NO }]), []);
  });

  it("must clear up beside a stranger there before it starts who served under the new one", () => {
    const stranger = formerContainer({ foreign: "somebody" });
    const last = wantedContainer({ name: "web", state: "exited" });
    const next = foundContainer({ name: "web.next", state: "created" });
    assert.deepEqual(recovered([stranger, formerContainer({ name: "shop.try" })], [last, next]), [
      "the copy shop.try of an interrupted run:",
      "remove shop.try (nobody watches it)",
      "web stopped, web.next (created):",
      "start web (the live one first)",
      "gate web: running for 1s (it has to serve again)",
      "restart policy of web: unless-stopped (it serves again)",
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
