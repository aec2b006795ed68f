import assert from "node:assert/strict";
import { isSlipwayError } from "../../../provider/errors";
import type { HostFound } from "../../../provider/rolling-container/found";
import { formatSteps } from "../../../provider/rolling-container/operation";
import { formatPlan, planHost } from "../../../provider/rolling-container/plan";
import { planBack } from "../../../provider/rolling-container/plan-back";
import { planFinish } from "../../../provider/rolling-container/plan-finish";
import { settleSwitches } from "../../../provider/rolling-container/recover-switch";
import { observedSwitch } from "../../support/observed-switch";
import { formerContainer, renamedHost } from "../../support/renamed-host";
import { desiredService, foundContainer, wantedContainer } from "../../support/rollout";
import { foundRoute, routeEntry, WANTED_ROUTE } from "../../support/route-model";

const NO_PORTS = desiredService({ spec: {} });
const live = formerContainer();

describe("a plan for a service with a new name", () => {
  it("must not take a stranger under the former name for the one that served", () => {
    const found = renamedHost([{ ...live, foreign: "somebody" }]);
    assert.doesNotMatch(formatPlan(planHost(found, desiredService())), /shop/);
  });

  it("must refuse where ours serves there beside a stranger under its name", () => {
    const kept = formerContainer({ name: "shop.aaaaaaaa" });
    const found = renamedHost([{ ...live, foreign: "somebody" }, kept]);
    assert.throws(
      () => planHost(found, desiredService()),
      (error) => isSlipwayError(error, "name-taken"),
    );
  });

  it("must refuse where the one that serves there could not be gone over to, and not start another beside it", () => {
    const web = wantedContainer({ state: "exited" });
    const stranger = foundContainer({ name: "web.bbbbbbbb", foreign: "somebody" });
    assert.throws(
      () => planHost(renamedHost([live], [web, stranger]), desiredService()),
      (error) => isSlipwayError(error, "name-taken"),
    );
    assert.equal(
      formatPlan(planHost(renamedHost([live], [wantedContainer(), stranger]), desiredService())),
      "",
    );
  });

  it("must let who takes over prove that it serves before the former name goes", () => {
    const finish = (found: HostFound, proved: ReadonlySet<number>): readonly string[] =>
      formatSteps(planFinish(found, NO_PORTS, proved)).split("\n");
    const found = renamedHost([live], [wantedContainer()]);
    assert.deepEqual(finish(found, new Set()), [
      "gate web: running for 1s (it has to serve before the former one goes)",
      "stop shop (the service has a new name)",
      "remove shop (the service has a new name)",
    ]);
    assert.deepEqual(finish(found, new Set([1])), [
      "stop shop (the service has a new name)",
      "remove shop (the service has a new name)",
    ]);
  });

  it("must go on from a copy that a switch under the former name left serving, and end it then", () => {
    const seen = observedSwitch({ rules: 4, copyAlive: true, files: true });
    const copy = formerContainer({ name: "shop.try" });
    const found = renamedHost([live, copy], [], { switches: { web: observedSwitch(), shop: seen } });
    assert.deepEqual(formatPlan(planHost(found, desiredService())).split("\n").slice(2, 5), [
      "stop shop (makes way for web.next) <- start shop, gate shop: running for 1s",
      "start web.next (the service has a new name) <- stop web.next",
      "gate web.next: running for 3s (the new version has to prove itself)",
    ]);
    assert.deepEqual(settleSwitches(found, new Set()), []);
    assert.deepEqual(formatSteps(settleSwitches(found, new Set([1]))).split("\n"), [
      "end the switch of shop (the live one serves)",
      "stop shop.try (the live one serves)",
      "remove shop.try (the live one serves)",
    ]);
  });

  it("must put the former route back before one that is new leaves it", () => {
    const second = formerContainer({ name: "shop-2" });
    const desired = desiredService({ spec: {}, route: WANTED_ROUTE, replicas: 2 });
    const before = renamedHost([second], [], {
      routes: [foundRoute(routeEntry([second.id], { service: "shop" }))],
    });
    const web = wantedContainer({ id: "id-web-new" });
    const now = renamedHost([second], [web], {
      routes: [foundRoute(routeEntry([second.id, web.id]))],
    });
    assert.deepEqual(formatSteps(planBack(before, now, desired)).split("\n"), [
      "write route shop to shop-2 (the rollout failed elsewhere)",
      "drain web (the new one has its requests)",
      "wait for web to drain, at most 30s (what it has may end)",
      "wait for web to drain, at most 30s (what it has may end)",
      "remove server web (what it had has ended)",
      "stop web (the rollout failed elsewhere)",
      "remove web (nothing served here before)",
    ]);
  });
});
