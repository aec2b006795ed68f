import assert from "node:assert/strict";
import { formatStep } from "../../../../provider/docker-host/plan/operation";
import { planInstall } from "../../../../provider/docker-host/plan/install";
import { followersOf } from "../../../../provider/docker-host/packages/source";
import type { Offer } from "../../../../provider/docker-host/packages/version";
import { desiredEngine, observedEngine, runningDaemon } from "../../../support/observed-engine";

const engine = (version: string, containerd: string): readonly Offer[] => [
  { name: "docker-ce", version: `5:${version}-1~debian.13~trixie`, needs: { "containerd.io": containerd } },
  { name: "docker-ce-cli", version: `5:${version}-1~debian.13~trixie` },
];
const of = (name: string, ...versions: readonly string[]): readonly Offer[] =>
  versions.map((version) => ({ name, version }));

const BUILDX = "docker-buildx-plugin";
const CONTAINERDS = ["2.1.5-1", "1.7.28-2~debian.13~trixie", "1.7.28-1~debian.13~trixie", "1.6.33-1"];
const OFFERS = [
  ...engine("29.0.0", "2.0.0"),
  ...engine("28.5.2", "1.7.27"),
  ...engine("26.1.4", "1.6.24"),
  ...of("containerd.io", ...CONTAINERDS),
  ...of("docker-buildx-plugin", "0.29.1-1", "0.14.1-1"),
];

/** The installation of that version, as a person reads it. */
function installed(
  dockerVersion: string,
  there: Readonly<Record<string, string>> = {},
  offers: readonly Offer[] = OFFERS,
): string {
  const names = ["docker-ce", "docker-ce-cli", "containerd.io", "docker-buildx-plugin"];
  const desired = { ...desiredEngine(dockerVersion), names, dependencies: [] };
  const install = planInstall(desired, observedEngine({}, { installed: there }), offers);
  return install === undefined ? "" : formatStep(install).replaceAll("~debian.13~trixie", "");
}

describe("planInstall", () => {
  it("must take the containerd of the major version that the engine names, at its latest build", () => {
    const line = "install docker-ce=5:26.1.4-1 docker-ce-cli=5:26.1.4-1";
    const own = "containerd.io=1.6.33-1 docker-buildx-plugin=0.29.1-1";
    const offers = OFFERS.filter(({ version }) => !version.startsWith("1.7"));
    assert.equal(installed("26.1.4", {}, offers), `${line} ${own}`);
    assert.match(installed("26.1.4"), /containerd\.io=1\.7\.28-2 /);
    assert.match(installed("28.5.2"), /containerd\.io=1\.7\.28-2 /);
    assert.match(installed("29.0.0"), /containerd\.io=2\.1\.5-1 /);
  });

  it("must take what the engine takes where nobody offers that major version", () => {
    const offers = OFFERS.filter(({ version }) => !version.startsWith("1."));
    assert.match(installed("28.5.2", {}, offers), /containerd\.io=2\.1\.5-1 /);
  });

  it("must not lower a companion that is there and fits", () => {
    const there = {
      "docker-ce": "5:29.0.0-1",
      "containerd.io": "2.1.5-1",
      "docker-buildx-plugin": "0.30.0-1",
    };
    assert.match(installed("28.5.2", there), /containerd\.io=2\.1\.5-1 docker-buildx-plugin=0\.30\.0-1$/);
  });

  it("must leave what is there and fits beside an engine that stays: nothing restarts the containerd under it", () => {
    const own = "5:28.5.2-1~debian.13~trixie";
    const there = { "docker-ce": own, "docker-ce-cli": own, "containerd.io": "1.7.27-1" };
    const desired = {
      ...desiredEngine("28.5.2", {}, { daemonConfig: {}, dockerUsers: [], hold: true, packages: [BUILDX] }),
      names: ["docker-ce", "docker-ce-cli", "containerd.io", BUILDX],
    };
    const daemon = runningDaemon("28.5.2");
    const install = planInstall(desired, observedEngine({ daemon }, { installed: there }), OFFERS);
    assert.deepEqual(install?.packages.slice(2), [
      { name: "containerd.io", version: "1.7.27-1" },
      { name: BUILDX, version: "0.29.1-1" },
    ]);
  });

  it("must raise one that is there and does not fit, and one that has a later build", () => {
    assert.match(installed("28.5.2", { "containerd.io": "1.6.33-1" }), /containerd\.io=1\.7\.28-2 /);
    const build = { "containerd.io": "1.7.28-1~debian.13~trixie" };
    assert.match(installed("28.5.2", build), /containerd\.io=1\.7\.28-2 /);
  });

  it("must leave a build that nobody offers any more", () => {
    assert.match(installed("28.5.2", { "containerd.io": "1.7.28-9" }), /containerd\.io=1\.7\.28-9 /);
  });

  const EXTRAS = "docker-ce-rootless-extras";
  const withExtras = [
    ...OFFERS,
    ...of(EXTRAS, ...["29.0.0", "28.5.2"].map((v) => `5:${v}-1~debian.13~trixie`)),
  ];
  /** As `installed`, of a source that names the engine alone. */
  const alone = (
    there: Readonly<Record<string, string>>,
    needs: Readonly<Record<string, string>> = {},
  ): string => {
    const offers = withExtras.map((offer) => (offer.needs === undefined ? offer : { ...offer, needs }));
    const desired = { ...desiredEngine("28.5.2"), names: ["docker-ce"], dependencies: [] };
    const full = { ...desired, followers: followersOf(desired.names) };
    const install = planInstall(full, observedEngine({}, { installed: there }), offers);
    return install === undefined ? "" : formatStep(install).replaceAll("~debian.13~trixie", "");
  };

  it("must pin what the engine's package brings along, and what is installed beside it, at versions that fit", () => {
    assert.equal(alone({}), "install docker-ce=5:28.5.2-1");
    assert.equal(
      alone({}, { "containerd.io": "1.7.27", "docker-ce-cli": "0" }),
      "install docker-ce=5:28.5.2-1 docker-ce-cli=5:28.5.2-1 containerd.io=1.7.28-2",
    );
    assert.equal(
      alone({ "docker-ce": "5:27.0.1-1", [EXTRAS]: "5:27.0.1-1" }),
      `install docker-ce=5:28.5.2-1 ${EXTRAS}=5:28.5.2-1`,
    );
  });

  it("must take parts of an engine away that cannot stay beside it", () => {
    const desired = { ...desiredEngine("28.5.2"), names: ["docker-ce"], dependencies: [] };
    const there = { installed: { containerd: "1.7.24-1" } };
    const install = planInstall(desired, observedEngine({}, there), OFFERS, ["containerd"]);
    assert.deepEqual(install?.remove, ["containerd"]);
  });

  it("must go without a companion that nobody offers", () => {
    const offers = OFFERS.filter(({ name }) => name !== "docker-buildx-plugin");
    assert.doesNotMatch(installed("28.5.2", {}, offers), /buildx/);
  });
});
