import { MARK } from "./ask-script";
import { PROXY_PATH } from "./acme";
import {
  acmeCertificate,
  acmeNames,
  nameOfCertificate,
  type OwnTls,
  ownTlsOf,
  routeCertificate,
} from "./certificates";
import { parseProcesses, parseServers, type RuntimeServer } from "./runtime-api";
import { backendOf, parseRouteFile, type RouteEntry } from "./route-file";

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
  /** Certificates that the proxy makes or gets by itself. */
  readonly tls: OwnTls;
  /** Host names of it that have no certificate from the ACME server yet. */
  readonly placeholders: readonly string[];
  /** Those of former processes that still have something to end. */
  readonly former: readonly RouteServer[];
}

/** A proxy's folder and processes at the time of looking. */
export interface ObservedProxy {
  /** By path in the folder; certificates not among them. */
  readonly files: ReadonlyMap<string, string>;
  /** SHA-256 of each certificate, and of each file for the ACME client, by path in the folder. */
  readonly digests: ReadonlyMap<string, string>;
  /** Certificates that it makes or gets by itself. */
  readonly tls: OwnTls;
  /** Host names that have no certificate from the ACME server yet; a self-signed one is shown. */
  readonly placeholders: readonly string[];
  /** The host saves what HAProxy got from the ACME server, by a timer. */
  readonly keeper: boolean;
  /** Undefined when its socket does not answer. */
  readonly version: string | undefined;
  /** Its container runs, and its socket does not answer: what it does is not known. */
  readonly mute: boolean;
  readonly formerPids: readonly number[];
  /** Of every route, those too that are in no file any more: what they have ends there. */
  readonly formerServers: readonly RouteServer[];
  /** The same of the current process. */
  readonly servers: readonly RouteServer[];
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
  let shownPlaceholders = "";
  let keeper = false;
  for (const { head, body } of sections) {
    const [kind = "", name = ""] = head.split(" ");
    // the script puts a line feed behind each file, which may lack its own
    if (kind === "file") files.set(name, body.replace(/\n$/, ""));
    else if (kind === "worker") perWorker.set(Number(name), parseServers(body));
    else if (kind === "processes") processes = parseProcesses(body);
    else if (kind === "mute") mute = true;
    else if (kind === "answer") answer = body.trim();
    else if (kind === "digests") digests = parseDigests(body);
    else if (kind === "placeholders") shownPlaceholders = body;
    else if (kind === "keeper") keeper = true;
  }
  const tls = ownTlsOf(files.get(PROXY_PATH) ?? "", digests.keys());
  const placeholders = parsePlaceholders(shownPlaceholders, tls);
  const servers = (current: boolean): readonly RouteServer[] =>
    processes.workers
      .filter((worker) => worker.current === current)
      .flatMap(({ pid }) => (perWorker.get(pid) ?? []).map((server) => ({ ...server, pid })));
  return {
    files,
    digests,
    tls,
    placeholders,
    keeper,
    version: processes.version || undefined,
    mute,
    formerPids: processes.workers.filter(({ current }) => !current).map(({ pid }) => pid),
    formerServers: servers(false),
    servers: servers(true),
    routes: routesOf({ files, digests, tls, placeholders, current: servers(true), former: servers(false) }),
    answer,
  };
}

/** The route of a service; one that is nowhere when the proxy does not know it. */
export function routeOf(found: ObservedProxy, service: string): ObservedRoute {
  const { routes, servers, formerServers } = found;
  const route = routes.find((each) => each.service === service);
  if (route !== undefined) return route;
  const ofService = ({ backend }: RouteServer): boolean => backend === backendOf(service);
  return {
    service,
    entry: undefined,
    // its file is gone, and the process goes on by what it read
    servers: servers.filter(ofService),
    former: formerServers.filter(ofService),
    ...certificatesIn(found, service, []),
  };
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
  readonly tls: OwnTls;
  readonly placeholders: readonly string[];
  readonly current: readonly RouteServer[];
  readonly former: readonly RouteServer[];
}

function routesOf(shown: Shown): readonly ObservedRoute[] {
  const { files, current, former } = shown;
  const routes = [...files].flatMap(([path, text]) => {
    const service = ROUTE_FILE.exec(path)?.[1];
    if (service === undefined) return [];
    const ofService = (server: RouteServer): boolean => server.backend === backendOf(service);
    const parsed = parseRouteFile(text);
    const entry = parsed?.service === service ? parsed : undefined;
    return [
      {
        service,
        entry,
        servers: current.filter(ofService),
        former: former.filter(ofService),
        ...certificatesIn(shown, service, entry === undefined ? [] : acmeNames([entry])),
      },
    ];
  });
  return routes.sort((a, b) => (a.service < b.service ? -1 : 1));
}

function certificatesIn(
  { digests, tls, placeholders }: Pick<Shown, "digests" | "tls" | "placeholders">,
  service: string,
  names: readonly string[],
): Pick<ObservedRoute, "certificates" | "tls" | "placeholders"> {
  const prefix = routeCertificate({ service, hosts: [] }).replace(/[0-9a-f]{8}\.pem$/, "");
  return {
    certificates: [...digests.keys()].filter((path) => path.startsWith(prefix)),
    tls,
    placeholders: placeholders.filter((name) => names.includes(name)),
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

/** Those of another ACME server than the proxy's own have gone out of use. */
function parsePlaceholders(text: string, tls: OwnTls): readonly string[] {
  if (tls.kind !== "acme") return [];
  const names = text.split("\n").map((line) => [line, nameOfCertificate(line)] as const);
  return names.flatMap(([path, name]) => {
    return name !== undefined && path === acmeCertificate(name, tls.id) ? [name] : [];
  });
}
