import { createHash } from "node:crypto";
import { INTERNAL_CERTIFICATE, routeCertificates } from "../proxy/certificates";
import type { ObservedProxy } from "../proxy/observed";
import { formatRouteFile, formatRouteMap, type RouteEntry, routeFileName } from "../proxy/route-file";
import { type Desired, EXTRA_FILE, PROXY_FILE } from "./desired";
import { isProxyCertificate } from "./tls";

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
  newCertificate: () => string,
): FileDrift | undefined {
  const files = new Map<string, string>();
  const removed: string[] = [];
  for (const [path, text] of desired.files) {
    const isSame = path.startsWith("certs/")
      ? folder?.digests.get(path) === createHash("sha256").update(text).digest("hex")
      : folder?.files.get(path) === text;
    if (!isSame) files.set(path, text);
  }
  const present = [...(folder?.digests.keys() ?? [])];
  if (desired.internalTls && !present.includes(INTERNAL_CERTIFICATE))
    files.set(INTERNAL_CERTIFICATE, newCertificate());
  const isWanted = (path: string): boolean =>
    desired.files.has(path) || (path === INTERNAL_CERTIFICATE && desired.internalTls);
  removed.push(...present.filter((path) => isProxyCertificate(path) && !isWanted(path)));
  if (folder !== undefined) {
    for (const [path, text] of editedRoutes(folder)) {
      if (text === undefined) removed.push(path);
      else files.set(path, text);
    }
    const entries = entriesOf(folder);
    const own = routeCertificates(entries, present, desired.internalTls);
    for (const [path, text] of own.files) files.set(path, text);
    removed.push(...own.removed);
    removed.push(...strangers(folder, desired));
    const isMapRight = (folder.files.get("routes.map") ?? "") === formatRouteMap(entries);
    if (files.size === 0 && removed.length === 0 && isMapRight && folder.files.has("routes.map"))
      return undefined;
  }
  const changed = [...files.keys(), ...removed].filter((path) => folder?.files.has(path) === true);
  return { files, removed, why: changed.length > 0 ? `${changed.sort().join(", ")} changed` : "missing" };
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
  const known = [PROXY_FILE, EXTRA_FILE];
  return [...files.keys()].filter(
    (path) =>
      path.startsWith("conf/") &&
      !path.startsWith("conf/50-") &&
      !(known.includes(path) && desired.files.has(path)),
  );
}
