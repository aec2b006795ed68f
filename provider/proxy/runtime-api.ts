import { FREE_NAME } from "./ref";
import { backendOf, serverName } from "./route-file";

/** What HAProxy does with a server. `drain`: it ends what it has and gets nothing new. */
export type ServerState = "ready" | "drain" | "maint";

/** One place of a backend, as one of HAProxy's processes has it now. */
export interface RuntimeServer {
  readonly backend: string;
  readonly name: string;
  /** The first digits of the id of the container that it stands for; undefined for a free place. */
  readonly container: string | undefined;
  /** Undefined while it is not known. */
  readonly address: string | undefined;
  /** Undefined while it is not known. */
  readonly port?: number | undefined;
  readonly state: ServerState;
  /** It would get requests: ready, and its port answers as far as HAProxy knows. */
  readonly up: boolean;
  /** Open requests and connections. */
  readonly sessions: number;
}

/** One of HAProxy's processes: the current one, and former ones that end what they had before a reload. */
export interface ProxyProcess {
  readonly pid: number;
  readonly current: boolean;
}

/** What `show proc` of the master's socket answers. */
export interface ProxyProcesses {
  readonly version: string;
  readonly workers: readonly ProxyProcess[];
}

/** Lets a free place stand for a container; its address goes in too, since Docker's DNS is asked a moment later only. */
export function placeCommands(
  service: string,
  server: {
    readonly place: number;
    readonly container: string;
    readonly address: string;
    readonly port: number;
  },
): readonly string[] {
  const name = fullName(service, server.place);
  return [
    `set server ${name} fqdn ${server.container}`,
    `set server ${name} addr ${server.address} port ${server.port}`,
  ];
}

export function readyCommand(service: string, place: number): string {
  return `set server ${fullName(service, place)} state ready`;
}

export function drainCommand(service: string, place: number): string {
  return `set server ${fullName(service, place)} state drain`;
}

/** Ends what a server still has, and frees its place. */
export function freeCommands(service: string, place: number): readonly string[] {
  const name = fullName(service, place);
  return [
    `set server ${name} state maint`,
    `shutdown sessions server ${name}`,
    `set server ${name} fqdn ${FREE_NAME}`,
  ];
}

/** Commands for one process, each on a line of the master's socket; the current one unless a pid is given. */
export function toProcess(commands: readonly string[], pid?: number): string {
  const prefix = pid === undefined ? "@1" : `@!${pid}`;
  return commands.map((command) => `${prefix} ${command}\n`).join("");
}

/** `show proc`: the master, workers, and former ones under `# old workers`. */
export function parseProcesses(text: string): ProxyProcesses {
  const workers: ProxyProcess[] = [];
  let version = "";
  let current = true;
  for (const line of text.split("\n")) {
    if (line.startsWith("# old workers")) current = false;
    else if (line.startsWith("# ")) current = true;
    const match = /^(\d+)\s+(master|worker)\s.*?(\S+)\s*$/.exec(line);
    if (!match) continue;
    if (match[2] === "master") version = match[3] ?? "";
    else workers.push({ pid: Number(match[1]), current });
  }
  return { version, workers };
}

// administrative states of a server, as HAProxy's management guide lists them for `show servers state`
const FORCED_MAINT = 0x01;
const INHERITED_MAINT = 0x02;
const UNRESOLVED = 0x20;
const FORCED_DRAIN = 0x08;
const INHERITED_DRAIN = 0x10;
const RUNNING = 2;

/** What `show servers state` and `show stat -1 4 -1` answer, one after the other. */
export function parseServers(text: string): readonly RuntimeServer[] {
  const sessions = new Map<string, number>();
  let columns: readonly string[] = [];
  const found: Omit<RuntimeServer, "sessions">[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("# ")) columns = line.slice(2).split(line.includes(",") ? "," : " ");
    else if (columns[0] === "be_id") {
      const server = parseState(fieldsOf(columns, line.split(" ")));
      if (server !== undefined) found.push(server);
    } else if (columns[0] === "pxname") {
      const { pxname, svname, scur, qcur } = fieldsOf(columns, line.split(","));
      if (svname !== undefined) sessions.set(`${pxname ?? ""}/${svname}`, Number(scur) + Number(qcur));
    }
  }
  return found.map((server) => ({
    ...server,
    sessions: sessions.get(`${server.backend}/${server.name}`) ?? 0,
  }));
}

type Row = Readonly<Record<string, string | undefined>>;

function fieldsOf(columns: readonly string[], values: readonly string[]): Row {
  return Object.fromEntries(columns.map((column, at) => [column, values[at]]));
}

function parseState(row: Row): Omit<RuntimeServer, "sessions"> | undefined {
  const { be_name: backend, srv_name: name, srv_addr: address, srv_fqdn: fqdn, srv_port: port } = row;
  if (backend === undefined || name === undefined) return undefined;
  const admin = Number(row.srv_admin_state);
  const isKnown = address !== undefined && address !== "-" && address !== "0.0.0.0";
  const state = stateOf(admin);
  return {
    backend,
    name,
    container: fqdn !== undefined && /^[0-9a-f]{12}$/.test(fqdn) ? fqdn : undefined,
    address: isKnown ? address : undefined,
    ...(Number(port) > 0 ? { port: Number(port) } : {}),
    state,
    up: state === "ready" && (admin & UNRESOLVED) === 0 && isKnown && Number(row.srv_op_state) >= RUNNING,
  };
}

function stateOf(admin: number): ServerState {
  if ((admin & (FORCED_MAINT | INHERITED_MAINT)) !== 0) return "maint";
  return (admin & (FORCED_DRAIN | INHERITED_DRAIN)) === 0 ? "ready" : "drain";
}

function fullName(service: string, place: number): string {
  return `${backendOf(service)}/${serverName(place)}`;
}
