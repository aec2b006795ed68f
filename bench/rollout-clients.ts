import type { LabHost } from "../test/lab/lab-host";
import { OTHER_NETWORK, OWN_NETWORK } from "./rollout-host";
import {
  type Load,
  type LoadOptions,
  type LoadReport,
  loadFromContainer,
  loadFromOutside,
} from "./rollout-load";

/** One client's place and what it saw. */
export interface ClientReport extends LoadReport {
  readonly clients: string;
}

/** How many requests a second come, by where from: 200 in all. */
const OUTSIDE_PER_SECOND = 120;
const INSIDE_PER_SECOND = 20;

/** Clients outside the host, on it by both of its addresses, and in containers by its address, all at once. */
export async function startClients(
  host: LabHost,
  port: number,
  options: Omit<LoadOptions, "perSecond">,
): Promise<{ stop(): Promise<readonly ClientReport[]> }> {
  const url = `http://${host.internalAddress}:${port}/`;
  const inside = { ...options, perSecond: INSIDE_PER_SECOND };
  const started: (readonly [string, Load])[] = [];
  const begin = async (clients: string, load: Promise<Load>): Promise<void> => {
    started.push([clients, await load]);
  };
  await begin("outside", loadFromOutside(url, { ...options, perSecond: OUTSIDE_PER_SECOND }));
  await begin("host, own address", loadFromContainer(host, "host", url, inside));
  await begin("host, 127.0.0.1", loadFromContainer(host, "host", `http://127.0.0.1:${port}/`, inside));
  await begin("container, same network", loadFromContainer(host, OWN_NETWORK, url, inside));
  await begin("container, other network", loadFromContainer(host, OTHER_NETWORK, url, inside));
  return {
    stop: () => Promise.all(started.map(async ([clients, load]) => ({ clients, ...(await load.stop()) }))),
  };
}
