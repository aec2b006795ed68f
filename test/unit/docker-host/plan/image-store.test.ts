import assert from "node:assert/strict";
import { type ImageStore, imageStoreOf } from "../../../../provider/docker-host/plan/image-store";
import { planEngine } from "../../../../provider/docker-host/plan/plan";
import { desiredEngine, observedEngine, runningDaemon } from "../../../support/observed-engine";

const CONTAINERD: ImageStore = { kind: "containerd" };
const graph = (driver: string): ImageStore => ({ kind: "graph driver", driver });
const asked = { features: { "containerd-snapshotter": true } };
const refused = { features: { "containerd-snapshotter": false } };

/** Version, daemon.json, the store of now, the store after: moby's image_store_choice and its list of removed drivers. */
const TABLE: readonly (readonly [string, object, ImageStore, string])[] = [
  ["28.5.2", {}, graph("overlay2"), "overlay2"],
  ["29.0.0", {}, graph("overlay2"), "overlay2"],
  ["29.1.3", {}, graph("btrfs"), "btrfs"],
  ["29.1.3", {}, CONTAINERD, "containerd"],
  ["29.1.3", asked, graph("overlay2"), "containerd"],
  ["29.1.3", refused, graph("overlay2"), "overlay2"],
  ["29.1.3", refused, CONTAINERD, "overlay2"],
  ["29.1.3", { "storage-driver": "overlay2" }, CONTAINERD, "overlay2"],
  ["29.1.3", { "storage-driver": "overlayfs" }, CONTAINERD, "containerd"],
  ["29.1.3", { "storage-driver": "stargz" }, CONTAINERD, "containerd"],
  ["29.1.3", { "storage-driver": "vfs" }, graph("overlay2"), "vfs"],
  ["28.5.2", {}, CONTAINERD, "overlay2"],
  ["28.5.2", asked, CONTAINERD, "containerd"],
  ["24.0.9", asked, CONTAINERD, "containerd"],
  ["20.10.24", asked, CONTAINERD, "overlay2"],
  ["20.10.24", {}, graph("overlay2"), "overlay2"],
  ["20.10.24", {}, graph("aufs"), "aufs"],
  ["23.0.6", {}, graph("aufs"), "23.0.6 takes the storage driver aufs only when daemon.json names it"],
  ["23.0.6", { "storage-driver": "aufs" }, graph("aufs"), "aufs"],
  ["24.0.0", {}, graph("aufs"), "24.0.0 has no storage driver aufs any more"],
  [
    "24.0.0",
    { "storage-driver": "overlay" },
    graph("overlay"),
    "24.0.0 has no storage driver overlay any more",
  ],
  ["24.0.9", { "storage-driver": "devicemapper" }, graph("devicemapper"), "devicemapper"],
  ["25.0.0", {}, graph("devicemapper"), "25.0.0 has no storage driver devicemapper any more"],
  ["29.1.3", {}, graph("devicemapper"), "29.1.3 has no storage driver devicemapper any more"],
];

describe("the image store that an engine starts with", () => {
  for (const [version, config, now, expected] of TABLE) {
    const before = now.kind === "graph driver" ? now.driver : now.kind;
    it(`must be ${expected}: ${version} over ${before} with ${JSON.stringify(config)}`, () => {
      const after = imageStoreOf(version, { ...config }, now);
      assert.equal(
        after.kind === "none" ? after.why : after.kind === "containerd" ? "containerd" : after.driver,
        expected,
      );
    });
  }
});

describe("planEngine, of another image store", () => {
  const over = (version: string, daemon: object) => {
    const running = runningDaemon(version, ["c1"]);
    const summary = { ...running.summary, storageDriver: "overlayfs" };
    return observedEngine(
      {
        daemon: { ...running, imageStore: "containerd", images: 2, summary, ...daemon },
        daemonConfig: { "live-restore": true },
      },
      { installed: { "docker.io": version, "docker-cli": version } },
    );
  };
  const OFFERS = ["29.1.3-1", "28.5.2-1"].map((version) => ({ name: "docker.io", version }));

  it("must refuse to go back behind 29 where the containerd store has something, and say how to keep it", () => {
    assert.throws(() => planEngine(desiredEngine("28.x"), over("29.1.3", {}), OFFERS), {
      code: "engine-store-changes",
      message:
        /^going from Docker 29\.1\.3 to 28\.5\.2 on root@h:22: 1 containers and 2 images are in the store of containerd.*overlay2.*29\.1\.3 goes on running.*containerd-snapshotter/,
    });
  });

  it("must know an exact version before anybody is asked for offers", () => {
    assert.throws(() => planEngine(desiredEngine("28.5.2"), over("29.1.3", {})), {
      code: "engine-store-changes",
    });
  });

  it("must go back where nothing is there to be lost, or where daemon.json keeps the store", () => {
    assert.ok(
      planEngine(desiredEngine("28.x"), over("29.1.3", { images: 0, containers: 0 }), OFFERS).length > 0,
    );
    const kept = desiredEngine("28.x", { daemonConfig: { "live-restore": true, ...asked } });
    assert.ok(planEngine(kept, over("29.1.3", {}), OFFERS).length > 0);
  });

  it("must refuse a daemonConfig that hides what is there", () => {
    const other = desiredEngine("29.x", {
      daemonConfig: { "live-restore": true, "storage-driver": "overlay2" },
    });
    assert.throws(() => planEngine(other, over("29.1.3", {}), OFFERS), { code: "engine-store-changes" });
  });

  it("must go up to 29 over a graph driver, which goes on there", () => {
    const observed = over("28.5.2", { imageStore: "graph driver", summary: runningDaemon("28.5.2").summary });
    assert.match(planEngine(desiredEngine("29.x"), observed, OFFERS)[0]?.kind ?? "", /install/);
  });
});
