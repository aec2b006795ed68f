import assert from "node:assert/strict";
import type { Desired } from "../../../provider/rolling-container/desired";
import type { Found, HostFound } from "../../../provider/rolling-container/found";
import { formatSteps } from "../../../provider/rolling-container/operation";
import { formatPlan, planHost } from "../../../provider/rolling-container/plan";
import { planBack } from "../../../provider/rolling-container/plan-back";
import { planFinish } from "../../../provider/rolling-container/plan-finish";
import { desiredService, foundContainer, foundHost, wantedContainer } from "../../support/rollout";
import { foundRoute, routeEntry, WANTED_ROUTE } from "../../support/route-model";

const ON = { networks: ["slipway"] };
const WEB = foundContainer({ id: "aaaaaaaaaaaa01", ...ON });
const SECOND = foundContainer({ id: "cccccccccccc02", name: "web-2", ...ON });

function host(containers: readonly Found[], behind: readonly Found[] | undefined): HostFound {
  const entry = behind && routeEntry(behind.map(({ id }) => id));
  return foundHost(containers, { routes: [foundRoute(entry)] });
}

const lines = (text: string): readonly string[] =>
  text.split("\n").map((line) => line.replace(/ \(.*?\)(?= <-|$)/, ""));
const planned = (found: HostFound, desired: Desired): readonly string[] =>
  lines(formatPlan(planHost(found, desired)));

describe("a plan without the route that there was", () => {
  it("must take the route away once the new one serves, and let the old one drain before it is stopped", () => {
    const steps = planned(host([WEB], [WEB]), desiredService({ spec: {} }));
    assert.deepEqual(steps.slice(3), [
      "* rename web to web.aaaaaaaa",
      "+ restart policy of web.next: unless-stopped",
      "* rename web.next to web",
      "+ tag image slipway/kept:web-aaaaaaaa",
      "remove route web of edge",
      "wait for web.aaaaaaaa to drain, at most 30s",
      "restart policy of web.aaaaaaaa: no",
      "stop web.aaaaaaaa",
    ]);
  });

  it("must take it away before the host exchanges the two, and bring it back when that fails", () => {
    const steps = planned(host([WEB], [WEB]), desiredService());
    const at = steps.indexOf("remove route web of edge <- write route web to web");
    assert.equal(steps[at + 1], "wait for web to drain, at most 30s");
    assert.ok(steps.findIndex((line) => line.startsWith("stop web")) > at + 1, steps.join("\n"));
    assert.ok(
      steps.findIndex((line) => line.startsWith("gate")) < at,
      "a version that is broken takes nothing away",
    );
  });

  it("must keep the route for those that still serve behind it, until the last one goes", () => {
    const steps = planned(host([WEB, SECOND], [WEB, SECOND]), desiredService({ spec: {}, replicas: 2 }));
    const ofRoute = steps.filter((line) => /drain|server|route/.test(line));
    assert.deepEqual(ofRoute, [
      "drain web.aaaaaaaa",
      "wait for web.aaaaaaaa to drain, at most 30s",
      "remove server web.aaaaaaaa",
      "remove route web of edge",
      "wait for web-2.aaaaaaaa to drain, at most 30s",
    ]);
  });

  it("must do the same on the proxy that it leaves for another one", () => {
    const route = {
      ...WANTED_ROUTE,
      proxies: WANTED_ROUTE.proxies.map((each) => ({ ...each, name: "new" })),
    };
    const place = { proxy: "new", network: "slipway", service: "web" };
    const routes = [{ ...foundRoute(undefined), place }, foundRoute(routeEntry([WEB.id]))];
    const found = foundHost([WEB], { routes });
    const steps = planned(found, desiredService({ spec: {}, route }));
    const ofRoute = steps.filter((line) => /drain|server|route/.test(line));
    assert.deepEqual(ofRoute, [
      "write route web to web.next <- remove route web of new",
      "remove route web of edge",
      "wait for web.aaaaaaaa to drain, at most 30s",
    ]);
    const live = wantedContainer({ id: "bbbbbbbbbbbb02", ...ON });
    const moved = foundHost([live], {
      routes: [{ ...foundRoute(routeEntry([live.id])), place }, foundRoute(routeEntry([live.id]))],
    });
    assert.deepEqual(
      lines(formatSteps(planFinish(moved, desiredService({ spec: {}, route })))),
      ["remove route web of edge"],
      "who goes on running has all the time there is",
    );
  });

  it("must give the route back to a host that goes back because another one failed", () => {
    const now = wantedContainer({ id: "bbbbbbbbbbbb02" });
    const kept = { ...WEB, name: "web.aaaaaaaa", state: "exited" as const };
    const back = planBack(host([WEB], [WEB]), host([now, kept], undefined), desiredService({ spec: {} }));
    assert.equal(lines(formatSteps(back)).at(-1), "write route web to web");
    const untouched = planBack(host([WEB], [WEB]), host([WEB], [WEB]), desiredService({ spec: {} }));
    assert.deepEqual(untouched, []);
  });
});
