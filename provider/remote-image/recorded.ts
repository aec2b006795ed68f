import type { Properties } from "../handler";
import { type Connection, targetOf } from "../host/connection";
import { recordedHosts } from "../host/connection-fields";
import { machineIdsFrom } from "../host/machine/machine-id";
import { isObject } from "../values";
import type { BuiltImage } from "./images";
import type { Builder } from "./build-job";
import { readSpec } from "./spec";

/** What the outputs of an earlier run say. */
export interface RecordedImage {
  readonly hosts: readonly Connection[];
  readonly name: string;
  readonly ref: string;
  readonly contextHash: string;
  /** Of a context in git. */
  readonly commit: string | undefined;
  /** Whole references. */
  readonly tags: readonly string[];
  /** By target; empty text where a refresh found none. */
  readonly imageIds: Readonly<Record<string, string>>;
  /** By target. */
  readonly hostKeys: Readonly<Record<string, string>>;
  readonly builder: Builder | undefined;
  /** Undefined when it was not pushed. */
  readonly repoDigest: string | undefined;
  readonly keepImages: number;
  readonly keepOnDelete: boolean;
  readonly abandonUnreachable: boolean;
}

/** What one host has. */
export interface ImageOnHost {
  readonly connection: Connection;
  readonly hostKey: string;
  /** Empty text where the machine has none. */
  readonly machineId: string;
  /** Undefined: it is not there. */
  readonly image: BuiltImage | undefined;
  /** Undefined when nothing was built in this run. */
  readonly builder: Builder | undefined;
  /** Undefined when nothing was pushed from it in this run. */
  readonly repoDigest?: string | undefined;
}

/** Reads outputs, of this or an earlier release. */
export function readRecorded(outputs: Properties): RecordedImage {
  const hosts = recordedHosts(outputs);
  const spec = readSpec(outputs);
  const ids = outputs.imageId;
  const first = hosts[0];
  const single = typeof ids === "string" && first !== undefined ? { [targetOf(first)]: ids } : {};
  return {
    hosts,
    name: text(outputs.name),
    ref: text(outputs.ref),
    contextHash: text(outputs.contextHash),
    commit: typeof outputs.commit === "string" ? outputs.commit : undefined,
    tags: spec.tags,
    imageIds: isObject(ids) ? texts(ids) : single,
    hostKeys: isObject(outputs.hostKeys) ? texts(outputs.hostKeys) : {},
    builder: outputs.builder === "buildkit" || outputs.builder === "classic" ? outputs.builder : undefined,
    repoDigest:
      typeof outputs.repoDigest === "string" && outputs.push === true ? outputs.repoDigest : undefined,
    keepImages: spec.keepImages,
    keepOnDelete: outputs.keepOnDelete === true,
    abandonUnreachable: outputs.abandonUnreachable === true,
  };
}

/** Outputs for what the hosts have now. A host without the image has the id "", which diff takes for drift. */
export function imageOutputs(
  inputs: Properties,
  found: readonly ImageOnHost[],
  recorded: Partial<Pick<RecordedImage, "builder" | "repoDigest">> = {},
): Properties {
  const ids = Object.fromEntries(found.map((host) => [targetOf(host.connection), host.image?.id ?? ""]));
  const several = found.length > 1;
  const image = found.find((host) => host.image !== undefined)?.image;
  const pushed = found.find((host) => host.repoDigest !== undefined)?.repoDigest ?? recorded.repoDigest;
  return {
    ...inputs,
    ...(pushed === undefined ? {} : { repoDigest: pushed }),
    imageId: several ? ids : (Object.values(ids)[0] ?? ""),
    size: image?.size ?? 0,
    createdAt: image?.createdAt ?? "",
    architecture: image?.architecture ?? "",
    layers: image?.layers ?? 0,
    // an argument keeps its value, or every diff would show it
    builder:
      inputs.builder ?? found.find((host) => host.builder !== undefined)?.builder ?? recorded.builder ?? "",
    targets: found.map((host) => targetOf(host.connection)),
    hostKeys: withoutEmpty(
      Object.fromEntries(found.map((host) => [targetOf(host.connection), host.hostKey])),
    ),
    machineIds: machineIdsFrom(found.map(({ connection, machineId }) => [targetOf(connection), machineId])),
  };
}

/** Without the empty texts: a host that could not be reached has shown no key. */
export function withoutEmpty(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function texts(values: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, text(value)]));
}
