import { isIPv6 } from "node:net";
import type Docker from "dockerode";
import { engineStatus } from "../container/engine-status";
import { parseInspect } from "../container/inspect";
import { LABEL } from "../container/labels";
import { copyName, keptName, liveName, lockName } from "../container/names";
import { optionsLike } from "../container/like-it";
import { parseLimits } from "../container/limits";
import type { PublishedPort } from "../container/spec";
import type { HostSession } from "../host/session";
import { isObject } from "../values";
import { emptySlot, type Found, type HostFound, type ServiceFound, type SlotFound } from "./found";
import type { RecordedOwnership } from "./outputs";
import { observePortTakers } from "../container/port-takers";
import { observeRoutes, type RouteLook } from "./observe-routes";
import { observeSwitches, type ReadySwitchLooks } from "./observe-switches";
import { parseContainerName } from "./slot-name";

/** What to look for, and by what a container of ours is known. */
export interface ObserveOptions {
  readonly service: string;
  /** The service's name before, when it changed. */
  readonly former?: string | undefined;
  /** `project/stack`. */
  readonly stack: string;
  /** What the state knows: ours whatever the stack is called by now. */
  readonly recorded: RecordedOwnership;
  /** Ports of the host whose holders are wanted. */
  readonly ports: readonly PublishedPort[];
  /** Names that containers of the service have in all likelihood: saves a round trip. @default none */
  readonly likely?: readonly string[];
  /** Live names whose switches are wanted; undefined: neither those nor the networks. */
  readonly switches?: readonly string[];
  readonly readyLooks?: ReadySwitchLooks | undefined;
  /** Routes that are wanted, or recorded. @default none */
  readonly routes?: readonly RouteLook[];
  readonly signal: AbortSignal;
}

/** Reads one host, once: everything that plans rest on. */
export async function observeHost(session: HostSession, options: ObserveOptions): Promise<HostFound> {
  const docker = await session.docker(options.signal);
  const observing = observeService(docker, options.service, options, options.likely);
  // a rollout that is tidied up needs no network any more
  const listing = options.switches === undefined ? Promise.resolve([]) : docker.listNetworks();
  const [service, former, networks, volumes, images, portTakers, switches, routes] = await Promise.all([
    observing,
    options.former === undefined ? undefined : observeService(docker, options.former, options),
    listing,
    docker.listVolumes(),
    docker.listImages({ filters: { reference: ["slipway/kept"] } }),
    observing.then((seen) =>
      observePortTakers(session, docker, portsInDoubt(options.ports, seen), options.signal),
    ),
    observeSwitches(session, options.switches ?? [], options.signal, listing, options.readyLooks),
    observeRoutes({ session, signal: options.signal }, options.routes ?? []),
  ]);
  return {
    target: session.target,
    service,
    former,
    networks: networks.map(({ Name, Labels }) => ({ name: Name, owned: ownedLabels(Labels) })),
    volumes: volumes.Volumes.map(({ Name }) => Name),
    keptTags: images.flatMap(({ RepoTags }) => RepoTags ?? []),
    portTakers,
    switches,
    routes,
  };
}

/** What a running container of ours publishes nobody else holds. */
function portsInDoubt(ports: readonly PublishedPort[], { slots }: ServiceFound): readonly PublishedPort[] {
  const ours = slots.flatMap(({ live }) =>
    live?.foreign === undefined && live?.state === "running" ? live.ports : [],
  );
  return ports.filter(
    (port) =>
      !ours.some(
        ({ host, protocol, hostIp }) =>
          host === port.host && protocol === port.protocol && covers(hostIp, port.hostIp ?? ""),
      ),
  );
}

/** True where whoever listens at `held` has all that `wanted` asks for. */
function covers(held: string, wanted: string): boolean {
  return held === wanted || (isAny(held) && (isAny(wanted) || !isIPv6(wanted)));
}

function isAny(address: string): boolean {
  return address === "" || address === "0.0.0.0" || address === "::";
}

/**
 * Every container that carries the service's label or stands under one of its names. `likely`: names that some of them have,
 * which saves a round trip.
 */
