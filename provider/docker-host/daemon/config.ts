import { canonicalJson, isObject } from "../../values";

/** The content of daemon.json, or the part of it that the program sets. */
export type DaemonConfig = Readonly<Record<string, unknown>>;

/** Where every Docker of a Linux package reads its configuration. */
export const DAEMON_CONFIG_PATH = "/etc/docker/daemon.json";

/** What the daemon takes over on SIGHUP (dockerd's own documentation); everything else needs a restart. */
const RELOADABLE: ReadonlySet<string> = new Set([
  "allow-nondistributable-artifacts",
  "authorization-plugins",
  "debug",
  "default-runtime",
  "features",
  "insecure-registries",
  "labels",
  "live-restore",
  "max-concurrent-downloads",
  "max-concurrent-uploads",
  "max-download-attempts",
  "registry-mirrors",
  "runtimes",
  "shutdown-timeout",
]);

/**
 * The host's configuration with the wished one in it. Keys that others wrote stay; a key that `former` (what the program
 * set the last time) holds and `wish` no longer does goes, unless somebody else has changed it since.
 */
export function mergeDaemonConfig(
  current: DaemonConfig,
  wish: DaemonConfig,
  former: DaemonConfig = {},
): DaemonConfig {
  const merged: Record<string, unknown> = { ...current };
  for (const [key, value] of Object.entries(former)) {
    if (key in wish) continue;
    const there = merged[key];
    if (isObject(there) && isObject(value)) {
      const rest = mergeDaemonConfig(there, {}, value);
      if (Object.keys(rest).length > 0) merged[key] = rest;
      else Reflect.deleteProperty(merged, key);
    } else if (canonicalJson(there) === canonicalJson(value)) Reflect.deleteProperty(merged, key);
  }
  for (const [key, value] of Object.entries(wish)) {
    const there = merged[key];
    const before = former[key];
    merged[key] =
      isObject(there) && isObject(value)
        ? mergeDaemonConfig(there, value, isObject(before) ? before : {})
        : value;
  }
  return merged;
}

/** The top-level keys whose values differ, sorted. */
export function changedKeys(before: DaemonConfig, after: DaemonConfig): readonly string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => canonicalJson(before[key]) !== canonicalJson(after[key])).sort();
}

/** Those of the changed keys that the running daemon does not take over without a restart. */
export function keysThatRestart(before: DaemonConfig, after: DaemonConfig): readonly string[] {
  return changedKeys(before, after).filter((key) =>
    key === "features" ? asksForSnapshotter(before) !== asksForSnapshotter(after) : !RELOADABLE.has(key),
  );
}

/** The one feature that chooses the image store, which an engine does once, when it starts. */
function asksForSnapshotter({ features }: DaemonConfig): unknown {
  return isObject(features) ? features["containerd-snapshotter"] : undefined;
}

/** daemon.json as text; undefined when it is not a JSON object. An empty file is an empty configuration. */
export function parseDaemonConfig(text: string): DaemonConfig | undefined {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // the caller says which file of which host it was
  }
}

/** Whether an address in it has a password (`http://user:password@proxy`), which is for root alone. */
export function carriesPassword(value: unknown): boolean {
  if (typeof value === "string") return /^[a-z][a-z0-9+.-]*:\/\/[^\s/@]*:[^\s/]*@/i.test(value);
  return typeof value === "object" && value !== null && Object.values(value).some(carriesPassword);
}

/** daemon.json as it is written: two spaces, a line feed at its end. */
export function formatDaemonConfig(config: DaemonConfig): string {
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
