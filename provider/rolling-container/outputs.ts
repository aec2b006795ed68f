import { liveName } from "../container/names";
import { publishedPorts } from "../container/spec";
import type { Properties } from "../handler";
import type { HealthStatus, ObservedPort } from "../container/observed";
import { routeUrl } from "../proxy/route";
import { isObject } from "../values";
import { containersOf, type Found, type HostFound, revisionIn, slotOf } from "./found";
import type { Wanted } from "./inputs";

/** How the last rollout went; stays as it is until there is another. */
export interface RolloutSummary {
  readonly revision: string;
  readonly from?: string;
  readonly switch: string;
  readonly durationMs: number;
  readonly gapMs: number;
  readonly operations: readonly string[];
}

/** One container as the state has it; `missing` when none stands in its place. */
export interface RecordedContainer {
  readonly host: string;
  readonly name: string;
  readonly slot: number;
  readonly id: string;
  readonly imageId: string;
  readonly state: string;
  readonly health: HealthStatus;
  readonly address?: string;
  readonly ports: readonly ObservedPort[];
}

/** What stands in each place of a service, in the order of hosts and slots. */
export function recordContainers(
  found: readonly HostFound[],
  service: string,
  replicas: number,
  healthOf: (container: Found) => HealthStatus,
): readonly RecordedContainer[] {
  return found.flatMap((host) =>
    Array.from({ length: replicas }, (_, index) => {
      const slot = index + 1;
      const { live } = slotOf(host.service, slot);
      const place = { host: host.target, name: liveName(service, slot), slot };
      if (live === undefined || live.foreign !== undefined) {
        return { ...place, id: "", imageId: "", state: "missing", health: "none" as const, ports: [] };
      }
      const { id, imageId, state, address, ports } = live;
      const health = healthOf(live);
      return { ...place, id, imageId, state, health, ...(address ? { address } : {}), ports: [...ports] };
    }),
  );
}

/** The containers of outputs, as far as they read as such. */
export function recordedContainers(outputs: Properties): readonly RecordedContainer[] {
  const list: readonly unknown[] = Array.isArray(outputs.containers) ? outputs.containers : [];
  return list.filter(
    (item): item is RecordedContainer & Record<string, unknown> =>
      isObject(item) && typeof item.id === "string" && typeof item.state === "string",
  );
}

/** By what the state knows containers as ours, whatever the stack is called by now. */
export interface RecordedOwnership {
  /** Ids of live ones. */
  readonly ids: ReadonlySet<string>;
  /** Revisions of kept ones. */
  readonly kept: ReadonlySet<string>;
}

export function recordedOwnership(outputs: Properties): RecordedOwnership {
  const previous: readonly unknown[] = Array.isArray(outputs.previous) ? outputs.previous : [];
  return {
    ids: new Set(recordedContainers(outputs).map(({ id }) => id)),
    kept: new Set(previous.filter((revision) => typeof revision === "string")),
  };
}

/** Why the outputs show that the host is not as it should be; undefined when it is. */
export function driftIn(outputs: Properties): string | undefined {
  const none = Array.isArray(outputs.containers) && outputs.containers.length === 0;
  if (none) return "what an interrupted run left on the hosts is not known";
  const settled = new Set(["running", "restarting"]);
  const off = recordedContainers(outputs).find(({ state }) => !settled.has(state));
  if (off !== undefined) return `${off.name} on ${off.host} is ${off.state}`;
  const others: readonly unknown[] = Array.isArray(outputs.drift) ? outputs.drift : [];
  const [first] = others;
  return typeof first === "string" ? first : undefined;
}

/** Revisions that are kept, the last one first; each once. */
export function previousRevisions(found: readonly HostFound[]): readonly string[] {
  const kept = found.flatMap(({ service }) => service.slots.flatMap((slot) => slot.kept.map(revisionIn)));
  return [...new Set(kept)];
}

/** Revisions that the state knows as kept, and that stand nowhere any more. */
export function goneRevisions(
  found: readonly HostFound[],
  { kept }: Pick<RecordedOwnership, "kept">,
): readonly string[] {
  const all = found.flatMap(({ service, former }) => [...service.slots, ...(former?.slots ?? [])]);
  const there = new Set(all.flatMap(containersOf).map(revisionIn));
  return [...kept].filter((revision) => !there.has(revision));
}

/** The route's address, else `http://<address of the first host>:<its first published port>`; addresses as the program gave them. */
export function urlOf(wanted: Pick<Wanted, "hosts" | "spec" | "route">): string | undefined {
  if (wanted.route !== undefined) return routeUrl(wanted.route);
  const port = publishedPorts(wanted.spec).find(({ protocol }) => protocol === "tcp");
  const host = wanted.hosts[0]?.host;
  if (port === undefined || host === undefined) return undefined;
  const address = host.includes(":") ? `[${host}]` : host;
  return port.host === 80 ? `http://${address}` : `http://${address}:${port.host}`;
}
