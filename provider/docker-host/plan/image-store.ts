import semver from "semver";
import { SlipwayError } from "../../errors";
import { isObject } from "../../values";
import type { DaemonConfig } from "../daemon/config";
import type { ObservedEngine, RunningDaemon } from "../look/observed";
import { upstreamOf } from "../packages/version";

/** Where an engine keeps images and the files of containers. A store shows only what was put into it itself. */
export type ImageStore =
  | { readonly kind: "containerd" }
  /** `driver` as daemon.json and `docker info` name it: `overlay2`. */
  | { readonly kind: "graph driver"; readonly driver: string }
  /** The engine does not start with what daemon.json or the host has. */
  | { readonly kind: "none"; readonly why: string };

/** The drivers that engines of today still have. Another name is one of containerd's, from 29 on. */
const GRAPH_DRIVERS: readonly string[] = ["overlay2", "fuse-overlayfs", "btrfs", "zfs", "vfs"];
/** Where a driver is gone, and from where on it is taken only when daemon.json names it. */
const DEPRECATED: Readonly<Record<string, { readonly named: string; readonly gone: string }>> = {
  aufs: { named: "23.0.0", gone: "24.0.0" },
  overlay: { named: "23.0.0", gone: "24.0.0" },
  devicemapper: { named: "23.0.0", gone: "25.0.0" },
};
/** The first engine that takes the containerd store when asked, and the first that does so by itself. */
const CONTAINERD_ON_REQUEST = "24.0.0";
const CONTAINERD_BY_DEFAULT = "29.0.0";

/**
 * The store that an engine of this version starts with, over what the host has now (moby's own rules). By itself an engine
 * of 29 takes the containerd store only where no graph driver has anything.
 */
export function imageStoreOf(version: string, config: DaemonConfig, now: ImageStore): ImageStore {
  const { features, "storage-driver": named } = config;
  const asked = isObject(features) ? features["containerd-snapshotter"] : undefined;
  const isNamed = typeof named === "string" && named !== "";
  if (asked === true && semver.gte(version, CONTAINERD_ON_REQUEST)) return { kind: "containerd" };
  const byItself = semver.gte(version, CONTAINERD_BY_DEFAULT) && asked !== false;
  if (byItself && isNamed && !GRAPH_DRIVERS.includes(named) && DEPRECATED[named] === undefined) {
    return { kind: "containerd" };
  }
  if (byItself && !isNamed && now.kind !== "graph driver") return { kind: "containerd" };
  const driver = isNamed ? named : now.kind === "graph driver" ? now.driver : "overlay2";
  return graphDriver(driver, version, isNamed);
}

function graphDriver(driver: string, version: string, isNamed: boolean): ImageStore {
  const deprecated = DEPRECATED[driver];
  if (deprecated !== undefined && semver.gte(version, deprecated.gone)) {
    return { kind: "none", why: `${version} has no storage driver ${driver} any more` };
  }
  if (deprecated !== undefined && semver.gte(version, deprecated.named) && !isNamed) {
    return {
      kind: "none",
      why: `${version} takes the storage driver ${driver} only when daemon.json names it`,
    };
  }
  return { kind: "graph driver", driver };
}

/** The store of the daemon that runs. */
export function storeOf({ imageStore, summary }: RunningDaemon): ImageStore {
  return imageStore === "containerd"
    ? { kind: "containerd" }
    : { kind: "graph driver", driver: summary.storageDriver };
}

/**
 * Refuses a change after which images and containers would not be seen any more. An empty host may change its store.
 * @throws SlipwayError engine-store-changes
 */
export function refuseOtherStore(observed: ObservedEngine, version: string, config: DaemonConfig): void {
  const { daemon, target } = observed;
  const upstream = upstreamOf(version);
  if (daemon === undefined || upstream === undefined) return;
  if (daemon.images === 0 && daemon.containers === 0) return;
  const now = storeOf(daemon);
  const after = imageStoreOf(upstream, config, now);
  if (describe(now) === describe(after)) return;
  const has = `${daemon.containers} containers and ${daemon.images} images`;
  const running = upstreamOf(daemon.version) ?? daemon.version;
  throw new SlipwayError({
    code: "engine-store-changes",
    what: `going from Docker ${running} to ${upstream}`,
    host: target,
    why:
      after.kind === "none"
        ? `${after.why}, and ${has} are in it`
        : `${has} are in the store of ${describe(now)}, and it would start with that of ${describe(after)}, which does not show them`,
    left: `Docker ${running} goes on running, nothing was changed`,
    next: nextStep(now, upstream),
  });
}

function describe(store: ImageStore): string {
  if (store.kind === "graph driver") return store.driver;
  return store.kind === "containerd" ? "containerd" : "";
}

function nextStep(now: ImageStore, version: string): string {
  const empty =
    "Save what you need (`docker save`), remove containers and images on the host, then run pulumi up again";
  if (now.kind === "containerd" && semver.gte(version, CONTAINERD_ON_REQUEST)) {
    return `Set daemonConfig: { features: { "containerd-snapshotter": true } } to keep the store. Or: ${empty}`;
  }
  return empty;
}
