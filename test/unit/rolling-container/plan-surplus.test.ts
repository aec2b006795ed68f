import assert from "node:assert/strict";
import { formatSteps } from "../../../provider/rolling-container/operation";
import { planHost } from "../../../provider/rolling-container/plan";
import { planSurplus } from "../../../provider/rolling-container/plan-surplus";
import type { Found } from "../../../provider/rolling-container/found";
import { desiredService, foundContainer, foundHost, wantedContainer } from "../../support/rollout";

const LIVE = foundContainer();
const kept = (revision: string): Found =>
  foundContainer({
    id: revision,
    name: `web.${revision}`,
    state: "exited",
    // the later a letter comes, the longer ago it ran
    startedAt: `2026-01-${130 - revision.charCodeAt(0)}T00:00:00Z`,
    labels: { ...LIVE.labels, "slipway.revision": revision },
  });

function surplus(containers: readonly Found[], keepPrevious = 1): string {
  const keptTags = containers.map(({ id }) => `slipway/kept:web-${id}`);
  const found = foundHost(containers, { keptTags });
  const desired = desiredService({ keepPrevious });
  return formatSteps(planSurplus(found, planHost(found, desired), desired));
}

describe("planSurplus", () => {
  it("must remove the older ones of a slot that was switched, with their tags, at once", () => {
    assert.equal(
      surplus([LIVE, kept("cccccccc"), kept("dddddddd")]),
      [
        "remove web.cccccccc (more than 1 kept)",
        "+ remove web.dddddddd (more than 1 kept)",
        "+ remove tag slipway/kept:web-cccccccc (that revision is not kept)",
        "+ remove tag slipway/kept:web-dddddddd (that revision is not kept)",
      ].join("\n"),
    );
    assert.match(surplus([LIVE, kept("cccccccc"), kept("dddddddd")], 2), /^remove web\.dddddddd/);
  });

  it("must leave the one that served just before, also where none is kept: it has yet to be looked at", () => {
    assert.equal(surplus([LIVE]), "");
    assert.equal(surplus([LIVE], 0), "");
  });

  it("must leave alone the one that it goes back to, and all where nothing was switched", () => {
    const back = { ...wantedContainer(), id: "bbbbbbbb", name: "web.bbbbbbbb", state: "exited" } as const;
    assert.equal(surplus([LIVE, back]), "");
    assert.equal(surplus([wantedContainer(), kept("cccccccc"), kept("dddddddd")]), "");
  });
});
