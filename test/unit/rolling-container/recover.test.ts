import assert from "node:assert/strict";
import { LABEL } from "../../../provider/container/labels";
import { formatSteps } from "../../../provider/rolling-container/operation";
import { recover } from "../../../provider/rolling-container/recover";
import type { Found } from "../../../provider/rolling-container/found";
import { desiredService, foundContainer, foundHost, LIMITS, wantedContainer } from "../../support/rollout";

function recovered(...containers: readonly Found[]): string {
  return recover(foundHost(containers), desiredService())
    .map(({ found, steps }) => `${found}:\n${formatSteps(steps)}`)
    .join("\n");
}

describe("recover", () => {
  const live = foundContainer();
  const stopped = foundContainer({ state: "exited" });
  const candidate = wantedContainer({ name: "web.next" });
  const created = wantedContainer({ name: "web.next", state: "created" });
  const kept = foundContainer({
    name: "web.aaaaaaaa",
    state: "exited",
    limits: { ...LIMITS, restart: "no" },
  });

  it("must do nothing where nothing was interrupted", () => {
    assert.equal(recovered(), "");
    assert.equal(recovered(live), "");
    assert.equal(recovered(live, kept), "");
  });

  it("must give one that somebody renamed its name back, where its place is empty", () => {
    const labels = { ...live.labels, [LABEL.slot]: "1" };
    const renamed = foundContainer({ name: "web.mine", labels });
    assert.equal(
      recovered(renamed),
      "web.mine, which is web under another name:\n* rename web.mine to web (somebody renamed it)",
    );
    assert.equal(recovered(live, renamed), "");
    assert.equal(recovered({ ...renamed, state: "exited" }), "");
    assert.equal(recovered({ ...renamed, foreign: "somebody" }), "");
  });

  it("must leave a candidate beside a running live one to the planner", () => {
    assert.equal(recovered(live, created), "");
    assert.equal(recovered(live, candidate), "");
  });

  it("must leave a first candidate, and a removal by hand, to the planner", () => {
    assert.equal(recovered(candidate), "");
    assert.equal(recovered(kept), "");
    assert.equal(recovered(kept, created), "");
  });

  it("must start the live one first when it was stopped and the candidate does not run", () => {
    assert.equal(
      recovered(stopped, created),
      [
        "web stopped, web.next (created):",
        "start web (the live one first)",
        "gate web: running for 1s (it has to serve again)",
        "restart policy of web: unless-stopped (it serves again)",
      ].join("\n"),
    );
  });

  it("must go forward when the candidate runs and passes, else bring the live one back", () => {
    assert.equal(
      recovered(stopped, candidate),
      [
        "web stopped, web.next (running):",
        "gate web.next: running for 3s (healthy, it goes forward) <- if it fails: remove web.next, start web, restart policy of web: unless-stopped",
        "* restart policy of web.next: unless-stopped (it serves)",
        "* rename web to web.aaaaaaaa (kept, to go back to)",
        "* rename web.next to web (it passed its gate)",
        "+ restart policy of web.aaaaaaaa: no (it serves no more)",
        "+ tag image slipway/kept:web-aaaaaaaa (spares the kept one's image)",
      ].join("\n"),
    );
  });

  it("must finish the renames, else bring the kept one back", () => {
    assert.equal(
      recovered(candidate, kept),
      [
        "no live one, web.next (running) and web.aaaaaaaa:",
        "gate web.next: running for 3s (it had passed its gate) <- if it fails: remove web.next, rename web.aaaaaaaa to web, start web, restart policy of web: unless-stopped",
        "* rename web.next to web (it passed its gate)",
        "+ restart policy of web.next: unless-stopped (it serves from now on)",
      ].join("\n"),
    );
  });

  it("must stop the previous one that still runs beside the new live one", () => {
    assert.equal(
      recovered(wantedContainer(), foundContainer({ name: "web.aaaaaaaa" })),
      [
        "web.aaaaaaaa still running beside web:",
        "gate web: running for 1s (it has to serve before the previous one is stopped) <- if it fails: restart policy of web: no, stop web, rename web to web.bbbbbbbb, rename web.aaaaaaaa to web, restart policy of web: unless-stopped",
        "* restart policy of web.aaaaaaaa: no (it serves no more)",
        "stop web.aaaaaaaa (the new one serves)",
      ].join("\n"),
    );
  });

  it("must take the switch's restart policy from a kept one, or a reboot starts it beside the live one", () => {
    const always = { ...LIMITS, restart: "always" };
    const kept = foundContainer({ name: "web.aaaaaaaa", state: "exited", limits: always });
    assert.equal(
      recovered(wantedContainer(), kept),
      [
        "web.aaaaaaaa with the restart policy of a switch:",
        "restart policy of web.aaaaaaaa: no (it serves no more)",
      ].join("\n"),
    );
  });

  it("must give a kept one that serves its name back where there is no live one", () => {
    const serving = foundContainer({ name: "web.aaaaaaaa" });
    const steps = [
      "* rename web.aaaaaaaa to web (it serves)",
      "restart policy of web: unless-stopped (it serves)",
    ];
    const stopped = wantedContainer({ name: "web.next", state: "exited" });
    assert.equal(recovered(serving), ["no live one, web.aaaaaaaa (running):", ...steps].join("\n"));
    assert.equal(recovered(serving, stopped), ["no live one, web.aaaaaaaa (running):", ...steps].join("\n"));
  });

  it("must start the one under the service's former name first when its switch was interrupted", () => {
    const always = { ...LIMITS, restart: "always" };
    const live = foundContainer({ name: "shop", state: "exited", limits: always });
    const former = {
      service: "shop",
      slots: [{ slot: 1, live, candidate: undefined, copy: undefined, kept: [] }],
    };
    const found = (...containers: readonly Found[]) =>
      recover(foundHost(containers, { former }), desiredService()).map((row) => row.found);
    assert.deepEqual(found(), ["shop stopped in a switch"]);
    assert.deepEqual(found(created), ["shop stopped in a switch"]);
    assert.deepEqual(found(candidate), ["shop stopped in a switch, web.next (running)"]);
    assert.deepEqual(found(wantedContainer()), []);
  });

  it("must let a kept one that serves and a live one that does not change places", () => {
    const down = wantedContainer({ state: "exited" });
    assert.equal(
      recovered(down, foundContainer({ name: "web.aaaaaaaa" })),
      [
        "web (exited), web.aaaaaaaa (running):",
        "restart policy of web: no (it serves no more)",
        "rename web to web.bbbbbbbb (it does not serve)",
        "* rename web.aaaaaaaa to web (it serves)",
        "restart policy of web: unless-stopped (it serves)",
      ].join("\n"),
    );
  });

  it("must bring back who served before when nobody runs between the renames", () => {
    const always = { ...LIMITS, restart: "always" };
    const last = foundContainer({ name: "web.aaaaaaaa", state: "exited", limits: always });
    assert.equal(
      recovered(last, wantedContainer({ name: "web.next", state: "exited" })),
      [
        "no live one, web.aaaaaaaa stopped in a switch:",
        "rename web.aaaaaaaa to web (it served last)",
        "start web (the live one first)",
        "gate web: running for 1s (it has to serve again)",
        "restart policy of web: unless-stopped (it serves again)",
      ].join("\n"),
    );
  });

  it("must stop what crashes or is paused before anybody is started: it may have the port", () => {
    const crashing = wantedContainer({ name: "web.next", state: "restarting", limits: kept.limits });
    const stops = ["web.next (restarting):", "stop web.next (it does not serve)"];
    assert.deepEqual(recovered(stopped, crashing).split("\n").slice(0, 4), [
      ...stops,
      "web stopped, web.next (exited):",
      "start web (the live one first)",
    ]);
    assert.equal(recovered(live, crashing), stops.join("\n"));
    const always = { ...LIMITS, restart: "always" };
    assert.deepEqual(
      recovered(stopped, created, { ...kept, state: "paused", limits: always })
        .split("\n")
        .slice(0, 5),
      [
        "web.aaaaaaaa (paused):",
        "restart policy of web.aaaaaaaa: no (it serves no more)",
        "stop web.aaaaaaaa (it does not serve)",
        "web stopped, web.next (created):",
        "start web (the live one first)",
      ],
    );
  });

  it("must remove what can never start again", () => {
    assert.equal(
      recovered(foundContainer({ state: "dead" })),
      ["web (dead):", "remove web (the engine had begun to remove it, and it can never start again)"].join(
        "\n",
      ),
    );
  });

  it("must start nothing in a slot that is on its way out", () => {
    const second = foundContainer({ name: "web-2", state: "exited" });
    const next = wantedContainer({ name: "web-2.next", state: "created" });
    const rows = recover(foundHost([second, next]), desiredService({ replicas: 1 }));
    assert.deepEqual(
      rows.map(({ steps }) => formatSteps(steps)),
      ["remove web-2.next (fewer replicas)"],
    );
  });

  it("must remove a copy that nobody watches", () => {
    assert.equal(
      recovered(live, wantedContainer({ name: "web.try" })),
      ["the copy web.try of an interrupted run:", "remove web.try (nobody watches it)"].join("\n"),
    );
  });

  it("must not act on containers that are not ours", () => {
    assert.equal(recovered(foundContainer({ state: "exited", foreign: "x" }), candidate), "");
    assert.equal(recovered(live, foundContainer({ name: "web.try", foreign: "x" })), "");
  });
});
