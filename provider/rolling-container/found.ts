import type { ContainerCreateOptions } from "dockerode";
import { LABEL } from "../container/labels";
import type { Limits } from "../container/limits";
import type { ObservedContainer } from "../container/observed";
import type { PortTaker } from "../container/port-takers";
import type { ObservedRoute } from "../proxy/observed";
import type { ObservedSwitch } from "../switch/observed-switch";
import type { RoutePlace } from "./route-operation";

/** A container under one of a service's names. */
export interface Found extends ObservedContainer {
  readonly limits: Limits;
  /** Undefined when it is ours; else whose it is, in words. */
  readonly foreign: string | undefined;
  /** How long it may take to stop; undefined where the engine's default holds. */
  readonly stopTimeoutMs?: number;
  /** What another one just like it is created from, but for its ports. Holds secrets. */
  readonly likeIt?: ContainerCreateOptions;
}

/** What stands in one replica's place. */
export interface SlotFound {
  readonly slot: number;
  readonly live: Found | undefined;
  readonly candidate: Found | undefined;
  readonly copy: Found | undefined;
  /** Ours only, the one that ran last first. */
  readonly kept: readonly Found[];
  /** What fills volumes and runs tasks, and is there only while a run lasts. */
  readonly helpers?: readonly Found[];
  /** Ours, under a name that is no place: somebody renamed them by hand. */
  readonly strays?: readonly Found[];
  /** Not ours, under names that kept ones may want. */
  readonly taken?: readonly Found[];
}

/** A service as it stands on one host. */
export interface ServiceFound {
  readonly service: string;
  /** Those in which something stands, by number. */
  readonly slots: readonly SlotFound[];
}

/** One host as it was at the time of looking; plans rest on it alone. */
export interface HostFound {
  /** `user@address:port`. */
  readonly target: string;
  readonly service: ServiceFound;
  /** The service under the name that it had before. */
  readonly former: ServiceFound | undefined;
  readonly networks: readonly { readonly name: string; readonly owned: boolean }[];
  readonly volumes: readonly string[];
  /** Tags that spare kept revisions' images. */
  readonly keptTags: readonly string[];
  readonly portTakers: readonly PortTaker[];
  /** What the host has of a switch, and for one, by the live name; undefined where nobody asked. */
  readonly switches?: Readonly<Record<string, ObservedSwitch>>;
  /** The routes that lead here, or did, as their proxies have them; undefined where none is wanted or recorded. */
  readonly routes?: readonly FoundRoute[];
}

/** A route of a service on one proxy of a host. */
export interface FoundRoute {
  readonly place: RoutePlace;
  /** How long what its containers have may go on. */
  readonly drainTimeoutMs: number;
  readonly route: ObservedRoute;
}

/** True while the program exchanges containers: nobody may act beside it. One that is stuck only watches its rules. */
export function isAtWork({ program }: ObservedSwitch): boolean {
  return program !== undefined && program.phase !== "stuck";
}

/** True when something of a switch is left on the host: rules, a program, or what one that died left. */
export function isUnsettled({ program, unfinished, rules }: ObservedSwitch): boolean {
  return program !== undefined || unfinished !== undefined || rules > 0;
}

/** True while its processes are there, and its ports taken, whether it serves or not. */
export function isUp({ state }: Found): boolean {
  return state === "running" || state === "restarting" || state === "paused";
}

export function emptySlot(slot: number): SlotFound {
  return { slot, live: undefined, candidate: undefined, copy: undefined, kept: [] };
}

export function slotOf(found: ServiceFound | undefined, slot: number): SlotFound {
  return found?.slots.find((each) => each.slot === slot) ?? emptySlot(slot);
}

/** Who has a slot's place before a rollout: its live one, or ours under the name that the service had. */
export function previousIn(
  { service, former }: Pick<HostFound, "service" | "former">,
  slot: number,
): Found | undefined {
  const { live } = slotOf(service, slot);
  const before = slotOf(former, slot).live;
  return live ?? (before?.foreign === undefined ? before : undefined);
}

/** The revision that a container carries; a container that is not ours goes by the beginning of its id. */
export function revisionIn(container: Found): string {
  return container.labels[LABEL.revision] ?? container.id.slice(0, 8);
}

/** All containers of a slot, but for those that only have a name of it. */
export function containersOf(slot: SlotFound): readonly Found[] {
  const { live, candidate, copy, kept, helpers = [], strays = [] } = slot;
  return [live, candidate, copy, ...kept, ...helpers, ...strays].filter((each) => each !== undefined);
}
