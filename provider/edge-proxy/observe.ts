import type Docker from "dockerode";
import type { Clock } from "../clock";
import { engineStatus } from "../container/engine-status";
import { inTime, LOOK_MS } from "../container/in-time";
import { observeContainer } from "../container/inspect";
import { LABEL } from "../container/labels";
import type { ObservedContainer } from "../container/observed";
import { observePortTakers, type PortTaker } from "../container/port-takers";
import { machineIdOf } from "../host/machine/machine-id";
import type { HostSession } from "../host/session";
import { isObject } from "../values";
import { observeProxy } from "../proxy/change";
import type { ObservedProxy } from "../proxy/observed";
import type { ObservedSwitch } from "../switch/observed-switch";
import { observeSwitch } from "../switch/observe-switch";
import type { Desired } from "./desired";

/** The host of a proxy, open for a run. */
export interface ProxyAccess {
  readonly session: HostSession;
  readonly docker: Docker;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A proxy's host at the time of looking; plans rest on it alone. */
export interface ProxyFound {
  readonly target: string;
  /** Empty text where the machine has none. */
  readonly machineId: string;
  readonly live: ObservedContainer | undefined;
  /** The one that is to take its place, left by a run that was cut off. */
  readonly candidate: ObservedContainer | undefined;
  /** The one that serves while they change places; likewise. */
  readonly copy: ObservedContainer | undefined;
  /** What the host has of an exchange, and for one. */
  readonly exchange: ObservedSwitch;
  /** Undefined: there is no folder. */
  readonly folder: ObservedProxy | undefined;
  readonly network: { readonly id: string; readonly owned: boolean; readonly inUse: boolean } | undefined;
  /** Undefined: the image has to be pulled. */
  readonly imageId: string | undefined;
  readonly portTakers: readonly PortTaker[];
}

/** The container that is to take a proxy's place. */
export function candidateOf(name: string): string {
  return `${name}.next`;
}

/** The container that serves on behalf of both while they change places. */
export function copyOf(name: string): string {
  return `${name}.try`;
}

/**
 * Reads the host, once.
 * @throws SlipwayError engine-unreachable when the engine does not answer
 */
export function observeHost(access: ProxyAccess, desired: Desired): Promise<ProxyFound> {
  return inTime(access, `looking at the proxy "${desired.name}"`, LOOK_MS, (signal) =>
    observe({ ...access, signal }, desired),
  );
}

async function observe({ session, docker, signal }: ProxyAccess, desired: Desired): Promise<ProxyFound> {
  const { name, network, image, ports } = desired;
  const published = ports.map((port) => ({ container: port, host: port, protocol: "tcp" as const }));
  const [live, candidate, copy, exchange, folder, foundNetwork, imageId, portTakers, facts] =
    await Promise.all([
      observeContainer(docker, name),
      observeContainer(docker, candidateOf(name)),
      observeContainer(docker, copyOf(name)),
      observeSwitch(session, name, signal),
      observeProxy({ session, signal }, name),
      observeNetwork(docker, network),
      observeImage(docker, image),
      observePortTakers(session, docker, published, signal),
      session.facts({ signal }),
    ]);
  // the engine takes the beginning of an id for a name, too
  const named = (container: ObservedContainer | undefined, wanted: string) =>
    container?.name === wanted ? container : undefined;
  return {
    target: session.target,
    machineId: machineIdOf(facts),
    live: named(live, name),
    candidate: named(candidate, candidateOf(name)),
    copy: named(copy, copyOf(name)),
    exchange,
    folder,
    network: foundNetwork,
    imageId,
    portTakers,
  };
}

/** The id of an image on the host; undefined when it is not there. */
export async function observeImage(docker: Docker, reference: string): Promise<string | undefined> {
  return orAbsent(async () => (await docker.getImage(reference).inspect()).Id);
}

async function observeNetwork(docker: Docker, name: string): Promise<ProxyFound["network"]> {
  return orAbsent(async () => {
    const raw: unknown = await docker.getNetwork(name).inspect();
    if (!isObject(raw) || raw.Name !== name || typeof raw.Id !== "string") return undefined;
    const labels = isObject(raw.Labels) ? raw.Labels : {};
    const owned = labels[LABEL.proxy] !== undefined || labels[LABEL.service] !== undefined;
    const inside = await docker.listContainers({ all: true, filters: { network: [name] } });
    return { id: raw.Id, owned, inUse: inside.length > 0 };
  });
}

async function orAbsent<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (engineStatus(error) === 404) return undefined;
    throw error;
  }
}
