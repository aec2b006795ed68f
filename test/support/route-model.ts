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

type InProcess = ReadonlyMap<string, "ready" | "drain">;

/** A proxy's one route as a rollout finds it: its file, and what the running proxy does, just what the file says if nothing else. */
export function foundRoute(
  entry: RouteEntry | undefined,
  runs: InProcess | null = entry === undefined ? null : inProcess(entry),
  port: number | undefined = entry?.port,
  service = entry?.service ?? "web",
): FoundRoute {
  const server = (container: string, index: number, state: "ready" | "drain"): RouteServer => ({
    ...{ pid: 1, backend: backendOf(service), name: serverName(index + 1), container, state, sessions: 0 },
    address: "10.0.0.2",
    port,
    up: state === "ready",
  });
  const free = { ...server("", 90, "ready"), container: undefined, up: false };
  const servers =
    runs === null
      ? []
      : [...[...runs].map(([container, state], index) => server(container, index, state)), free];
  const route: ObservedRoute = {
    service,
    entry,
    servers,
    former: [],
    certificates: [],
    tls: { kind: "none" },
    placeholders: [],
  };
  return { place: { ...WANTED_PLACE, service }, drainTimeoutMs: WANTED_ROUTE.drainTimeoutMs, route };
}

/** What a proxy that has read the file does. */
function inProcess({ servers }: RouteEntry): Map<string, "ready" | "drain"> {
  return new Map(servers.map(({ container }) => [container, "ready"]));
}

/** The operation, as the proxy carries it out; `silent`: the files are changed, and the running proxy says nothing and goes on as before. */
export function performRoute(operation: RouteOperation, docker: DockerModel, silent: boolean): ModelAnswer {
  const route = docker.routes.get(operation.place.service);
  if (route === undefined) return DONE;
  const before = new Map([...docker.routes].map(([name, each]) => [name, each.copy()]));
  const answer = route.change(operation, docker);
  if (!silent || operation.kind === "await-drained") return answer;
  for (const [name, each] of docker.routes) each.goOnAs(before.get(name));
  return refused("the proxy does not answer");
}

/** The service's route on its proxy: its file, which stays over a restart of the host, and what the running proxy does. */
export class RouteModel {
  entry: RouteEntry | undefined;
  /** By the container; undefined where the proxy does not know the route. */
  runs: Map<string, "ready" | "drain"> | undefined;

  /** That the running proxy asks. */
  port: number | undefined;

  readonly service: string;

  constructor(entry: RouteEntry | undefined, service = "web") {
    this.service = service;
    this.entry = entry;
    this.runs = entry && inProcess(entry);
    this.port = entry?.port;
  }

  copy(): RouteModel {
    const copy = new RouteModel(this.entry, this.service);
    copy.runs = this.runs && new Map(this.runs);
    copy.port = this.port;
    return copy;
  }

  get observed(): FoundRoute {
    return foundRoute(this.entry, this.runs ?? null, this.port, this.service);
  }

  /** True when new requests go to the container. */
  leadsTo({ id }: Pick<ModelContainer, "id">): boolean {
    return this.runs?.get(shortId(id)) === "ready";
  }

  /** True when the container gets requests after a restart of the host. */
  lists({ id }: Pick<ModelContainer, "id">): boolean {
    return this.entry?.servers.some(({ container }) => container === shortId(id)) ?? false;
  }

  /** The proxy starts anew, and knows what the file says. */
  reload(): void {
    this.runs = this.entry && inProcess(this.entry);
    this.port = this.entry?.port;
  }

  /** The running proxy does what that one does. */
  goOnAs(other: RouteModel | undefined): void {
    this.runs = other?.runs;
    this.port = other?.port;
  }

  change(operation: RouteOperation, docker: DockerModel): ModelAnswer {
    switch (operation.kind) {
      case "write-route": {
        const found = operation.servers.map((ref) => docker.byRef(ref)?.id ?? ref.id ?? ref.name);
        this.entry = { ...routeEntry(found), ...operation.shape };
        const replaced = docker.routes.get(operation.replaces ?? "");
        if (replaced !== undefined) replaced.entry = undefined;
        docker.reload();
        const [first] = found;
        return first === undefined || isRunning(docker, first) ? DONE : refused("it does not answer");
      }
      case "ready-server": {
        const id = docker.byRef(operation.container)?.id;
        if (this.entry === undefined) return refused("there is no route");
        if (id === undefined) return refused("404");
        (this.runs ??= new Map()).set(shortId(id), "ready");
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
        docker.reload();
        return DONE;
      case "await-drained":
        return DONE;
    }
  }

  private drop(id: string, drains: boolean): void {
    if (this.entry === undefined) return;
    const short = shortId(id);
    const servers = this.entry.servers.filter(({ container }) => container !== short);
    if (!drains) this.runs?.delete(short);
    else if (this.runs?.has(short) === true) this.runs.set(short, "drain");
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
