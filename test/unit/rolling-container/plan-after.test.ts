import assert from "node:assert/strict";
import type { Found, HostFound } from "../../../provider/rolling-container/found";
import { formatSteps } from "../../../provider/rolling-container/operation";
import { goneRevisions } from "../../../provider/rolling-container/outputs";
import { formatPlan, planHost, planRevival } from "../../../provider/rolling-container/plan";
import { planBack } from "../../../provider/rolling-container/plan-back";
import { planFinish, planRemoval } from "../../../provider/rolling-container/plan-finish";
import { UPDATE_DEFAULTS } from "../../../provider/rolling-container/update-settings";
import { desiredService, foundContainer, foundHost, LIMITS, wantedContainer } from "../../support/rollout";

const finish = (found: HostFound, replicas = 1, keepPrevious = 1): string =>
  formatSteps(planFinish(found, { replicas, keepPrevious, update: UPDATE_DEFAULTS }, new Set([1])));

describe("planFinish", () => {
  const live = wantedContainer();
  const limits = { ...LIMITS, restart: "no" };
  const last = foundContainer({ name: "web.aaaaaaaa", state: "exited", startedAt: "2026-01-02", limits });
  const older = foundContainer({
    name: "web.cccccccc",
    revision: "cccccccc",
    state: "exited",
    startedAt: "2026-01-01",
  });

  it("must remove kept ones beyond the limit with their tags, the one that ran last stays", () => {
    const keptTags = [
      "slipway/kept:web-aaaaaaaa",
      "slipway/kept:web-cccccccc",
      "slipway/kept:web-2-dddddddd",
    ];
    assert.equal(
      finish(foundHost([live, last, older], { keptTags })),
      [
        "remove web.cccccccc (more than 1 kept)",
        "remove tag slipway/kept:web-cccccccc (that revision is not kept)",
      ].join("\n"),
    );
  });

  it("must not stop a kept one that an engine's restart brought back while the live one stands still", () => {
    const exited = wantedContainer({ state: "exited" });
    assert.match(
      finish(foundHost([exited, { ...last, state: "running" }])),
      /^gate web: running for 1s .*\nstop web\.aaaaaaaa/,
    );
  });

  it("must bring a live one back that an engine's restart took along, but for one whose port another has", () => {
    const revived = (...kept: readonly Found[]): string =>
      formatSteps(planRevival(foundHost([wantedContainer({ state: "exited" }), ...kept]), desiredService()));
    assert.equal(
      revived(last),
      ["start web (it was exited)", "gate web: running for 3s (it has to prove itself again)"].join("\n"),
    );
    assert.equal(revived({ ...last, state: "running" }), "");
    assert.equal(formatSteps(planRevival(foundHost([live, last]), desiredService())), "");
  });

  it("must give a kept one its tag again", () => {
    assert.equal(
      finish(foundHost([live, last])),
      "tag image slipway/kept:web-aaaaaaaa (spares the kept one's image)",
    );
  });

  it("must stop a kept one that is still up, and let the live one prove itself before, unless it has in this run", () => {
    const up = foundContainer({ name: "web.aaaaaaaa", startedAt: "2026-01-02" });
    const keptTags = ["slipway/kept:web-aaaaaaaa"];
    const limits = { replicas: 1, keepPrevious: 1, update: UPDATE_DEFAULTS };
    assert.equal(
      formatSteps(planFinish(foundHost([live, up], { keptTags }), limits)),
      [
        "gate web: running for 1s (it has to serve before a kept one goes)",
        "restart policy of web.aaaaaaaa: no (it serves no more)",
        "stop web.aaaaaaaa (the new one serves)",
      ].join("\n"),
    );
  });

  it("must remove slots beyond the replicas, and never what is not ours", () => {
    const second = foundContainer({ name: "web-2" });
    const foreign = foundContainer({ name: "web-3", labels: {}, foreign: "somebody" });
    assert.equal(
      finish(foundHost([live, second, foreign])),
      ["stop web-2 (fewer replicas)", "remove web-2 (fewer replicas)"].join("\n"),
    );
  });

  it("must go with a plan that adds a slot: places are filled first, and those too many go after", () => {
    const found = foundHost([live, wantedContainer({ name: "web-3" })]);
    const desired = desiredService({ spec: {}, replicas: 2 });
    const plan = formatPlan(planHost(found, desired));
    assert.match(plan, /^create web-2\.next/);
    assert.doesNotMatch(plan, /web-3/);
    assert.equal(
      finish(found, 2),
      ["stop web-3 (fewer replicas)", "remove web-3 (fewer replicas)"].join("\n"),
    );
  });

  it("must remove the service under its former name", () => {
    const old = foundContainer({ name: "shop", state: "exited" });
    const former = {
      service: "shop",
      slots: [{ slot: 1, live: old, candidate: undefined, copy: undefined, kept: [] }],
    };
    assert.equal(finish(foundHost([live], { former })), "remove shop (the service has a new name)");
  });
});

