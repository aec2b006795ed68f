import { readRegistry, type RegistryLogin } from "../container/registry-login";
import { SlipwayError } from "../errors";
import type { Failure, Properties } from "../handler";
import { type Connection, targetOf } from "../host/connection";
import { readConnection } from "../host/connection-fields";
import type { ProxySettings } from "../proxy/configuration";
import type { ProxyRef } from "../proxy/ref";
import { Fields, hasUnknown, isObject } from "../values";
import { hasAcme, taggedVersion } from "./acme-fields";
import { readTls, type Tls } from "./tls";

/** An EdgeProxy's arguments with their defaults. */
export interface ProxyInputs {
  readonly name: string;
  readonly connection: Connection;
  readonly image: string;
  readonly network: string;
  readonly tcpPorts: readonly number[];
  readonly tls: Tls;
  readonly settings: ProxySettings;
  /** Sections of the user's own, as one text; empty where there are none. */
  readonly config: string;
  /** What is open has this long to end when the container is exchanged. Milliseconds. */
  readonly drainMs: number;
  readonly registries: readonly RegistryLogin[];
  readonly abandonUnreachable: boolean;
}

/** What reading the arguments gave: mistakes, and what is known. */
export interface ReadProxy {
  readonly failures: readonly Failure[];
  /** Undefined while something is wrong or not known yet. */
  readonly proxy: ProxyInputs | undefined;
  /** What the proxy is for routes; undefined while what it rests on is not known yet. */
  readonly ref: ProxyRef | undefined;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{1,49}$/;
const IMAGE = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,511}$/;
const NETWORK = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;
const BUILT_IN_NETWORKS = ["bridge", "default", "host", "none"];
const DRAIN_MS = 30_000;
const MAX_DRAIN_MS = 900_000;
const DEFAULTS = {
  connectMs: 5_000,
  clientMs: 60_000,
  serverMs: 60_000,
  tunnelMs: 3_600_000,
  hardStopMs: 3_600_000,
};
const OUTPUTS = [
  "targets",
  "ref",
  "hostKeys",
  "machineIds",
  "address",
  "version",
  "routes",
  "containerId",
  "state",
  "lastExchange",
  "drift",
];

/** Reads and validates all arguments; outputs of ours may stand among them. */
export function readProxy(inputs: Properties): ReadProxy {
  const failures: Failure[] = [];
  const fields = new Fields(inputs, failures);
  const name = matching(fields, "name", NAME, "letters, digits, _ and -, two to 50 of them, and no dots");
  const host = fields.object("host");
  if (host === undefined && !fields.has("host")) fields.fail("host", "is required");
  const connection = host === undefined ? undefined : readConnection(host);
  const image = matching(fields, "image", IMAGE, "an image reference", "haproxy:3.2");
  const network = readNetwork(fields);
  const isTlsKnown = fields.raw("tls") !== undefined || !fields.has("tls");
  const tls = readTls(fields);
  const withTls = tls.kind !== "off";
  const tagged = image === undefined ? undefined : taggedVersion(image);
  if (tls.kind === "acme" && tagged !== undefined && !hasAcme(tagged))
    fields.fail("image", `must be HAProxy 3.2 or newer for tls.acme, not ${tagged.join(".")}`);
  const httpPort = port(fields, "httpPort") ?? 80;
  const httpsGiven = port(fields, "httpsPort");
  if (isTlsKnown && !withTls && httpsGiven !== undefined)
    fields.fail("httpsPort", 'needs tls, which is "off"');
  const httpsPort = withTls ? (httpsGiven ?? 443) : undefined;
  const tcpPorts = readTcpPorts(fields);
  refuseSamePorts(fields, httpPort, httpsPort, tcpPorts);
  const redirect = fields.boolean("redirectToHttps");
  if (isTlsKnown && !withTls && redirect === true)
    fields.fail("redirectToHttps", 'needs tls, which is "off"');
  const { timeouts, drainMs } = readTimeouts(fields);
  const config = readConfig(fields);
  const registries = fields.objects("registries", readRegistry) ?? [];
  const abandonUnreachable = fields.boolean("abandonUnreachable") ?? false;
  fields.rejectOthers(OUTPUTS);
  const isRead = tls.kind !== "acme" || tls.acme !== undefined;
  if (
    name === undefined ||
    connection === undefined ||
    image === undefined ||
    network === undefined ||
    !isRead
  ) {
    return { failures, proxy: undefined, ref: undefined };
  }
  const acme = tls.kind === "acme" && tls.acme !== undefined ? { acme: tls.acme } : {};
  const settings = { httpPort, httpsPort, redirectToHttps: withTls && (redirect ?? true), timeouts, ...acme };
  const proxy = {
    name,
    connection,
    image,
    network,
    tcpPorts,
    tls,
    settings,
    config,
    drainMs,
    registries,
    abandonUnreachable,
  };
  const ref = failures.length === 0 && !hasUnknown(refRestsOn(inputs)) ? refOf(proxy) : undefined;
  return { failures, proxy: fields.unknown || failures.length > 0 ? undefined : proxy, ref };
}

