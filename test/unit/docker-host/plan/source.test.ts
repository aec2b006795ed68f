import assert from "node:assert/strict";
import { formatPlan } from "../../../../provider/docker-host/plan/operation";
import { planEngine } from "../../../../provider/docker-host/plan/plan";
import { planSource } from "../../../../provider/docker-host/plan/source";
import type { ObservedEngine } from "../../../../provider/docker-host/look/observed";
import type { Former } from "../../../../provider/docker-host/wish/wish";
import { desiredEngine, observedEngine, runningDaemon } from "../../../support/observed-engine";

const REPOSITORY = {
  url: "https://mirror.example/debian",
  components: ["stable"],
  key: "https://mirror.example/key.asc",
  keyFingerprint: "A".repeat(40),
  packages: ["docker-ce"],
  content: "the file",
};
const WRITTEN = { sourceFile: "the file", keyFingerprints: ["A".repeat(40)] };
const planned = (packages: Partial<ObservedEngine["packages"]>, repository?: typeof REPOSITORY): string =>
  formatPlan(planSource({ ...desiredEngine("26.x"), repository }, observedEngine({}, packages)));
const REFRESH = "refresh the package lists: 26.x is looked up in them";
const write = (cause: string): string => `add the package source ${REPOSITORY.url}: ${cause}\n${REFRESH}`;

describe("planSource", () => {
  it("must add the source, and again when its file or its key is another one", () => {
    assert.equal(planned({}, REPOSITORY), write("the host does not know it"));
    assert.equal(planned(WRITTEN, REPOSITORY), REFRESH);
    assert.equal(planned({ ...WRITTEN, sourceFile: "other" }, REPOSITORY), write("it has changed"));
    const otherKey = { ...WRITTEN, keyFingerprints: ["B".repeat(40)] };
    assert.equal(planned(otherKey, REPOSITORY), write("its key has changed"));
    assert.equal(planned({ ...WRITTEN, keyFingerprints: [] }, REPOSITORY), write("its key is missing"));
  });

  it("must want an answer of the source that Docker comes from, and of no other", () => {
    const sourceOf = (packages: Partial<ObservedEngine["packages"]>): unknown =>
      planSource({ ...desiredEngine("26.x"), repository: REPOSITORY }, observedEngine({}, packages)).map(
        (operation) => (operation.kind === "refresh-lists" ? operation.needed : operation.kind),
      );
    const { url } = REPOSITORY;
    const files = ["/etc/apt/sources.list"];
    assert.deepEqual(sourceOf(WRITTEN), [{ kind: "ours", url }]);
    assert.deepEqual(sourceOf({}), ["write-source", { kind: "ours", url }]);
    assert.deepEqual(sourceOf({ otherSourceFiles: files }), [{ kind: "others", url, files }]);
  });

  it("must leave a source alone that somebody else has written", () => {
    assert.equal(planned({ otherSourceFiles: ["/etc/apt/sources.list.d/docker.list"] }, REPOSITORY), REFRESH);
  });

  it("must write the source that the program changed, and trust the key that it changed, where no package is to come", () => {
    const installed = { "docker.io": "26.1.5-1", "docker-cli": "26.1.5-1" };
    const settled = { installed, held: Object.keys(installed), ...WRITTEN };
    const plan = (
      packages: Partial<ObservedEngine["packages"]>,
      repository: typeof REPOSITORY | undefined,
      former?: Former,
    ): string =>
      formatPlan(
        planEngine(
          { ...desiredEngine("26.x", {}, former), repository },
          observedEngine(
            { daemon: runningDaemon("26.1.5"), daemonConfig: { "live-restore": true } },
            { ...settled, ...packages },
          ),
        ),
      );
    const only = (cause: string): string => `add the package source ${REPOSITORY.url}: ${cause}`;
    assert.equal(plan({}, REPOSITORY), "");
    assert.equal(plan({ sourceFile: "other" }, REPOSITORY), only("it has changed"));
    assert.equal(plan({ keyFingerprints: ["B".repeat(40)] }, REPOSITORY), only("its key has changed"));
    assert.equal(plan({}, undefined), "remove the package source: the program names another one");
    const unknown = { sourceFile: undefined, keyFingerprints: [] };
    assert.equal(plan(unknown, REPOSITORY), "", "an engine that came without our source");
    const former: Former = { daemonConfig: { "live-restore": true }, dockerUsers: [], hold: true };
    assert.equal(plan(unknown, REPOSITORY, { ...former, source: { kind: "distro" } }), "");
    assert.equal(
      plan(unknown, REPOSITORY, { ...former, source: { kind: "docker" } }),
      only("the host does not know it"),
    );
    assert.equal(plan({ sourceFile: "other", interrupted: "by us" }, REPOSITORY), "", "planSource does it");
  });

  it("must take our source off when the distribution's packages are wanted", () => {
    assert.equal(planned(WRITTEN), `remove the package source: the program names another one\n${REFRESH}`);
    assert.equal(planned({}), REFRESH);
  });
});