describe("goneRevisions", () => {
  it("must name what was kept and stands nowhere, on no host and under no name", () => {
    const kept = new Set(["aaaaaaaa", "bbbbbbbb", "cccccccc"]);
    const hosts = [
      foundHost([wantedContainer()]),
      foundHost([wantedContainer(), foundContainer({ name: "web.aaaaaaaa" })]),
    ];
    assert.deepEqual(goneRevisions(hosts, { kept }), ["cccccccc"]);
  });
});

describe("planRemoval", () => {
  it("must remove all that is ours and nothing else", () => {
    const containers = [
      wantedContainer(),
      foundContainer({ name: "web.next", state: "created" }),
      foundContainer({ name: "web.aaaaaaaa", state: "exited" }),
      foundContainer({ name: "web-2", foreign: "somebody" }),
    ];
    const keptTags = ["slipway/kept:web-aaaaaaaa"];
    assert.equal(
      formatSteps(planRemoval(foundHost(containers, { keptTags }), "deleted")),
      [
        "stop web (deleted)",
        "remove web (deleted)",
        "remove web.next (deleted)",
        "remove web.aaaaaaaa (deleted)",
        "remove tag slipway/kept:web-aaaaaaaa (deleted)",
      ].join("\n"),
    );
  });

  it("must remove the service under its former name, too, on a host that is taken out in the same run", () => {
    const live = foundContainer({ name: "shop" });
    const former = {
      service: "shop",
      slots: [{ slot: 1, live, candidate: undefined, copy: undefined, kept: [] }],
    };
    assert.equal(
      formatSteps(planRemoval(foundHost([], { former }), "the host was taken out")),
      ["stop shop (the host was taken out)", "remove shop (the host was taken out)"].join("\n"),
    );
  });

  it("must have nothing to do where nothing is", () => {
    assert.deepEqual(planRemoval(foundHost(), "deleted"), []);
  });
});

describe("planBack", () => {
  it("must start the very container that served before, and remove the new one", () => {
    const before = foundHost([foundContainer({ id: "old" })]);
    const now = foundHost([
      wantedContainer({ id: "new" }),
      foundContainer({ id: "old", name: "web.aaaaaaaa", state: "exited" }),
    ]);
    assert.equal(
      formatSteps(planBack(before, now, desiredService())),
      [
        "restart policy of web: always (should the host restart meanwhile, it comes back) <- restart policy of web: unless-stopped",
        "stop web (the rollout failed elsewhere)",
        "start web.aaaaaaaa (it served before) <- stop web.aaaaaaaa, start web",
        "gate web.aaaaaaaa: running for 1s (it has to serve again)",
        "* rename web to web.next (makes way)",
        "rename web.aaaaaaaa to web (it serves again)",
        "restart policy of web: unless-stopped (it serves again)",
        "remove web.next (the rollout failed elsewhere)",
      ].join("\n"),
    );
  });

  it("must give one that stayed its limits again, and leave the policy of one that a switch stopped", () => {
    const before = foundHost([foundContainer({ limits: { ...LIMITS, memory: 512 } })]);
    const now = (given: Partial<Found>): string =>
      formatSteps(planBack(before, foundHost([foundContainer(given)]), desiredService()));
    assert.equal(
      now({ limits: { ...LIMITS, memory: 256 } }),
      "update limits of web (the rollout failed elsewhere)",
    );
    assert.equal(now({ limits: { ...LIMITS, memory: 512, restart: "always" }, state: "exited" }), "");
  });

  it("must give a container that was taken over by adopt its own name again", () => {
    const theirs = foundContainer({ id: "12345678ff", labels: {}, foreign: "somebody" });
    const taken = { ...theirs, name: "web.12345678", state: "exited" as const };
    const now = foundHost([wantedContainer({ id: "new" }), taken]);
    const steps = formatSteps(planBack(foundHost([theirs]), now, desiredService({ adopt: true })));
    assert.match(steps, /^start web\.12345678 .*$/m);
    assert.match(steps, /^\* rename web to web\.next .*\nrename web\.12345678 to web \(it serves again\)$/m);
  });

  it("must start it beside the new one where both may run, so that somebody serves all the time", () => {
    const before = foundHost([foundContainer({ id: "old" })]);
    const now = foundHost([
      wantedContainer({ id: "new" }),
      foundContainer({ id: "old", name: "web.aaaaaaaa", state: "exited" }),
    ]);
    assert.equal(
      formatSteps(planBack(before, now, desiredService({ spec: {} }))),
      [
        "start web.aaaaaaaa (it served before) <- stop web.aaaaaaaa",
        "gate web.aaaaaaaa: running for 1s (it has to serve again)",
        "* rename web to web.next (makes way)",
        "rename web.aaaaaaaa to web (it serves again)",
        "restart policy of web: unless-stopped (it serves again)",
        "stop web.next (the previous one serves)",
        "remove web.next (the rollout failed elsewhere)",
      ].join("\n"),
    );
  });

  it("must remove what was new where nothing served, and leave alone what was not switched", () => {
    assert.equal(
      formatSteps(planBack(foundHost(), foundHost([wantedContainer()]), desiredService())),
      ["stop web (the rollout failed elsewhere)", "remove web (nothing served here before)"].join("\n"),
    );
    const same = foundHost([foundContainer()]);
    assert.deepEqual(planBack(same, same, desiredService()), []);
  });
});
