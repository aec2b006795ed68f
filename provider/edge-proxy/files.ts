import { createHash } from "node:crypto";
import { accountKeyPath, accountMapPath, PROXY_PATH, STORE_PATH } from "../proxy/acme";
import {
  acmeCertificate,
  acmeNames,
  certificateStore,
  DEFAULT_CERTIFICATE,
  isAcmeCertificate,
  nameOfCertificate,
  routeCertificates,
} from "../proxy/certificates";
import type { ObservedProxy } from "../proxy/observed";
import { formatRouteFile, formatRouteMap, type RouteEntry, routeFileName } from "../proxy/route-file";
import { type Desired, EXTRA_FILE } from "./desired";
import { isGivenCertificate, isProxyCertificate } from "./tls";

/** What is new, and secret. */
export interface NewSecrets {
  /** A self-signed certificate with its key. */
  readonly newCertificate: () => string;
  /** An account for the ACME server of this id: its files by path. */
  readonly newAccount: (id: string) => ReadonlyMap<string, string>;
}

/** How a proxy's files have to change. */
export interface FileDrift {
  /** By path in the folder; secret in parts. */
  readonly files: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
  /** Which, in words. */
  readonly why: string;
}

/**
 * What has to be written so that the folder is as it should be: the proxy's own files, and routes' files that somebody
 * edited. A route that cannot be read any more goes: its service writes it anew. Undefined when all is well.
 */
export function fileDrift(
  desired: Desired,
  folder: ObservedProxy | undefined,
  secrets: NewSecrets,
): FileDrift | undefined {
  const files = new Map<string, string>();
  const removed: string[] = [];
  for (const [path, text] of desired.files) {
    const isSame = !path.startsWith("conf/")
      ? folder?.digests.get(path) === createHash("sha256").update(text).digest("hex")
      : folder?.files.get(path) === text;
    if (!isSame) files.set(path, text);
  }
  const present = [...(folder?.digests.keys() ?? [])];
  const hasOwn = desired.tls.kind !== "none";
  if (hasOwn && !present.includes(DEFAULT_CERTIFICATE))
    files.set(DEFAULT_CERTIFICATE, secrets.newCertificate());
  if (desired.tls.kind === "acme") {
    const { id } = desired.tls;
    if (![accountKeyPath(id), accountMapPath(id)].every((path) => present.includes(path)))
      for (const [path, text] of secrets.newAccount(id)) files.set(path, text);
  }
  const isWanted = (path: string): boolean =>
    desired.files.has(path) || (hasOwn && path === DEFAULT_CERTIFICATE);
  if (folder !== undefined) {
    for (const [path, text] of editedRoutes(folder)) {
      if (text === undefined) removed.push(path);
      else files.set(path, text);
    }
    const entries = entriesOf(folder);
    const own = routeCertificates(entries, present, desired.tls);
    for (const [path, text] of own.files) files.set(path, text);
    const isKept = awaited(desired, folder, [...own.files.keys()]);
    const unwanted = present.filter((path) => isProxyCertificate(path) && !isWanted(path));
    const gone = [...unwanted, ...own.removed, ...acmeLeft(desired, entries, present)];
    removed.push(...gone.filter((path) => !isKept(path)), ...strangers(folder, desired));
    const isMapRight = (folder.files.get("routes.map") ?? "") === formatRouteMap(entries);
    const isStoreRight = folder.files.get(STORE_PATH) === storeOf(desired, entries);
    if (
      files.size === 0 &&
      removed.length === 0 &&
      isMapRight &&
      isStoreRight &&
      folder.files.has("routes.map")
    )
      return undefined;
  }
  const changed = [...files.keys(), ...removed].filter((path) => folder?.files.has(path) === true);
  return { files, removed, why: changed.length > 0 ? `${changed.sort().join(", ")} changed` : "missing" };
}

/** The list of certificates from the ACME server, which the script on the host makes; undefined when there is none. */
function storeOf({ tls }: Desired, entries: readonly RouteEntry[]): string | undefined {
  return tls.kind === "acme" ? certificateStore(acmeNames(entries), tls.id) : undefined;
}

/** Certificates from an ACME server that no route of now asks for, or that are another server's. */
function acmeLeft(
  { tls }: Desired,
  entries: readonly RouteEntry[],
  present: readonly string[],
): readonly string[] {
  const wanted = tls.kind === "acme" ? acmeNames(entries).map((name) => acmeCertificate(name, tls.id)) : [];
  return present.filter((path) => isAcmeCertificate(path) && !wanted.includes(path));
}

/**
 * What was shown before stays until there is something better than a self-signed certificate: another server's until the
 * name has its own, those that the program gave until every name has.
 */
function awaited(
  { tls }: Desired,
  { placeholders }: ObservedProxy,
  fresh: readonly string[],
): (path: string) => boolean {
  if (tls.kind !== "acme") return () => false;
  const names = [...placeholders, ...fresh.map(nameOfCertificate)];
  return (path) => {
    if (isGivenCertificate(path)) return names.length > 0;
    const name = nameOfCertificate(path);
    return name !== undefined && path !== acmeCertificate(name, tls.id) && names.includes(name);
  };
}

/** The proxy's routes, as far as their files can be read. */
export function entriesOf(folder: ObservedProxy): readonly RouteEntry[] {
  return folder.routes.flatMap(({ entry }) => (entry === undefined ? [] : [entry]));
}

/** Routes' files that are not what their first line says, with what they should be; undefined where that line is broken. */
function editedRoutes({ files, routes }: ObservedProxy): readonly (readonly [string, string | undefined])[] {
  return routes
    .map(({ service, entry }) => {
      const text = entry === undefined ? undefined : formatRouteFile(entry);
      return [`conf/${routeFileName(service)}`, text] as const;
    })
    .filter(([path, text]) => text === undefined || files.get(path) !== text);
}

/** HAProxy reads every file of the folder, so one that nobody accounts for changes what runs. */
function strangers({ files }: ObservedProxy, desired: Desired): readonly string[] {
  const known = [PROXY_PATH, EXTRA_FILE, STORE_PATH];
  return [...files.keys()].filter(
    (path) =>
      path.startsWith("conf/") &&
      !path.startsWith("conf/50-") &&
      !(known.includes(path) && (desired.files.has(path) || path === STORE_PATH)),
  );
}