export async function observeService(
  docker: Docker,
  service: string,
  owner: Pick<ObserveOptions, "stack" | "recorded">,
  likely: readonly string[] = [],
): Promise<ServiceFound> {
  const [labelled, named, guessed] = await Promise.all([
    docker.listContainers({ all: true, filters: { label: [`${LABEL.service}=${service}`] } }),
    docker.listContainers({ all: true, filters: { name: [`^/${service}(-[0-9]+)?([.].*)?$`] } }),
    // those that are most likely there are not waited for twice
    Promise.all(likely.map((name) => inspect(docker, name))),
  ]);
  // the lock carries the service's label too
  const own = [...labelled, ...named].filter(({ Names }) => !Names.includes(`/${lockName(service)}`));
  const ids = [...new Set(own.map(({ Id }) => Id))];
  const seen = new Map(guessed.map((raw) => [isObject(raw) ? raw.Id : undefined, raw]));
  const inspected = await Promise.all(
    ids.map((id) => (seen.has(id) ? Promise.resolve(seen.get(id)) : inspect(docker, id))),
  );
  const found = inspected
    .filter((raw) => raw !== undefined)
    .map((raw) => {
      const container = parseInspect(raw);
      const foreign = foreignOwner(container, service, owner);
      return {
        ...container,
        limits: parseLimits(raw),
        foreign,
        likeIt: optionsLike(raw),
        ...stopTimeoutIn(raw),
      };
    });
  return { service, slots: slotsFrom(found, service) };
}

/** As many as are asked for without waiting for one another. */
const MOST_LIKELY = 12;

/** The names that containers of a service have when all is well: live ones, and kept ones of the revisions that are known. */
export function likelyNames(
  { service, replicas }: { readonly service: string; readonly replicas: number },
  revisions: readonly string[],
): readonly string[] {
  const slots = Array.from({ length: replicas }, (_, index) => index + 1);
  const kept = revisions.flatMap((revision) => slots.map((slot) => keptName(service, slot, revision)));
  return [...slots.map((slot) => liveName(service, slot)), copyName(service, 1), ...kept].slice(
    0,
    MOST_LIKELY,
  );
}

function stopTimeoutIn(inspect: unknown): { readonly stopTimeoutMs?: number } {
  const config = isObject(inspect) && isObject(inspect.Config) ? inspect.Config : {};
  return typeof config.StopTimeout === "number" ? { stopTimeoutMs: config.StopTimeout * 1_000 } : {};
}

async function inspect(docker: Docker, id: string): Promise<unknown> {
  try {
    return await docker.getContainer(id).inspect();
  } catch (error) {
    if (engineStatus(error) === 404) return undefined;
    throw error;
  }
}

/** Sorts containers into the places that their names say, and ours with an odd name into that of their label. */
export function slotsFrom(containers: readonly Found[], service: string): readonly SlotFound[] {
  const slots = new Map<number, SlotFound>();
  for (const container of containers) {
    const name = parseContainerName(container.name, service);
    if (name === undefined) {
      const number = Number(container.labels[LABEL.slot]);
      if (container.foreign !== undefined || !Number.isInteger(number) || number < 1) continue;
      const slot = slots.get(number) ?? emptySlot(number);
      slots.set(number, { ...slot, strays: [...(slot.strays ?? []), container] });
      continue;
    }
    const slot = slots.get(name.slot) ?? emptySlot(name.slot);
    // `web-2` may be the second place of `web`, or another service of that name: then it is theirs
    if (name.slot > 1 && container.labels[LABEL.service] === container.name) continue;
    if (name.phase === "kept") {
      const { kept, taken = [] } = slot;
      const is =
        container.foreign === undefined ? { kept: [...kept, container] } : { taken: [...taken, container] };
      slots.set(name.slot, { ...slot, ...is });
    } else if (name.phase === "fill" || name.phase === "task") {
      slots.set(name.slot, { ...slot, helpers: [...(slot.helpers ?? []), container] });
    } else slots.set(name.slot, { ...slot, [name.phase]: container });
  }
  const sorted = [...slots.values()].sort((a, b) => a.slot - b.slot);
  return sorted.map((slot) => ({ ...slot, kept: [...slot.kept].sort(lastRunFirst) }));
}

function lastRunFirst(a: Found, b: Found): number {
  return a.startedAt < b.startedAt ? 1 : -1;
}

/** Whose a container is, when it is not ours: no label of the service, or another stack's that we have no record of. */
function foreignOwner(
  container: Pick<Found, "id" | "name" | "labels" | "image">,
  service: string,
  { stack, recorded }: Pick<ObserveOptions, "stack" | "recorded">,
): string | undefined {
  const short = `${container.id.slice(0, 12)}, image ${container.image}`;
  if (container.labels[LABEL.service] !== service) return `a container that Slipway did not make (${short})`;
  const owner = container.labels[LABEL.stack] ?? "";
  if (owner === stack || recorded.ids.has(container.id)) return undefined;
  const kept = parseContainerName(container.name, service)?.phase === "kept";
  if (kept && recorded.kept.has(container.labels[LABEL.revision] ?? "")) return undefined;
  return `the stack ${owner} (${short})`;
}

function ownedLabels(labels: Readonly<Record<string, string>> | undefined): boolean {
  return labels?.[LABEL.service] !== undefined;
}