/**
 * The arguments of a proxy that is being made or changed, which check has seen.
 * @throws SlipwayError invalid-input
 */
export function parseProxy(inputs: Properties): ProxyInputs {
  const { proxy, failures } = readProxy(inputs);
  if (proxy !== undefined) return proxy;
  const why =
    failures.map(({ property, reason }) => `${property} ${reason}`).join("; ") || "a value is not known";
  throw new SlipwayError({ code: "invalid-input", what: "reading the EdgeProxy", why });
}

/** The ports of the host that a proxy takes. */
export function portsOf({
  settings,
  tcpPorts,
}: Pick<ProxyInputs, "settings" | "tcpPorts">): readonly number[] {
  const { httpPort, httpsPort } = settings;
  return [httpPort, ...(httpsPort === undefined ? [] : [httpsPort]), ...tcpPorts];
}

function refRestsOn({ name, network, tcpPorts, httpPort, httpsPort, tls, host }: Properties): unknown {
  const way = isObject(host) ? [host.host, host.port, host.user] : host;
  // which certificates they are makes no difference
  const kind = isObject(tls)
    ? isObject(tls.acme)
      ? [tls.acme.directory]
      : (tls.acme ?? "certificates")
    : tls;
  return [name, network, tcpPorts, httpPort, httpsPort, kind, way];
}

function refOf({ name, connection, network, settings, tcpPorts }: ProxyInputs): ProxyRef {
  const { httpPort, httpsPort } = settings;
  return {
    name,
    target: targetOf(connection),
    network,
    scheme: httpsPort === undefined ? "http" : "https",
    address: connection.host,
    port: httpsPort ?? httpPort,
    tcpPorts,
    ...(settings.acme === undefined ? {} : { acme: settings.acme.directory }),
  };
}

function readNetwork(fields: Fields): string | undefined {
  const network = matching(fields, "network", NETWORK, "a network's name", "slipway");
  if (network === undefined || !BUILT_IN_NETWORKS.includes(network)) return network;
  return fields.fail("network", `cannot be "${network}": containers have no names on it`);
}

function readTcpPorts(fields: Fields): readonly number[] {
  const ports = fields.list("tcpPorts", (value, fail) => {
    if (typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536) return value;
    return fail("must be a whole number from 1 to 65535");
  });
  return [...(ports ?? [])].sort((a, b) => a - b);
}

function refuseSamePorts(
  fields: Fields,
  http: number,
  https: number | undefined,
  tcp: readonly number[],
): void {
  if (http === https) fields.fail("httpsPort", `cannot be ${http} too, which is the httpPort`);
  tcp.forEach((each, at) => {
    if (each === http || each === https) fields.fail("tcpPorts", `cannot have ${each}, which is for http`);
    if (tcp.indexOf(each) !== at) fields.fail("tcpPorts", `has ${each} twice`);
  });
}

function readTimeouts(fields: Fields): Pick<ProxySettings, "timeouts"> & Pick<ProxyInputs, "drainMs"> {
  const given = fields.object("timeouts");
  if (given === undefined) return { timeouts: DEFAULTS, drainMs: DRAIN_MS };
  const timeouts = {
    ...DEFAULTS,
    connectMs: positive(given, "connect") ?? DEFAULTS.connectMs,
    clientMs: positive(given, "client") ?? DEFAULTS.clientMs,
    serverMs: positive(given, "server") ?? DEFAULTS.serverMs,
    tunnelMs: positive(given, "tunnel") ?? DEFAULTS.tunnelMs,
  };
  const drainMs = positive(given, "drain") ?? DRAIN_MS;
  if (drainMs > MAX_DRAIN_MS) given.fail("drain", "must be 15m at most");
  given.rejectOthers();
  return { timeouts, drainMs };
}

/** HAProxy counts milliseconds in 31 bits, and takes 0 for "for ever". */
function positive(fields: Fields, key: string): number | undefined {
  const ms = fields.duration(key);
  if (ms === undefined || (ms >= 1 && ms <= 2_147_483_647))
    return ms === undefined ? undefined : Math.round(ms);
  return fields.fail(key, "must be from 1ms to 24 days");
}

function readConfig(fields: Fields): string {
  const raw = fields.raw("config");
  const text =
    (Array.isArray(raw) ? (fields.strings("config") ?? []).join("\n") : fields.string("config")) ?? "";
  if (/^@slipway /m.test(text)) fields.fail("config", "has a line that begins with @slipway, which is ours");
  if (text.includes("\0")) fields.fail("config", "holds a NUL character");
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

function port(fields: Fields, key: string): number | undefined {
  return fields.integer(key, { min: 1, max: 65_535 });
}

function matching(
  fields: Fields,
  key: string,
  pattern: RegExp,
  what: string,
  otherwise?: string,
): string | undefined {
  const value =
    otherwise === undefined ? fields.requiredString(key) : fields.has(key) ? fields.string(key) : otherwise;
  if (value === undefined || pattern.test(value)) return value;
  return fields.fail(key, `must be ${what}`);
}
