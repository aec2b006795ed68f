import assert from "node:assert/strict";
import type { Desired } from "../../../provider/rolling-container/desired";
import type { Found, HostFound } from "../../../provider/rolling-container/found";
import { formatSteps } from "../../../provider/rolling-container/operation";
import { formatPlan, planHost } from "../../../provider/rolling-container/plan";
import { planBack } from "../../../provider/rolling-container/plan-back";
import { planFinish, planRemoval } from "../../../provider/rolling-container/plan-finish";
import { recover } from "../../../provider/rolling-container/recover";
import { desiredService, foundContainer, foundHost, wantedContainer } from "../../support/rollout";
import { foundRoute, routeEntry, WANTED_ROUTE } from "../../support/route-model";

const NETWORKS = { networks: ["slipway"] };
const WEB = foundContainer({ id: "aaaaaaaaaaaa01", ...NETWORKS });
const NEW = wantedContainer({ id: "bbbbbbbbbbbb02", ...NETWORKS });

function desired(given: Partial<Desired> = {}): Desired {
  const healthcheck = { intervalMs: 1, timeoutMs: 1, retries: 1, startPeriodMs: 0 };
  const spec = {
    networks: ["slipway"],
    healthcheck: { ...healthcheck, test: { kind: "http" as const, port: 3000, path: "/" } },
  };
  return desiredService({ spec, route: WANTED_ROUTE, ...given });
}

function host(
  containers: readonly Found[],
  behind: readonly Found[] | undefined,
  more: Parameters<typeof routeEntry>[1] = {},
): HostFound {
  const entry =
    behind === undefined
      ? undefined
      : routeEntry(
          behind.map(({ id }) => id),
          more,
        );
  return foundHost(containers, {
    networks: [{ name: "slipway", owned: false }],
    routes: [foundRoute(entry)],
  });
}

const lines = (text: string): readonly string[] =>
  text.split("\n").map((line) => line.replace(/ \(.*?\)(?= <-|$)/, ""));

