import type { Properties } from "../handler";
import { targetOf } from "../host/connection";
import { machineIdsFrom } from "../host/machine/machine-id";
import { bracketed } from "../proxy/route";
import type { Desired } from "./desired";
import { entriesOf, fileDrift } from "./files";
import type { ProxyInputs } from "./inputs";
import type { ProxyFound } from "./observe";
import { isOwn } from "./owner";

/** A route as the outputs tell of it. */
export interface RouteSummary {
  readonly service: string;
  readonly protocol: "http" | "tcp";
  readonly hosts: readonly string[];
  readonly path: string;
  /** The container's port. */
  readonly port: number;
  /** The proxy's port of a tcp route. */
  readonly listen?: number;
}

/** How a proxy's container was exchanged for another one. */
export interface ExchangeSummary {
  /** "bridged": a copy served behind rules of the host meanwhile. "plain": one stop, one start. */
  readonly switch: "bridged" | "plain";
  /** For how long nobody answered. */
  readonly gapMs: number;
}

/** What an operation that looked gives to the state. */
export function outputsOf(
  inputs: Properties,
  {
    proxy,
    desired,
    found,
    hostKey,
    lastExchange,
  }: {
    readonly proxy: ProxyInputs;
    readonly desired: Desired;
    readonly found: ProxyFound;
    readonly hostKey: string;
    /** Left out where there was none yet. */
    readonly lastExchange?: unknown;
  },
): Properties {
  const { live } = found;
  // the state claims what it names
  const own = live !== undefined && isOwn(live, desired) ? live : undefined;
  return {
    ...inputs,
    targets: [targetOf(proxy.connection)],
    hostKeys: { [found.target]: hostKey },
    machineIds: machineIdsFrom([[found.target, found.machineId]]),
    address: addressOf(proxy),
    version: found.folder?.version ?? "",
    routes: routesIn(found),
    containerId: own?.id ?? "",
    state: own?.state ?? "missing",
    ...(lastExchange === undefined ? {} : { lastExchange }),
    drift: driftOf(desired, found),
  };
}

/** Where clients reach it: `https://203.0.113.10`. */
export function addressOf({ connection, settings }: ProxyInputs): string {
  const { httpPort, httpsPort } = settings;
  const [scheme, port, usual] = httpsPort === undefined ? ["http", httpPort, 80] : ["https", httpsPort, 443];
  return `${scheme}://${bracketed(connection.host)}${port === usual ? "" : `:${port}`}`;
}

/** What is not as it should be, in words; empty when all is well. */
export function driftOf(desired: Desired, found: ProxyFound): readonly string[] {
  const { live, folder, network } = found;
  const drift: string[] = [];
  if (live === undefined || !isOwn(live, desired)) drift.push("its container is gone");
  else if (live.state !== "running") drift.push(`its container is ${live.state}`);
  else if (folder?.version === undefined) drift.push("it does not answer");
  if (found.candidate !== undefined || found.copy !== undefined || found.exchange.unfinished !== undefined)
    drift.push("an exchange was cut off");
  const files = fileDrift(desired, folder, {
    newCertificate: () => "",
    newAccount: () => new Map([["acme", ""]]),
  });
  if (folder === undefined) drift.push("its folder is gone");
  else if (files !== undefined) drift.push(`files: ${files.why}`);
  if (network === undefined) drift.push("its network is gone");
  if (desired.tls.kind === "acme" && folder !== undefined) {
    if (!folder.keeper) drift.push("the timer that saves its certificates is gone");
    if (folder.placeholders.length > 0)
      drift.push(`no certificate yet for ${folder.placeholders.join(", ")}`);
  }
  return drift;
}

function routesIn({ folder }: ProxyFound): readonly RouteSummary[] {
  if (folder === undefined) return [];
  return entriesOf(folder).map(({ service, protocol, hosts, path, port, listen }) => {
    return { service, protocol, hosts, path, port, ...(protocol === "tcp" ? { listen } : {}) };
  });
}
