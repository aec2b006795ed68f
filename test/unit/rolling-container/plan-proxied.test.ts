import assert from "node:assert/strict";
import type { Desired } from "../../../provider/rolling-container/desired";
import type { Found, HostFound } from "../../../provider/rolling-container/found";
import { formatSteps } from "../../../provider/rolling-container/operation";
import { slotsFrom } from "../../../provider/rolling-container/observe";
import { formatPlan, planHost } from "../../../provider/rolling-container/plan";
import { planBack } from "../../../provider/rolling-container/plan-back";
import { planFinish, planRemoval } from "../../../provider/rolling-container/plan-finish";
import { recover } from "../../../provider/rolling-container/recover";
import { FORMER } from "../../support/former-name";
import { formerContainer, renamedHost } from "../../support/renamed-host";
import { desiredService, foundContainer, foundHost, wantedContainer } from "../../support/rollout";
import { foundRoute, routeEntry, WANTED_PLACE, WANTED_ROUTE } from "../../support/route-model";

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
    assert.deepEqual(lines(formatSteps(back)), [
      "start web.aaaaaaaa <- stop web.aaaaaaaa",
      "gate web.aaaaaaaa: running for 1s",
      "route web.aaaaaaaa ready <- drain web.aaaaaaaa, wait for web.aaaaaaaa to drain, at most 5s, remove server web.aaaaaaaa",
      "* rename web to web.next",
      "rename web.aaaaaaaa to web",
      "restart policy of web: unless-stopped",
      "drain web.next",
      "wait for web.next to drain, at most 30s",
      "remove server web.next",
      "stop web.next",
      "remove web.next",
    ]);
  });

  it("must write a route back with all who were behind it and run, and forward again when that fails", () => {
    const second = { ...WEB, id: "cccccccccccc03", name: "web-2" };
    const kept = { ...WEB, name: "web.aaaaaaaa", state: "exited" as const };
    const before = host([WEB, second], [WEB, second], { port: 4000 });
    const writes = (behind: readonly Found[], more: Parameters<typeof routeEntry>[1] = {}) =>
      lines(
        formatSteps(planBack(before, host([NEW, kept, second], behind, more), desired({ replicas: 2 }))),
      ).filter((line) => line.startsWith("write"));
    assert.deepEqual(writes([NEW]), ["write route web to web.aaaaaaaa, web-2 <- write route web to web"]);
    const renamed = { port: 4000, hosts: ["new.example.com"] };
    assert.deepEqual(writes([NEW, second], renamed), [
      "write route web to web.aaaaaaaa, web-2, web <- write route web to web, web-2",
    ]);
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
      "gate web.next: running for 3s <- if it fails: remove web.next, start web, restart policy of web: unless-stopped",
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

  it("must write a route whose file is gone as the proxy runs it, before anything else is done", () => {
    const next = { ...NEW, name: "web.next" };
    const runs = new Map([
      [WEB.id.slice(0, 12), "ready"],
      [next.id.slice(0, 12), "drain"],
    ] as const);
    const found = { ...host([WEB, next], undefined), routes: [foundRoute(undefined, runs, 4000)] };
    const [row, ...more] = recover(found, desired());
    assert.equal(row?.found, "the route of web without its file");
    assert.deepEqual(lines(formatSteps(row.steps)), ["write route web to web"]);
    const [{ operation } = {}] = row.steps;
    assert.ok(operation?.kind === "write-route");
    assert.equal(operation.shape.port, 4000, "those behind it are asked where they were");
    assert.deepEqual(more, []);
  });

  it("must give requests to a live one that only the file names, and not take them back", () => {
    const runs = new Map([[WEB.id.slice(0, 12), "drain"]] as const);
    const found = { ...host([WEB], [WEB]), routes: [foundRoute(routeEntry([WEB.id]), runs)] };
    const rows = recover(found, desired());
    assert.deepEqual(lines(formatSteps(rows.flatMap(({ steps }) => steps))), [
      "gate web: running for 1s",
      "route web ready",
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

  it("must let it drain behind the new name, too, where a rename that was cut off passed the route on", () => {
    const before = formerContainer({ ...NEW, name: FORMER });
    const kept = formerContainer({ id: WEB.id, name: "shop.aaaaaaaa", ...NETWORKS });
    const routes = host([], [before, kept]).routes ?? [];
    const rows = recover(renamedHost([before, kept], [], { routes }), desired());
    const steps = lines(formatSteps(rows.flatMap((row) => row.steps)));
    assert.deepEqual(steps.slice(1, 4), [
      "* drain shop.aaaaaaaa",
      "wait for shop.aaaaaaaa to drain, at most 30s",
      "remove server shop.aaaaaaaa",
    ]);
  });

  it("must take all who serve along to a new name of the service, and back again", () => {
    const second = { ...WEB, id: "cccccccccccc03", name: "web-2" };
    const former = host([WEB, second], [WEB, second]);
    const before: HostFound = {
      ...former,
      service: { service: "site", slots: [] },
      former: former.service,
    };
    const wanted = desired({ service: "site", replicas: 2 });
    const plan = planHost(before, wanted);
    const written = plan.slots
      .flatMap(({ steps }) => steps)
      .find(({ operation }) => operation.kind === "write-route");
    assert.ok(written?.operation.kind === "write-route");
    assert.equal(written.operation.replaces, "web");
    assert.deepEqual(lines(formatPlan(plan)).slice(3, 11), [
      "write route site to web, web-2 <- write route web to web, web-2",
      "route site.next ready <- drain site.next, wait for site.next to drain, at most 5s, remove server site.next",
      "* rename site.next to site",
      "+ restart policy of site.next: unless-stopped",
      "drain web",
      "wait for web to drain, at most 30s",
      "wait for web to drain, at most 30s",
      "remove server web",
    ]);
    const site = { ...NEW, name: "site" };
    const place = { ...WANTED_PLACE, service: "site" };
    const entry = routeEntry([second.id, site.id], { service: "site" });
    const now: HostFound = {
      ...before,
      service: { service: "site", slots: slotsFrom([site], "site") },
      former: foundHost([{ ...WEB, state: "exited" }, second]).service,
      routes: [{ ...foundRoute(entry), place }],
    };
    const back = planBack(before, now, wanted);
    assert.deepEqual(lines(formatSteps(back)), [
      "start web <- stop web",
      "gate web: running for 1s",
      "write route web to web, web-2, site <- write route site to web-2, site",
      "* rename site to site.next",
      "restart policy of web: unless-stopped",
      "drain site.next",
      "wait for site.next to drain, at most 30s",
      "wait for site.next to drain, at most 30s",
      "remove server site.next",
      "stop site.next",
      "remove site.next",
    ]);
  });
});
