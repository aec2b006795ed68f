import { isObject } from "../../values";
import type { DaemonConfig } from "./config";

/**
 * What a running daemon says of its own configuration, by daemon.json's keys. A key that it does not tell is not there, and neither
 * is what it may write in another way than it was given.
 */
export type DaemonSettings = Readonly<Record<string, boolean | string | readonly string[]>>;

/** Reads them out of `docker info`. */
export function settingsOf(info: Readonly<Record<string, unknown>>): DaemonSettings {
  const registry = isObject(info.RegistryConfig) ? info.RegistryConfig : undefined;
  const indexes = isObject(registry?.IndexConfigs) ? Object.entries(registry.IndexConfigs) : undefined;
  const insecure = indexes?.filter(([, index]) => isObject(index) && index.Secure === false);
  const told: Readonly<Record<string, unknown>> = {
    debug: info.Debug,
    "live-restore": info.LiveRestoreEnabled,
    "default-runtime": info.DefaultRuntime,
    runtimes: isObject(info.Runtimes) ? Object.keys(info.Runtimes) : undefined,
    // no labels are null to Go
    labels: info.Labels === null ? [] : info.Labels,
    "registry-mirrors": registry === undefined ? undefined : (registry.Mirrors ?? []),
    "insecure-registries": insecure?.map(([name]) => name),
  };
  return Object.fromEntries(Object.entries(told).filter(isTold));
}

function isTold(entry: readonly [string, unknown]): entry is [string, DaemonSettings[string]] {
  const [, value] = entry;
  if (Array.isArray(value)) return value.every((each) => typeof each === "string");
  return typeof value === "boolean" || (typeof value === "string" && value !== "");
}

/** The keys of a daemon.json that the daemon goes on without, sorted. Of what it does not tell nothing is known. */
export function keysNotInForce(config: DaemonConfig, settings: DaemonSettings): readonly string[] {
  return Object.keys(config)
    .filter((key) => isInForce(config[key], key, settings[key]) === false)
    .sort();
}

/** Those of the keys that a daemon does not tell, sorted. */
export function keysNotTold(config: DaemonConfig, settings: DaemonSettings): readonly string[] {
  return Object.keys(config)
    .filter((key) => isInForce(config[key], key, settings[key]) === undefined)
    .sort();
}

/** An address of a network, or one with a scheme, is told in another form. */
const PLAIN_REGISTRY = /^[a-z0-9.-]+(:\d+)?$/i;

function isInForce(
  wanted: unknown,
  key: string,
  told: DaemonSettings[string] | undefined,
): boolean | undefined {
  if (told === undefined) return undefined;
  if (typeof told !== "object") return typeof wanted === typeof told ? wanted === told : undefined;
  const words: readonly unknown[] = isObject(wanted)
    ? Object.keys(wanted)
    : Array.isArray(wanted)
      ? wanted
      : [undefined];
  const isPlain = (word: unknown): word is string =>
    typeof word === "string" && (key !== "insecure-registries" || PLAIN_REGISTRY.test(word));
  if (!words.every(isPlain)) return undefined;
  const there = new Set(told.map(comparable));
  return words.every((word) => there.has(comparable(word)));
}

/** A mirror is told with a slash behind it. */
function comparable(word: string): string {
  return word.replace(/\/+$/, "").toLowerCase();
}