describe("a plan with a route", () => {
  it("must let the new one in after its gate, and the old one out after the commit and before its end", () => {
    assert.deepEqual(lines(formatPlan(planHost(host([WEB], [WEB]), desired()))), [
      "create web.next <- remove web.next",
      "start web.next <- stop web.next",
      "gate web.next: http :3000/ for 3s",
      "route web.next ready <- drain web.next, wait for web.next to drain, at most 5s, remove server web.next",
      "* rename web to web.aaaaaaaa",
      "+ restart policy of web.next: unless-stopped",
      "* rename web.next to web",
      "+ tag image slipway/kept:web-aaaaaaaa",
      "drain web.aaaaaaaa",
      "wait for web.aaaaaaaa to drain, at most 30s",
      "remove server web.aaaaaaaa",
      "restart policy of web.aaaaaaaa: no",
      "stop web.aaaaaaaa",
    ]);
  });

  it("must write the route with the first container that passed its gate, and take it away when that fails", () => {
    assert.deepEqual(lines(formatPlan(planHost(host([], undefined), desired()))), [
      "create web.next <- remove web.next",
      "start web.next <- stop web.next",
      "gate web.next: http :3000/ for 3s",
      "write route web to web.next <- remove route web of edge",
      "* rename web.next to web",
      "+ restart policy of web.next: unless-stopped",
    ]);
  });

  it("must change a host name in place, and nothing where all is as wanted", () => {
    const other = { hosts: ["old.example.com"] };
    assert.deepEqual(lines(formatPlan(planHost(host([NEW], [NEW], other), desired()))), [
      "write route web to web <- write route web to web",
    ]);
    assert.equal(formatPlan(planHost(host([NEW], [NEW]), desired())), "");
    assert.deepEqual(planFinish(host([NEW], [NEW]), desired()), []);
  });

  it("must have the new one alone behind a route to another port, and back after a restart of the host", () => {
    const plan = lines(formatPlan(planHost(host([WEB], [WEB], { port: 4000 }), desired())));
    assert.deepEqual(plan.slice(3, 5), [
      "restart policy of web.next: unless-stopped <- restart policy of web.next: no",
      "write route web to web.next <- write route web to web",
    ]);
    assert.ok(plan.includes("wait for web.aaaaaaaa to drain, at most 30s"));
  });

  it("must ask the route's port too where the healthcheck asks another one", () => {
    const spec = { networks: ["slipway"] };
    const plan = lines(formatPlan(planHost(host([WEB], [WEB]), desired({ spec }))));
    assert.equal(plan[3], "gate web.next: tcp :3000 for 0ms");
  });

  it("must let a slot too many drain before it is stopped", () => {
    const second = { ...NEW, id: "cccccccccccc03", name: "web-2" };
    assert.deepEqual(lines(formatSteps(planFinish(host([NEW, second], [NEW, second]), desired()))), [
      "drain web-2",
      "wait for web-2 to drain, at most 30s",
      "remove server web-2",
      "stop web-2",
      "remove web-2",
    ]);
  });

  it("must take the route away before the containers when all goes", () => {
    assert.deepEqual(lines(formatSteps(planRemoval(host([NEW], [NEW]), "deleted"))), [
      "remove route web of edge",
      "wait for web to drain, at most 30s",
      "stop web",
      "remove web",
    ]);
  });

  it("must put a host back by way of the route", () => {
    const kept = { ...WEB, name: "web.aaaaaaaa", state: "exited" as const };
    const back = planBack(host([WEB], [WEB]), host([NEW, kept], [NEW]), desired());
    assert.deepEqual(
      lines(formatSteps(back)).map((line) => line.replace(/ <- .*/, "")),
      [
        "start web.aaaaaaaa",
        "gate web.aaaaaaaa: running for 1s",
        "route web.aaaaaaaa ready",
        "* rename web to web.next",
        "rename web.aaaaaaaa to web",
        "restart policy of web: unless-stopped",
        "drain web.next",
        "wait for web.next to drain, at most 30s",
        "remove server web.next",
        "stop web.next",
        "remove web.next",
      ],
    );
  });

  it("must write the former host names back when another host failed and nothing was swapped here", () => {
    const other = { hosts: ["old.example.com"] };
    const back = planBack(host([NEW], [NEW], other), host([NEW], [NEW]), desired());
    assert.deepEqual(lines(formatSteps(back)), ["write route web to web"]);
  });

  it("must go forward with a candidate that an interrupted run let in, once it passes its gate again", () => {
    const next = { ...NEW, name: "web.next" };
    const rows = recover(host([WEB, next], [WEB, next]), desired());
    assert.deepEqual(
      rows.map(({ found }) => found),
      ["web.next behind the route beside web"],
    );
    assert.deepEqual(lines(formatSteps(rows.flatMap(({ steps }) => steps))), [
      "gate web.next: running for 3s <- remove web.next, start web, restart policy of web: unless-stopped",
      "* restart policy of web.next: unless-stopped",
      "drain web",
      "wait for web to drain, at most 30s",
      "remove server web",
      "* rename web to web.aaaaaaaa",
      "* rename web.next to web",
      "+ restart policy of web.aaaaaaaa: no",
      "+ tag image slipway/kept:web-aaaaaaaa",
      "stop web.aaaaaaaa",
    ]);
  });

  it("must take a candidate out that does not run any more, and is behind the route", () => {
    const next = { ...NEW, name: "web.next", state: "exited" as const };
    const rows = recover(host([WEB, next], [WEB, next]), desired());
    assert.deepEqual(lines(formatSteps(rows.flatMap(({ steps }) => steps))), [
      "drain web.next",
      "wait for web.next to drain, at most 30s",
      "remove server web.next",
    ]);
  });

  it("must let the previous one drain that an interrupted run left beside the new one", () => {
    const kept = { ...WEB, name: "web.aaaaaaaa" };
    const rows = recover(host([NEW, kept], [NEW, kept]), desired());
    const steps = lines(formatSteps(rows.flatMap((row) => row.steps)));
    assert.deepEqual(steps.slice(1), [
      "* drain web.aaaaaaaa",
      "wait for web.aaaaaaaa to drain, at most 30s",
      "remove server web.aaaaaaaa",
      "restart policy of web.aaaaaaaa: no",
      "stop web.aaaaaaaa",
    ]);
  });

  it("must go over to a new name of the service in one change of the route", () => {
    const found = host([], undefined);
    const before = host([WEB], [WEB]);
    const renamed: HostFound = {
      ...found,
      service: { service: "site", slots: [] },
      former: before.service,
      routes: before.routes ?? [],
    };
    const plan = planHost(renamed, desired({ service: "site" }));
    const steps = plan.slots.flatMap((slot) => slot.steps);
    const written = steps.find(({ operation }) => operation.kind === "write-route")?.operation;
    assert.ok(written?.kind === "write-route");
    assert.equal(written.replaces, "web");
    assert.ok(steps.some(({ operation }) => operation.kind === "await-drained"));
    assert.ok(!steps.some(({ operation }) => operation.kind === "drain-server"));
  });
});
