import { INTERNAL_CERTIFICATE, routeCertificate } from "./certificates";
import { parseProcesses, parseServers, type RuntimeServer } from "./runtime-api";
import { backendOf, parseRouteFile, type RouteEntry } from "./route-file";
import { MARK } from "./host-script";

/** A server of a route, as one process of the running proxy has it. */
export interface RouteServer extends RuntimeServer {
  readonly pid: number;
}

/** One route of a proxy: its file, and what runs. */
export interface ObservedRoute {
  readonly service: string;
  /** As the file has it; undefined when there is none, or it cannot be read any more. */
  readonly entry: RouteEntry | undefined;
  /** As the current process has it; empty when the proxy does not run or does not know the route yet. */
  readonly servers: readonly RouteServer[];
  /** Paths of the certificates that the proxy made for it. */
  readonly certificates: readonly string[];
  /** The proxy makes its own certificates. */
  readonly internalTls: boolean;
  /** Those of former processes that still have something to end. */
  readonly former: readonly RouteServer[];
}

/** A proxy's folder and processes at the time of looking. */
export interface ObservedProxy {
  /** By path in the folder; certificates not among them. */
  readonly files: ReadonlyMap<string, string>;
  /** SHA-256 of each certificate file, by path in the folder. */
  readonly digests: ReadonlyMap<string, string>;
  /** Undefined when its socket does not answer. */
  readonly version: string | undefined;
  /** Its container runs, and its socket does not answer: what it does is not known. */
  readonly mute: boolean;
  readonly formerPids: readonly number[];
  /** Of every route, those too that are in no file any more: what they have ends there. */
  readonly formerServers: readonly RouteServer[];
  readonly routes: readonly ObservedRoute[];
  /** What commands were answered, empty when there were none. */
  readonly answer: string;
}

/** Parses what the scripts on the host show. */
export function parseShown(text: string): ObservedProxy {
  const sections = sectionsOf(text);
  const files = new Map<string, string>();
  const perWorker = new Map<number, readonly RuntimeServer[]>();
  let processes = parseProcesses("");
  let answer = "";
  let mute = false;
  let digests = new Map<string, string>();
  for (const { head, body } of sections) {
    const [kind = "", name = ""] = head.split(" ");
    // the script puts a line feed behind each file, which may lack its own
    if (kind === "file") files.set(name, body.replace(/\n$/, ""));
    else if (kind === "worker") perWorker.set(Number(name), parseServers(body));
    else if (kind === "processes") processes = parseProcesses(body);
    else if (kind === "mute") mute = true;
    else if (kind === "answer") answer = body.trim();
    else if (kind === "digests") digests = parseDigests(body);
  }
  const servers = (current: boolean): readonly RouteServer[] =>
    processes.workers
      .filter((worker) => worker.current === current)
      .flatMap(({ pid }) => (perWorker.get(pid) ?? []).map((server) => ({ ...server, pid })));
  return {
    files,
    digests,
    version: processes.version || undefined,
    mute,
    formerPids: processes.workers.filter(({ current }) => !current).map(({ pid }) => pid),
    formerServers: servers(false),
    routes: routesOf({ files, digests, current: servers(true), former: servers(false) }),
    answer,
  };
}

/** The route of a service; one that is nowhere when the proxy does not know it. */
export function routeOf({ routes, digests, formerServers }: ObservedProxy, service: string): ObservedRoute {
  const route = routes.find((each) => each.service === service);
  if (route !== undefined) return route;
  const former = formerServers.filter(({ backend }) => backend === backendOf(service));
  return { service, entry: undefined, servers: [], former, ...certificatesIn(digests, service) };
}

/** Open requests and connections of a container behind a route, in every process. */
export function sessionsOf({ servers, former }: ObservedRoute, container: string): number {
  const own = [...servers, ...former].filter((server) => server.container === container);
  return own.reduce((sum, { sessions }) => sum + sessions, 0);
}

const ROUTE_FILE = /^conf\/50-(.+)\.cfg$/;

interface Shown {
  readonly files: ReadonlyMap<string, string>;
  readonly digests: ReadonlyMap<string, string>;
  readonly current: readonly RouteServer[];
  readonly former: readonly RouteServer[];
}

function routesOf({ files, digests, current, former }: Shown): readonly ObservedRoute[] {
  const routes = [...files].flatMap(([path, text]) => {
    const service = ROUTE_FILE.exec(path)?.[1];
    if (service === undefined) return [];
    const ofService = (server: RouteServer): boolean => server.backend === backendOf(service);
    const entry = parseRouteFile(text);
    return [
      {
        service,
        entry: entry?.service === service ? entry : undefined,
        servers: current.filter(ofService),
        former: former.filter(ofService),
        ...certificatesIn(digests, service),
      },
    ];
  });
  return routes.sort((a, b) => (a.service < b.service ? -1 : 1));
}

function certificatesIn(
  digests: ReadonlyMap<string, string>,
  service: string,
): Pick<ObservedRoute, "certificates" | "internalTls"> {
  const prefix = routeCertificate({ service, hosts: [] }).replace(/[0-9a-f]{8}\.pem$/, "");
  return {
    certificates: [...digests.keys()].filter((path) => path.startsWith(prefix)),
    internalTls: digests.has(INTERNAL_CERTIFICATE),
  };
}

function sectionsOf(text: string): readonly { readonly head: string; readonly body: string }[] {
  return text
    .split(new RegExp(`^${MARK}`, "m"))
    .slice(1)
    .map((part) => {
      const end = part.indexOf("\n");
      return end < 0 ? { head: part, body: "" } : { head: part.slice(0, end), body: part.slice(end + 1) };
    });
}

function parseDigests(text: string): Map<string, string> {
  const lines = text.split("\n").map((line) => /^([0-9a-f]{64}) [ *](.+)$/.exec(line));
  return new Map(lines.flatMap((match) => (match ? [[match[2] ?? "", match[1] ?? ""]] : [])));
}
