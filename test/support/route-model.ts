import type { ObservedRoute, RouteServer } from "../../provider/proxy/observed";
import { backendOf, type RouteEntry, serverName, shortId } from "../../provider/proxy/route-file";
import type { Route } from "../../provider/proxy/route";
import type { FoundRoute } from "../../provider/rolling-container/found";
import type { RouteOperation, RoutePlace } from "../../provider/rolling-container/route-operation";
import type { DockerModel, ModelAnswer, ModelContainer } from "./docker-model";

const PROXY = {
  name: "edge",
  target: "root@host:22",
  network: "slipway",
  scheme: "http",
  address: "host",
  port: 80,
} as const;

/** The route that a service "web" asks for. */
export const WANTED_ROUTE: Route = {
  proxies: [{ ...PROXY, tcpPorts: [] }],
  protocol: "http",
  hosts: ["example.com"],
  path: "/",
  port: 3000,
  listen: 0,
  drainTimeoutMs: 30_000,
};

export const WANTED_PLACE: RoutePlace = { proxy: "edge", network: "slipway", service: "web" };

/** A route's file with these behind it, by id. */
export function routeEntry(ids: readonly string[], more: Partial<RouteEntry> = {}): RouteEntry {
  const servers = ids.map((id, index) => ({ place: index + 1, container: shortId(id) }));
  const { protocol, hosts, path, port, listen } = WANTED_ROUTE;
  return { service: "web", protocol, hosts, path, port, listen, places: 4, servers, ...more };
}

/** A proxy's one route as a rollout finds it; `draining` are behind it and get nothing new. */
export function foundRoute(entry: RouteEntry | undefined, draining: readonly string[] = []): FoundRoute {
  const server = (container: string, index: number, state: "ready" | "drain"): RouteServer => ({
    ...{ pid: 1, backend: backendOf("web"), name: serverName(index + 1), container, state, sessions: 0 },
    address: "10.0.0.2",
    up: state === "ready",
  });
  const listed = entry?.servers ?? [];
  const free = { ...server("", 90, "ready"), container: undefined, up: false };
  const servers =
    entry === undefined
      ? []
      : [
          ...listed.map(({ container }, index) => server(container, index, "ready")),
          ...draining.map((container, index) => server(container, 50 + index, "drain")),
          free,
        ];
  const route: ObservedRoute = {
    service: "web",
    entry,
    servers,
    former: [],
    certificates: [],
    tls: { kind: "none" },
    placeholders: [],
  };
  return { place: WANTED_PLACE, drainTimeoutMs: WANTED_ROUTE.drainTimeoutMs, route };
}

/** The service's route on its proxy; it stays over a restart of the host. */
export class RouteModel {
  entry: RouteEntry | undefined;
  /** Gone from the file, and not yet from its place. */
  readonly draining: Set<string>;

  constructor(entry: RouteEntry | undefined, draining: Iterable<string> = []) {
    this.entry = entry;
    this.draining = new Set(draining);
  }

  copy(): RouteModel {
    return new RouteModel(this.entry, this.draining);
  }

  get observed(): FoundRoute {
    return foundRoute(this.entry, [...this.draining]);
  }

  /** True when new requests go to the container. */
  leadsTo({ id }: Pick<ModelContainer, "id">): boolean {
    return this.entry?.servers.some(({ container }) => container === shortId(id)) ?? false;
  }

  perform(operation: RouteOperation, docker: DockerModel): ModelAnswer {
    switch (operation.kind) {
      case "write-route": {
        const found = operation.servers.map((ref) => docker.byRef(ref)?.id ?? ref.id ?? ref.name);
        this.entry = { ...routeEntry(found), ...operation.shape };
        this.draining.clear();
        const [first] = found;
        return first === undefined || isRunning(docker, first) ? DONE : refused("it does not answer");
      }
      case "ready-server": {
        const id = docker.byRef(operation.container)?.id;
        if (this.entry === undefined) return refused("there is no route");
        if (id === undefined) return refused("404");
        this.draining.delete(shortId(id));
        const others = this.entry.servers.filter(({ container }) => container !== shortId(id));
        this.entry = { ...this.entry, servers: [...others, { place: 9, container: shortId(id) }] };
        return isRunning(docker, id) ? DONE : refused("it does not answer");
      }
      case "drain-server":
        this.drop(docker.byRef(operation.container)?.id ?? operation.container.id ?? "", true);
        return DONE;
      case "remove-server":
        this.drop(docker.byRef(operation.container)?.id ?? operation.container.id ?? "", false);
        return DONE;
      case "remove-route":
        this.entry = undefined;
        this.draining.clear();
        return DONE;
      case "await-drained":
        return DONE;
    }
  }

  private drop(id: string, drains: boolean): void {
    if (this.entry === undefined) return;
    const short = shortId(id);
    const servers = this.entry.servers.filter(({ container }) => container !== short);
    if (!drains) this.draining.delete(short);
    else if (servers.length < this.entry.servers.length) this.draining.add(short);
    this.entry = { ...this.entry, servers };
  }
}

const DONE: ModelAnswer = { kind: "done" };

function refused(why: string): ModelAnswer {
  return { kind: "refused", why };
}

function isRunning(docker: DockerModel, id: string): boolean {
  return docker.containers.some((each) => each.id === id && each.state === "running");
}
