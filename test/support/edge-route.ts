import { get } from "node:http";
import { systemClock } from "../../provider/clock";
import type { Connection } from "../../provider/host/connection";
import { withHost } from "../../provider/host/pool";
import type { HostSession } from "../../provider/host/session";
import { silentLog } from "../../provider/log";
import type { ObservedRoute } from "../../provider/proxy/observed";
import { type RouteEntry, shortId } from "../../provider/proxy/route-file";
import {
  drainServer,
  observeRoute,
  readyServer,
  removeServer,
  waitDrained,
  writeRoute,
} from "../../provider/proxy/switch-route";
import type { LabHost } from "../lab/lab-host";

const NETWORK = "slipway";

/** A container on a lab host, as a route wants to know it. */
export interface Backend {
  readonly container: string;
  readonly address: string;
}

/** A container of an image on the proxy's network that runs; made where none has this name. */
export async function startBackend(host: LabHost, name: string, image: string): Promise<Backend> {
  if ((await host.exec(["docker", "start", name])).code !== 0) {
    const how = ["--restart", "always", "--name", name, "--network", NETWORK];
    await host.must(["docker", "run", "-d", ...how, image]);
  }
  const format = `{{.Id}} {{(index .NetworkSettings.Networks "${NETWORK}").IPAddress}}`;
  const seen = await host.must(["docker", "inspect", "-f", format, name]);
  const [container = "", address = ""] = seen.split(" ");
  return { container, address };
}

/** What a rollout does with a route, for tests. */
export class EdgeRoute {
  private readonly connection: Connection;
  readonly proxy = { name: "edge" };
  readonly service: string;

  constructor(host: LabHost, service: string) {
    this.connection = host.connection("deploy");
    this.service = service;
  }

  entry(backend: Backend | undefined, more: Partial<RouteEntry> = {}): RouteEntry {
    const servers = backend === undefined ? [] : [{ place: 1, container: shortId(backend.container) }];
    const rest = { protocol: "http" as const, hosts: [], path: "/", port: 3000, listen: 0, places: 4 };
    return { service: this.service, ...rest, servers, ...more };
  }

  on<T>(use: (host: ReturnType<typeof access>) => Promise<T>): Promise<T> {
    const signal = new AbortController().signal;
    const options = { log: silentLog, clock: systemClock, random: Math.random, signal };
    return withHost(this.connection, options, (session) => use(access(session, signal)));
  }

  write(entry: RouteEntry): Promise<ObservedRoute> {
    return this.on(async (host) =>
      writeRoute(host, this.proxy, await observeRoute(host, this.proxy, this.service), entry),
    );
  }

  observe(): Promise<ObservedRoute> {
    return this.on((host) => observeRoute(host, this.proxy, this.service));
  }

  /** One takes the other's place; gives the sessions that were cut at the limit. */
  swap(from: Backend, to: Backend, drainMs: number): Promise<number> {
    return this.on(async (host) => {
      const before = await observeRoute(host, this.proxy, this.service);
      const both = await readyServer(host, this.proxy, before, to);
      const draining = await drainServer(host, this.proxy, both, from.container);
      const limit = { container: from.container, timeoutMs: drainMs };
      const { route, left } = await waitDrained(host, this.proxy, draining, limit);
      await removeServer(host, this.proxy, route, from.container);
      return left;
    });
  }
}

function access(session: HostSession, signal: AbortSignal) {
  return { session, signal, clock: systemClock, log: silentLog };
}

/** Status and body of a page, asked for under a host name over a connection of its own: `200 v1`. */
export function askFor(url: string, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { host: name }, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve(`${response.statusCode ?? 0} ${text.trim()}`));
      response.on("error", reject);
    }).on("error", reject);
  });
}
